"""The ledger of a job: which of its rows have a good answer, and which rows a new attempt sends.

Implements RowLedger. The rule that chooses rows is `RowChoice`; this module applies it to each row of the input.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from batchctl.disk.safe_open import is_there
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.ports.inputs import InputEncoder, InputRow
from batchctl.model.ports.results import ChosenRows, Collected, OtherShard
from batchctl.model.row_work import RowChoice, RowsSent, RowsToSend, RowWork
from batchctl.model.rows_left import RowsLeft
from batchctl.model.sources import InlineRows
from batchctl.model.states import JobState
from batchctl.model.work_size import is_divisible
from batchctl.rows.choosing import Choosing
from batchctl.rows.collection import merged_rows, rows_facts
from batchctl.rows.cutting import Cutter
from batchctl.rows.files import LOCAL, Files
from batchctl.rows.folder import (
    MANIFEST_FORMAT,
    RESULTS_FILE,
    folder_name,
    free_folder,
    job_folder,
    new_folder,
    open_job_folder,
    results_errors,
)
from batchctl.rows.input_list import listed_rows
from batchctl.rows.kept import FAULTS, REUSED_FROM, read_manifest, write_manifest
from batchctl.rows.ledger_index import LedgerIndex
from batchctl.rows.left_rows import find_left
from batchctl.rows.merging import merge
from batchctl.rows.new_list import NewList, keep_list
from batchctl.rows.ordered_rows import NAMED, count_ordered, name_of
from batchctl.rows.segments import Segments, Signature, Wanted, read_segments, sign_ledgers
from batchctl.rows.sent_list import SentList, find_list, read_sent
from batchctl.rows.source_rows import Compared, SourceRows, rows_of
from batchctl.rows.whole_input import WholeInput

_QUICK_BYTES = 16 * 1024
"""Of rows that are chosen faster than they could be handed to another thread."""


class ResultsLedger:
    """Implements RowLedger below one results folder. `uid` is the short uid of the stack."""

    def __init__(self, root: Path, uid: str, inputs: InputEncoder, files: Files = LOCAL) -> None:
        self._root = root
        self._files = files
        self._uid = uid
        self._inputs = inputs
        self._compared: dict[str, Compared] = {}
        self._surveys: dict[str, tuple[tuple[str, RowChoice, Signature], RowWork]] = {}

    def survey(self, job: DesiredJob, choice: RowChoice) -> RowWork | None:
        try:
            signature = self._sign(job.name, choice)
            known = self._surveys.get(job.name)
            asked = (job.digest, choice, signature)
            if known is not None and known[0] == asked:
                return known[1]
            rows = self._known_rows(job) if signature else None
            if rows is None:
                return None
            segments = self._segments(job.name, choice)
            index = LedgerIndex(segments.found, choice.accept)
            found = _survey(rows, index, choice, segments.damaged)
            if choice.order is not None:
                ordered = count_ordered(partial(self._merged_rows, job), index, choice.order)
                found = replace(found, ordered=ordered)
        except ResultsError:
            # What cannot be read now is met again, with its error, where something depends on it.
            return None
        self._surveys[job.name] = asked, found
        return found

    def choose(
        self,
        job: DesiredJob,
        key: AttemptKey,
        token: str,
        choice: RowChoice,
        new_token: Callable[[], str],
        before: RowsSent | None = None,
        *,
        checks_place: bool = True,
    ) -> ChosenRows:
        # Of a job without a folder nothing is read; what is written looks the path up by itself.
        is_new = not self._has_folder(job.name)
        with (
            nullcontext() if is_new else open_job_folder(self._root, job.name) as folder,
            SourceRows(self._root, job, self._inputs, self._compared) as source,
        ):
            has_files = folder is not None and is_there(folder)
            known = find_list(self._root, key, job.digest, token, before) if has_files or before is not None else None
            if known is not None:
                source.check_same()
                facts = before if before is not None and before.listed else known.facts("")
                return ChosenRows(facts, _positions(known, source), files=source.files)
            segments = self._segments(job.name, choice) if has_files else Segments()
            index = LedgerIndex(segments.found, choice.accept)
            is_renewed = choice.which is RowsToSend.ALL
            read = partial(source.rows, is_renewed=is_renewed)
            rows = Choosing(read, index, choice, is_split=job.sharding.is_asked)
            cutter = rows.cut(lambda: source.enter_context(closing(Cutter(job.sharding, choice, new_token, token))))
            source.keep(is_renewed=is_renewed)
            shards = list(cutter.finish(rows.total, is_canary=rows.sent < rows.distinct))
            if not rows.sent:
                return ChosenRows(RowsSent(0, rows.total, ""), (), segments.damaged, files=source.files)
            if source.files and len(shards) == 1 and shards[0].is_whole and not choice.selects:
                # Nothing is gained by a copy of the source. Its results have no marks, so no list is written.
                return ChosenRows(shards[0].facts(""), None, segments.damaged, files=source.files)
            written = []
            for shard, sent in enumerate(shards):
                own = replace(key, shard=shard)
                kept = keep_list(self._root, own, job.digest, sent, checks_place=checks_place)
                written.append(OtherShard(own, sent.token, kept))
            positions = _positions(shards[0], source)
            return ChosenRows(written[0].sent, positions, segments.damaged, tuple(written[1:]), source.files)

    def is_quick(self, job: DesiredJob) -> bool:
        is_small = isinstance(job.source, InlineRows) and (job.input_bytes or 0) <= _QUICK_BYTES
        return is_small and not self._has_folder(job.name)

    def has_list(self, key: AttemptKey, digest: str, token: str) -> bool:
        return read_sent(self._root, key, digest, token) is not None

    def assemble(
        self, job: DesiredJob, key: AttemptKey, marks: Mapping[str, Json], choice: RowChoice, state: str | None = None
    ) -> tuple[str, Collected]:
        segments = self._segments(job.name, choice)
        index = LedgerIndex(segments.found, choice.accept)
        folder = job_folder(self._root, job.name)
        with results_errors(folder), tempfile.TemporaryFile() as aside:
            whole = WholeInput(aside)
            for row in self._merged_rows(job):
                whole.add(row)
            target = free_folder(folder, folder_name(key, job.digest), _is_assembled)
            path = f"{job.name}/{target.name}"
            with new_folder(target) as part:
                merged = merge(part / RESULTS_FILE, whole.rows(), index, key.attempt)
                collected = merged_rows(path, merged)
                write_manifest(part, _facts(job, key, marks, collected, merged.sha256, part, state))
        return path, collected

    def left(
        self, job: DesiredJob, choice: RowChoice, under_way: Iterable[RecordedAttempt], *, follows: bool
    ) -> RowsLeft | None:
        rows = self._known_rows(job)
        if rows is None or not self._sign(job.name, choice):
            return None
        lists = (find_list(self._root, one.key, one.digest, one.token, one.sent) for one in under_way)
        sent = {one.fingerprint(number) for one in lists if one is not None for number in range(len(one))}
        index = LedgerIndex(self._segments(job.name, choice).found, choice.accept)
        with results_errors(job_folder(self._root, job.name)):
            return find_left(rows, index, choice, sent, follows=follows)

    def _has_folder(self, job: str) -> bool:
        """Whether anything has the name of a job's folder, as far as the way there can be searched."""
        return os.path.lexists(f"{self._root}/{job}")

    def _sign(self, job: str, choice: RowChoice) -> Signature:
        return sign_ledgers(self._root, job, self._wanted(choice))

    def _segments(self, job: str, choice: RowChoice) -> Segments:
        return read_segments(self._root, job, self._wanted(choice), self._files)

    def _wanted(self, choice: RowChoice) -> Wanted:
        return Wanted(self._uid, choice.since)

    def _known_rows(self, job: DesiredJob) -> Iterable[InputRow] | None:
        """The rows of a job, without a read of Cloud Storage; None if they are not known."""
        if not is_divisible(job):
            return self._inputs.rows(job)
        return listed_rows(self._root, job.name, job.digest)

    def _merged_rows(self, job: DesiredJob) -> Iterable[InputRow]:
        """The rows of which results are merged: at Cloud Storage, those that were sent, whatever is there now."""
        return self._known_rows(job) or rows_of(job, self._inputs)


def _positions(sent: SentList | NewList, source: SourceRows) -> Sequence[int] | None:
    """The positions to send; None: all rows. Rows at Cloud Storage that have a list are sent by their positions."""
    return None if sent.is_whole and not source.files else sent.places


def _survey(rows: Iterable[InputRow], index: LedgerIndex, choice: RowChoice, damaged: tuple[str, ...]) -> RowWork:
    """The rows that are sent without an order of a person."""
    choice = replace(choice, order=None)
    total = answered = to_send = retried = retryable = 0
    seen, first, fallbacks = set[bytes](), list[str](), [0] * len(choice.fallbacks)
    for position, row in enumerate(rows):
        total += 1
        history = index.history(row.fingerprint)
        is_answered = history is not None and history.is_good
        answered += is_answered
        if row.fingerprint in seen:
            continue
        seen.add(row.fingerprint)
        name = name_of(row, position)
        if is_answered or not choice.sends(history, name):
            continue
        to_send += 1
        retried += history is not None and history.tries > 0
        retryable += choice.may_pass(history)
        fallback = choice.next_fallback(history)
        if fallback is not None:
            fallbacks[fallback] += 1
        if len(first) < NAMED:
            first.append(name)
    repeated = total - len(seen)
    counts = (total, answered, to_send, retried, retryable, repeated)
    return RowWork(*counts, tuple(first), damaged, fallbacks=tuple(fallbacks))


def _is_assembled(folder: Path) -> bool:
    try:
        found = read_manifest(folder)
        return found["remote"] is None and found[REUSED_FROM]["path"] is None
    except FAULTS:
        return False  # not a folder of ours, or damaged: never written into


def _facts(
    job: DesiredJob,
    key: AttemptKey,
    marks: Mapping[str, Json],
    collected: Collected,
    sha256: str,
    part: Path,
    state: str | None,
) -> dict[str, Json]:
    """The manifest of results that were not bought: they are the answers of earlier attempts, or of all shards."""
    rest = JobState.PARTIALLY_SUCCEEDED if collected.failed or collected.missing else JobState.SUCCEEDED
    return {
        "format": MANIFEST_FORMAT,
        "job": key.job,
        "attempt": key.attempt,
        "shard": key.shard,
        "digest": job.digest,
        "account": str(job.account),
        "remote": None,
        "displayName": "",
        "model": job.model,
        "state": state or rest.value,
        "createTime": None,
        "startTime": None,
        "endTime": None,
        "marks": dict(marks),
        "rows": rows_facts(collected),
        "tokens": None,
        REUSED_FROM: {"path": None, "job": key.job, "attempt": None, "remote": None},
        "sha256": sha256,
        "bytes": (part / RESULTS_FILE).stat().st_size,
    }
