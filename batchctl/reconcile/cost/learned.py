"""Lessons from the counted answers of earlier attempts: tokens of output for each row, and the parts by modality."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from batchctl.model.admission import QuotaKey, quota_of
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.cost.job_cost import OutputBasis
from batchctl.model.cost.tokens import MODALITIES, Counted, Counts, Modality, Tokens, add_usage
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.work_size import ceiling


class Learned(Struct, frozen=True):
    """Counted answers by account and model, and by job besides."""

    by_job: Mapping[tuple[str, QuotaKey], Counted] = field(default_factory=dict)
    by_model: Mapping[QuotaKey, Counted] = field(default_factory=dict)

    def find(self, job: str, key: QuotaKey) -> tuple[Counted, OutputBasis] | None:
        """The answers that are most like those of a job; None if no answer of its model was counted."""
        if (job, key) in self.by_job:
            return self.by_job[job, key], OutputBasis.JOB
        return (self.by_model[key], OutputBasis.MODEL) if key in self.by_model else None


def learn_answers(recorded: Recorded) -> Learned:
    """Learn from the collected attempts. One whose answers were not all counted teaches by those that were."""
    by_job: dict[tuple[str, QuotaKey], list[Counted]] = defaultdict(list)
    by_model: dict[QuotaKey, list[Counted]] = defaultdict(list)
    for job, attempt, counted in _counted(recorded):
        key = quota_of(attempt.account, model_of(job, attempt))
        by_job[job.name, key].append(counted)
        by_model[key].append(counted)
    return Learned(
        {key: _sum(found) for key, found in by_job.items()}, {key: _sum(found) for key, found in by_model.items()}
    )


def model_of(job: RecordedJob | None, attempt: RecordedAttempt) -> str:
    """The model that an attempt was sent to; the manifest may have another one by now."""
    change = None if attempt.sent is None else attempt.sent.sent_with
    sent = None if change is None else change.model
    return str(sent or attempt.tree.get("model") or ("" if job is None else job.row.model))


def output_for(rows: int, counted: Counted) -> int:
    """The tokens of output of so many rows, thoughts included, if they are like those that were counted."""
    tokens = counted.usage.all
    return ceiling((sum(tokens.output.values()) + tokens.thoughts) * rows, counted.rows)


def by_modality(number: int, like: Counts) -> dict[Modality, int]:
    """A number of tokens in the proportions of others; without any, all of them are text. The sum is exact."""
    total = sum(like.values()) if like else 0
    if not total:
        return {Modality.TEXT: number} if number else {}
    parts = {kind: number * share // total for kind, share in like.items() if share}
    largest = max(parts, key=lambda kind: (like[kind], kind))
    parts[largest] += number - sum(parts.values())
    return parts


def prompt_parts(tokens: Tokens) -> Counts:
    """The tokens of prompts by modality, cached ones included."""
    return {
        kind: tokens.input.get(kind, 0) + tokens.cached.get(kind, 0)
        for kind in MODALITIES
        if kind in tokens.input or kind in tokens.cached
    }


def _counted(recorded: Recorded) -> Iterator[tuple[RecordedJob, RecordedAttempt, Counted]]:
    for job, attempt in recorded.counted:
        if attempt.counted is not None and attempt.counted.rows:
            yield job, attempt, attempt.counted


def _sum(counts: Sequence[Counted]) -> Counted:
    if len(counts) == 1:
        return counts[0]
    usage = add_usage(one.usage for one in counts)
    return Counted(usage, sum(one.rows for one in counts), sum(one.uncounted for one in counts))
