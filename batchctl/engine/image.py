"""The recorded jobs as a pass changes them. Only what it changes is copied: most passes change a few of many jobs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct, field

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.recorded import JobRow, RecordedJob


class _Changed(Struct):
    """A job that the pass has changed."""

    row: JobRow | None
    """None: it was forgotten, or its row has yet to be written."""
    attempts: dict[AttemptKey, RecordedAttempt] = field(default_factory=dict)


class Image:
    """The jobs, as they were recorded and with all that was set since."""

    def __init__(self, before: Mapping[str, RecordedJob]) -> None:
        self._before = before
        self._changed: dict[str, _Changed] = {}
        self._jobs: Mapping[str, RecordedJob] | None = before
        """The present jobs; None: they were changed since these were asked for."""

    @property
    def jobs(self) -> Mapping[str, RecordedJob]:
        """The present jobs."""
        if self._jobs is None:
            jobs = dict(self._before)
            for name, job in self._changed.items():
                if job.row is None:
                    jobs.pop(name, None)
                else:
                    jobs[name] = RecordedJob(job.row, tuple(job.attempts.values()))
            self._jobs = jobs
        return self._jobs

    @property
    def names(self) -> Iterator[str]:
        """The names of all jobs that have a row or an attempt."""
        yield from (name for name in self._before if name not in self._changed)
        yield from (name for name, job in self._changed.items() if job.row is not None or job.attempts)

    @property
    def new_attempts(self) -> Iterator[RecordedAttempt]:
        """The attempts that were added."""
        for name, job in self._changed.items():
            known = {attempt.key for attempt in self._before[name].attempts} if name in self._before else ()
            yield from (attempt for key, attempt in job.attempts.items() if key not in known)

    def job(self, name: str) -> RecordedJob | None:
        """A job; None if it has no row."""
        changed = self._changed.get(name)
        if changed is None:
            return self._before.get(name)
        return None if changed.row is None else RecordedJob(changed.row, tuple(changed.attempts.values()))

    def row(self, name: str) -> JobRow | None:
        """The row of a job."""
        changed = self._changed.get(name)
        if changed is not None:
            return changed.row
        return self._before[name].row if name in self._before else None

    def attempts(self, name: str) -> Collection[RecordedAttempt]:
        """The attempts of a job, oldest first."""
        changed = self._changed.get(name)
        if changed is not None:
            return changed.attempts.values()
        return self._before[name].attempts if name in self._before else ()

    def attempt(self, key: AttemptKey) -> RecordedAttempt | None:
        """One attempt."""
        changed = self._changed.get(key.job)
        if changed is not None:
            return changed.attempts.get(key)
        return next((one for one in self.attempts(key.job) if one.key == key), None)

    def set_row(self, row: JobRow) -> None:
        """Give a job this row."""
        self._change(row.name).row = row

    def set_attempt(self, attempt: RecordedAttempt) -> None:
        """Add an attempt, or change one."""
        self._change(attempt.key.job).attempts[attempt.key] = attempt

    def forget(self, name: str) -> None:
        """Drop a job with its attempts."""
        self._change(name)
        self._changed[name] = _Changed(None)

    def _change(self, name: str) -> _Changed:
        self._jobs = None
        changed = self._changed.get(name)
        if changed is None:
            changed = _Changed(self.row(name), {attempt.key: attempt for attempt in self.attempts(name)})
            self._changed[name] = changed
        return changed


class Attempts(Mapping[AttemptKey, RecordedAttempt]):
    """All attempts of an image by their keys."""

    def __init__(self, image: Image) -> None:
        self._image = image

    def __getitem__(self, key: AttemptKey) -> RecordedAttempt:
        found = self._image.attempt(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[AttemptKey]:
        return (attempt.key for name in self._image.names for attempt in self._image.attempts(name))

    def __len__(self) -> int:
        return sum(len(self._image.attempts(name)) for name in self._image.names)


class Rows(Mapping[str, JobRow]):
    """The rows of an image by the names of their jobs."""

    def __init__(self, image: Image) -> None:
        self._image = image

    def __getitem__(self, name: str) -> JobRow:
        found = self._image.row(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._image.jobs)

    def __len__(self) -> int:
        return len(self._image.jobs)
