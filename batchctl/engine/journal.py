"""The record as this pass changes it: an image in memory and the writes that make it durable, in one place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from batchctl.engine.image import Attempts, Image, Rows
from batchctl.model.admission import Quota, QuotaKey
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.events import Event, EventKind
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.notices import Notice
from batchctl.model.ports.state import StateSession
from batchctl.model.ports.surroundings import Clock
from batchctl.model.recorded import JobRow, Recorded, RecordedFile, RecordedJob
from batchctl.model.stack import Stack
from batchctl.model.writes import (
    AddEvent,
    DropFile,
    DropGhost,
    DropNotice,
    DropPast,
    ForgetJob,
    SaveAttempt,
    SaveFile,
    SaveGhost,
    SaveIdentity,
    SaveJob,
    SaveNotice,
    SavePast,
    SaveQuota,
    Write,
)
from batchctl.reconcile import current_record, end_notices, ghosts_of, old_ghosts, past_of, too_old


class Journal:
    """Used from the engine's own thread only. What was `note`d is durable after the next `commit`.

    The notices of a noted attempt go into the outbox with it: they become durable together.
    """

    def __init__(self, stack: Stack, session: StateSession, recorded: Recorded, clock: Clock) -> None:
        self._stack = stack
        self._before = recorded
        self._session = session
        self._clock = clock
        self._noted: list[Write] = []
        self.durable = 0
        """How many writes are on disk, of those that this journal noted."""
        self._recorded: Recorded | None = recorded
        """See `recorded`; None: something was noted since it was asked for."""
        self._image = Image(recorded.jobs)
        self.attempts: Mapping[AttemptKey, RecordedAttempt] = Attempts(self._image)
        self.rows: Mapping[str, JobRow] = Rows(self._image)
        """The rows of the jobs, by name."""
        self._files = {(file.account, file.sha256): file for file in recorded.files}
        self._quotas = dict(recorded.quotas)
        self._ghosts = {(ghost.account, ghost.remote): ghost for ghost in recorded.ghosts}
        self._has_cleared = False
        """Whether ghosts that are too old were dropped by this journal."""
        self._past = {(past.account, past.remote): past for past in recorded.history}
        self._outbox = {(notice.id, notice.hook): notice for notice in recorded.outbox}

    @property
    def recorded(self) -> Recorded:
        """The record with all that was noted; what decides nothing about jobs is left as it was found."""
        if self._recorded is None:
            files, ghosts = tuple(self._files.values()), tuple(self._ghosts.values())
            changed = {"jobs": self._image.jobs, "files": files, "quotas": dict(self._quotas), "ghosts": ghosts}
            self._recorded = replace(self._before, **changed, history=tuple(self._past.values()))
        return self._recorded

    @property
    def new_attempts(self) -> Iterator[RecordedAttempt]:
        """The attempts that were noted and had not been recorded before."""
        return self._image.new_attempts

    @property
    def outbox(self) -> Collection[Notice]:
        return self._outbox.values()

    def current(self, job: str) -> RecordedAttempt | None:
        """The current attempt, with all that was noted; None if there is none, or the job is not recorded."""
        found = self._image.job(job)
        if found is not None and len(found.attempts) > 1:
            found = RecordedJob(found.row, tuple(sorted(found.attempts, key=lambda one: one.key)))
        return None if found is None else current_record(found)

    def count_shards(self, key: AttemptKey) -> int:
        """The number of shards of an attempt: those that are recorded, and those that its lists of rows name."""
        named = [one for one in self._image.attempts(key.job) if one.key.attempt == key.attempt]
        sent = [one.sent.shards for one in named if one.sent is not None]
        return max(len(named), *sent, 1)

    def find_file(self, account: Account, sha256: str) -> RecordedFile | None:
        return self._files.get((account, sha256))

    def find_quota(self, key: QuotaKey) -> Quota | None:
        return self._quotas.get(key)

    def note_job(self, job: JobRow) -> None:
        self._image.set_row(job)
        self._change(SaveJob(job))

    def note_attempt(self, attempt: RecordedAttempt) -> None:
        before, row = self._image.attempt(attempt.key), self._image.row(attempt.key.job)
        if before is not None and before.remote != attempt.remote:
            self._remember([before], row)
        self._image.set_attempt(attempt)
        self._change(SaveAttempt(attempt))
        for notice in end_notices(before, attempt, row, self._stack, self._clock.now()):
            self.note_news(notice)

    def note_file(self, file: RecordedFile) -> None:
        self._files[file.account, file.sha256] = file
        self._change(SaveFile(file))

    def note_file_dropped(self, file: RecordedFile) -> None:
        self._files.pop((file.account, file.sha256), None)
        self._change(DropFile(file))

    def note_quota(self, quota: Quota) -> None:
        self._quotas[quota.key] = quota
        self._change(SaveQuota(quota))

    def note_identity(self, account: Account, identity: str) -> None:
        self._noted.append(SaveIdentity(account, identity))

    def note_news(self, notice: Notice) -> None:
        """Put a notice into the outbox, unless it is or was there already."""
        if (notice.id, notice.hook) not in self._outbox:
            self.note_notice(notice)

    def note_notice(self, notice: Notice) -> None:
        """Record the delivery of a notice."""
        self._outbox[notice.id, notice.hook] = notice
        self._noted.append(SaveNotice(notice))

    def note_dropped(self, notice: Notice) -> None:
        del self._outbox[notice.id, notice.hook]
        self._noted.append(DropNotice(notice))

    def note_forgotten(self, job: str) -> None:
        """Drop a job; what was deleted of it stays known as a ghost for a while, and its times for the history."""
        self._remember(self._image.attempts(job), self._image.row(job))
        self._image.forget(job)
        self._change(ForgetJob(job))

    def _change(self, write: Write) -> None:
        """Note the write of something that `recorded` has."""
        self._recorded = None
        self._noted.append(write)

    def _remember(self, attempts: Collection[RecordedAttempt], row: JobRow | None) -> None:
        """Note the ghosts and the times that forgotten attempts leave behind."""
        for past in past_of(attempts, "" if row is None else row.model):
            self._past[past.account, past.remote] = past
            self._change(SavePast(past))
        for past in too_old(self._past.values()):
            del self._past[past.account, past.remote]
            self._change(DropPast(past))
        for ghost in ghosts_of(attempts, self._clock.now()):
            self._ghosts[ghost.account, ghost.remote] = ghost
            self._change(SaveGhost(ghost))
            self._clear_ghosts()

    def _clear_ghosts(self) -> None:
        if not self._has_cleared:
            self._has_cleared = True
            for ghost in old_ghosts(self._ghosts.values(), self._clock.now()):
                del self._ghosts[ghost.account, ghost.remote]
                self._change(DropGhost(ghost))

    def note_event(self, job: str, attempt: int | None, kind: EventKind, why: str, code: str | None = None) -> None:
        """Note an event; `code` is that of the error or of the plan's reason which `why` gives in words."""
        self._noted.append(
            AddEvent(Event(self._clock.now(), job, attempt, kind.words, why, code=None if code is None else str(code)))
        )

    @property
    def noted(self) -> int:
        """How many writes were noted in all."""
        return self.durable + len(self._noted)

    @property
    def is_durable(self) -> bool:
        """Whether everything noted is on disk."""
        return not self._noted

    def note_attempt_event(self, key: AttemptKey, kind: EventKind, why: str, code: str | None = None) -> None:
        """Note an event of one remote job: of several shards, its reason says which one."""
        shard = f"shard {key.attempt}.{key.shard}" if self.count_shards(key) > 1 else ""
        self.note_event(key.job, key.attempt, kind, ": ".join(filter(None, (shard, why))), code)

    def attempt_words(self, key: AttemptKey) -> str:
        """`attempt 2`, or `attempt 2.1` for one of several shards."""
        return f"attempt {key.attempt}.{key.shard}" if self.count_shards(key) > 1 else f"attempt {key.attempt}"

    def commit(self) -> None:
        """Make everything noted durable, in one transaction. Raises StateError."""
        if self._noted:
            self._session.commit(self._noted)
            self.durable = self.noted
            self._noted = []

    def check(self) -> None:
        """Raise StateError when another process has taken the state over."""
        self._session.check()
