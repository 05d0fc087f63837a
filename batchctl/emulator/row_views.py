"""The rows of jobs in the replies of control calls: what was sent, what became of it, and what was sent again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from batchctl.emulator.job_store import Job, all_jobs
from batchctl.emulator.lifecycle import Fate, State
from batchctl.emulator.row_order import processing_order
from batchctl.emulator.sent_rows import outcome_of, row_outcomes, sent_hashes
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject

_GOOD = "ok"
_UNPROCESSED = "unprocessed"
_SHOWN = 1000
"""The maximum number of rows in a list of rows that were sent again."""


def job_rows(store: Store, job: Job, settings: Settings, now: int) -> list[JsonObject]:
    """The rows of the job in input order, each with the hash of its request and its outcome."""
    outcomes = _outcomes(store, job, settings, now)
    return [
        {"hash": digest.hex(), "outcome": outcomes(position)} for position, digest in enumerate(sent_hashes(store, job))
    ]


def outcome_counts(store: Store, job: Job, settings: Settings, now: int) -> dict[str, int]:
    """The number of rows with each outcome."""
    outcomes = _outcomes(store, job, settings, now)
    return dict(sorted(Counter(outcomes(position) for position, _ in enumerate(sent_hashes(store, job))).items()))


@dataclass(slots=True)
class _History:
    """The sends of one request and their answers."""

    jobs: list[int]
    """The numbers of the jobs that it was sent to."""
    answers: int = 0
    """The number of its good answers."""
    after_answer: bool = False
    """Whether it was sent again although it has a good answer from an earlier job."""


def all_rows(store: Store, settings: Settings, now: int) -> JsonObject:
    """The counts of the rows of all jobs, and the rows that were sent again although they have a good answer."""
    histories: dict[tuple[str, str, bytes], _History] = {}
    sent = 0
    for number, job in enumerate(all_jobs(store), 1):
        outcomes = _outcomes(store, job, settings, now)
        for position, digest in enumerate(sent_hashes(store, job)):
            sent += 1
            history = histories.setdefault((job.api, job.model, digest), _History([]))
            history.jobs.append(number)
            history.after_answer |= history.answers > 0
            history.answers += outcomes(position) == _GOOD
    again = [(key[2], history) for key, history in histories.items() if history.after_answer]
    return {
        "sent": sent,
        "distinct": len(histories),
        "answered": sum(history.answers > 0 for history in histories.values()),
        "sentAfterAnswer": len(again),
        "rows": [{"hash": digest.hex(), "jobs": history.jobs} for digest, history in again[:_SHOWN]],
    }


def _outcomes(store: Store, job: Job, settings: Settings, now: int) -> Callable[[int], str]:
    """The outcome of the row at a position, as far as the job has come."""
    given = {position: _label(text) for position, text in row_outcomes(store, job).items()}
    processed = _processed(job, settings, now)

    def outcome(position: int) -> str:
        return given.get(position, _GOOD) if position in processed else _UNPROCESSED

    return outcome


def _processed(job: Job, settings: Settings, now: int) -> range | frozenset[int]:
    """The positions of the rows whose results the job has."""
    progress = job.progress(settings, now)
    is_lost = progress.state is State.FAILED and job.course.fate in {Fate.FAIL, Fate.FAIL_EXPORT}
    if not progress.done or is_lost:
        return range(0)
    whole = job.request_count if progress.state is State.SUCCEEDED else 0
    served = whole if job.served is None else job.served
    if job.course.shuffle is None:
        return range(served)
    return frozenset(islice(_order(job), served))


def _order(job: Job) -> Iterator[int]:
    return processing_order(job.request_count, job.course.shuffle)


def _label(text: str) -> str:
    """The outcome in words: `ok`, `error 14`, `MAX_TOKENS`, or `response` for a response that a rule gives."""
    outcome = outcome_of(text)
    if "error" in outcome:
        return f"error {outcome['error']['code']}"
    reason = outcome.get("finishReason", "response")
    return _GOOD if reason == "STOP" else reason
