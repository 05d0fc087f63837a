"""Collects into a bucket: the work is that of a results folder, between two steps that bring and keep its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import InputEncoder, KnownInput
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.results import ChosenRows, Collected, CollectOptions
from batchctl.model.row_work import RowChoice, RowsSent, RowWork
from batchctl.model.rows_left import RowsLeft
from batchctl.rows.bucket import wants
from batchctl.rows.bucket.mirror import Mirror
from batchctl.rows.bucket.sources import bring_with_sources
from batchctl.rows.files import Files
from batchctl.rows.ledger import ResultsLedger
from batchctl.rows.results import ResultsFolder
from batchctl.rows.sent_list import FOLDER as SENT

_STANDARD = CollectOptions()


class BucketResults:
    """Implements ResultStore. A method returns when the bucket has what it wrote."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._folder = ResultsFolder(mirror.root)

    def collect(
        self,
        key: AttemptKey,
        digest: str,
        remote: RemoteJob,
        items: Iterable[ResultItem],
        known: KnownInput | None,
        marks: Mapping[str, Json],
        options: CollectOptions = _STANDARD,
    ) -> Collected:
        bring_with_sources(self._mirror, key.job, wants.answers)
        found = self._folder.collect(key, digest, remote, items, known, marks, options)
        # The list of an input at Cloud Storage is among the lists.
        name = _name_of(found.path)
        self._mirror.keep(key.job, SENT, name, current=name if options.is_current(found) else None)
        return found

    def reuse(self, key: AttemptKey, digest: str, source: str, marks: Mapping[str, Json]) -> str:
        job, _, name = source.partition("/")
        self._mirror.bring(key.job, wants.facts)
        self._mirror.bring(job, wants.in_folder(name))
        path = self._folder.reuse(key, digest, source, marks)
        self._mirror.keep(key.job, _name_of(path))
        self._mirror.drop(job, wants.bulky)
        return path

    def point_current(self, job: str, path: str) -> None:
        self._mirror.point(job, _name_of(path))
        # Nothing is merged with the answers of a job that has succeeded, unless its rows are ordered again.
        self._mirror.drop(job, wants.bulky)

    def rename_job(self, job: str, to: str) -> bool:
        return self._mirror.rename(job, to)


class BucketLedger:
    """Implements RowLedger. A list of rows in a file is in the bucket before its create call."""

    def __init__(self, mirror: Mirror, uid: str, inputs: InputEncoder, files: Files) -> None:
        self._mirror = mirror
        self._ledger = ResultsLedger(mirror.root, uid, inputs, files)

    def survey(self, job: DesiredJob, choice: RowChoice) -> RowWork | None:
        try:
            self._bring_facts(job.name)
        except ResultsError:
            # What cannot be read now is met again, with its error, where something depends on it.
            return None
        return self._ledger.survey(job, choice)

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
        self._bring_facts(job.name)
        found = self._ledger.choose(job, key, token, choice, new_token, before, checks_place=checks_place)
        self._mirror.keep(job.name, SENT)
        if found.sent.rows:
            # A short list is in the record, so no file has shown that the bucket can keep the results.
            self._mirror.indexes.probe()
        return found

    def is_quick(self, job: DesiredJob) -> bool:  # noqa: ARG002  the bucket is asked for each
        return False

    def has_list(self, key: AttemptKey, digest: str, token: str) -> bool:
        self._mirror.bring(key.job, wants.facts)
        return self._ledger.has_list(key, digest, token)

    def assemble(
        self, job: DesiredJob, key: AttemptKey, marks: Mapping[str, Json], choice: RowChoice, state: str | None = None
    ) -> tuple[str, Collected]:
        bring_with_sources(self._mirror, job.name, wants.answers)
        path, found = self._ledger.assemble(job, key, marks, choice, state)
        self._mirror.keep(job.name, SENT, _name_of(path))
        return path, found

    def left(
        self, job: DesiredJob, choice: RowChoice, under_way: Iterable[RecordedAttempt], *, follows: bool
    ) -> RowsLeft | None:
        self._bring_facts(job.name)
        return self._ledger.left(job, choice, under_way, follows=follows)

    def _bring_facts(self, job: str) -> None:
        bring_with_sources(self._mirror, job, lambda _index: wants.facts)


def _name_of(path: str) -> str:
    """The name of the folder in a path such as `job/abababab-1`."""
    return Path(path).name
