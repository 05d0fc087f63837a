"""The record as this pass changes it: an image in memory and the writes that make it durable, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from batchctl.model.keys import Account, AttemptKey
from batchctl.model.ports import Clock, StateSession
from batchctl.model.recorded import (
    AddEvent,
    Event,
    ForgetJob,
    Recorded,
    RecordedAttempt,
    RecordedFile,
    RecordedJob,
    SaveAttempt,
    SaveFile,
    SaveJob,
    Write,
)


class Journal:
    """Used from the engine's own thread only. What was `note`d is durable after the next `commit`."""

    def __init__(self, session: StateSession, recorded: Recorded, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._noted: list[Write] = []
        self._jobs: dict[str, RecordedJob] = dict(recorded.jobs)
        self._attempts = {attempt.key: attempt for job in recorded.jobs.values() for attempt in job.attempts}
        self._files = {(file.account, file.sha256): file for file in recorded.files}

    @property
    def attempts(self) -> Mapping[AttemptKey, RecordedAttempt]:
        return self._attempts

    @property
    def jobs(self) -> Mapping[str, RecordedJob]:
        """The jobs' own rows; their attempts are in `attempts`."""
        return self._jobs

    def current(self, job: str) -> RecordedAttempt | None:
        """The attempt that counts, as it stands now; None when there is none, or the job is not recorded."""
        row = self._jobs.get(job)
        return self._attempts.get(AttemptKey(job, row.current)) if row is not None else None

    def find_file(self, account: Account, sha256: str) -> RecordedFile | None:
        return self._files.get((account, sha256))

    def note_job(self, job: RecordedJob) -> None:
        self._jobs[job.name] = replace(job, attempts=())
        self._noted.append(SaveJob(job))

    def note_attempt(self, attempt: RecordedAttempt) -> None:
        self._attempts[attempt.key] = attempt
        self._noted.append(SaveAttempt(attempt))

    def note_file(self, file: RecordedFile) -> None:
        self._files[file.account, file.sha256] = file
        self._noted.append(SaveFile(file))

    def note_forgotten(self, job: str) -> None:
        self._jobs.pop(job, None)
        self._attempts = {key: attempt for key, attempt in self._attempts.items() if key.job != job}
        self._noted.append(ForgetJob(job))

    def note_event(self, job: str, attempt: int | None, what: str, why: str) -> None:
        self._noted.append(AddEvent(Event(self._clock.now(), job, attempt, what, why)))

    def commit(self) -> None:
        """Make everything noted durable, in one transaction. Raises StateError."""
        if self._noted:
            self._session.commit(self._noted)
            self._noted = []

    def check(self) -> None:
        """Raise StateError when another process has taken the state over."""
        self._session.check()
