"""Make an attempt: prepare its input, write the intent, send the create call once, write down the answer."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import BinaryIO, NoReturn, assert_never

from msgspec import structs

from batchctl.engine.journal import Journal
from batchctl.engine.observations import Observations
from batchctl.engine.steps.admitting import Gate, NotAdmittedError
from batchctl.engine.steps.assembling import Assembler
from batchctl.engine.steps.choosing import choose_rows, expected_tokens, give_up_shard, is_lost_shard, shards_of
from batchctl.engine.steps.create_input import CreateInput, chunks, file_of
from batchctl.engine.steps.failures import failure_of
from batchctl.engine.steps.waiting import DURABLE, Steps
from batchctl.engine.tools import Tools
from batchctl.model.attempts import Intent, Operation, RecordedAttempt, Trouble
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ApiError, BatchctlError, Effect, NotFound, PermissionDenied, QuotaExceeded
from batchctl.model.events import EventKind
from batchctl.model.keys import AttemptKey, Mark, short_uid
from batchctl.model.observed import RemoteJob
from batchctl.model.plan import JobPlan
from batchctl.model.ports.inputs import EncodedFile
from batchctl.model.ports.providers import CreateRequest, Provider, Upload
from batchctl.model.ports.results import ChosenRows
from batchctl.model.recorded import RecordedFile
from batchctl.model.sources import AwaitedRows, InlineRows, LocalFile, RemoteSource, UnknownSource, UploadedFile
from batchctl.model.stack import Stack
from batchctl.model.steps import Create
from batchctl.model.work_size import rows_sent
from batchctl.reconcile import NO_FILE, Failure, after_failure, refresh

_EFFECTS = {
    Effect.NONE: EventKind.NOT_SENT,
    Effect.REFUSED: EventKind.REFUSED,
    Effect.AMBIGUOUS: EventKind.UNANSWERED,
}
"""The event of a create call that failed, by what the call may have done."""


class Creator:
    """Makes attempts. Its generators are `Steps`."""

    def __init__(self, stack: Stack, journal: Journal, observations: Observations, gate: Gate, tools: Tools) -> None:
        self._stack = stack
        self._journal = journal
        self._observations = observations
        self._gate = gate
        self._tools = tools
        self._assembler = Assembler(stack, journal, tools)
        self._is_place_checked = False
        """Whether this pass has found that results can be written."""

    def create(self, job: DesiredJob, step: Create, plan: JobPlan) -> Steps[None]:
        """Raises ApiError; an ambiguous one leaves the intent open, for the next pass to settle.

        Raises StoppedError when the process was asked to stop while the input was prepared, and NotAdmittedError when
        the API takes no further job now.
        """
        self._gate.require_open(job)
        provider = self._tools.providers.get(job.account)
        token = step.token or self._tools.token()
        mark = Mark(self._stack.name, short_uid(self._stack.uid), step.key, job.digest, token)
        if (yield from is_lost_shard(step.key, token, self._journal, self._tools)):
            yield from give_up_shard(step.key, self._journal, self._tools)
            return
        chosen = yield from self._choose(job, step, token)
        if chosen is not None and chosen.sent.sent_with is not None:
            job = job.changed_by(chosen.sent.sent_with)
        expected = expected_tokens(step.key, token, plan, self._journal)
        attempt, *others = shards_of(job, step.key, token, chosen, self._trouble(step.key, token), expected)
        # All shards in one commit: with a part of them on record, the rows of the others would never be sent.
        for shard in (attempt, *others) if others else ():
            self._journal.note_attempt(shard)
        if chosen is not None and not chosen.sent.rows:
            yield from self._assembler.assemble(job, structs.replace(attempt, trouble=None), step.rows, plan)
            return
        try:
            given = yield from self._prepare(job, mark, provider, chosen)
        except ApiError as error:
            if error.code == ErrorCode.INPUT_CHANGED:
                raise
            self._raise_failed(attempt, failure_of(Operation.UPLOAD, error), error)
        self._tools.require_running()
        # From here on the upload is kept while the job waits.
        unsent = structs.replace(attempt, input_file=file_of(given.request.source))
        self._journal.note_attempt(unsent)
        yield from self._call(job, unsent, given, provider, plan)

    def _call(
        self, job: DesiredJob, unsent: RecordedAttempt, given: CreateInput, provider: Provider, plan: JobPlan
    ) -> Steps[None]:
        """Write the intent of an attempt, make its call, and write down the answer. Raises as `create` does."""
        self._gate.require_open(job)
        attempt = structs.replace(unsent, intent=Intent(self._tools.clock.now()))
        self._journal.note_attempt(attempt)
        self._journal.note_attempt_event(attempt.key, EventKind.CREATING, plan.reason, plan.code)
        try:
            with self._gate.under_way(job):
                yield DURABLE
                self._gate.require_open(job)
                # A process that slept through its turn must not send what its successor may have sent already.
                self._journal.check()
                remote: RemoteJob = yield partial(provider.create_job, given.request)
        except NotAdmittedError as closed:
            # The API refused another job while this one waited for the disk.
            self._journal.note_attempt(unsent)
            self._journal.note_attempt_event(attempt.key, EventKind.NOT_SENT, closed.message, closed.code)
            raise
        except QuotaExceeded as error:
            refusal = self._gate.note_refused(job, error, provider.now())
            self._record_failure(attempt, failure_of(Operation.CREATE, error))
            raise refusal from error
        except ApiError as error:
            is_own_input = attempt.input_file not in (None, NO_FILE) and not isinstance(job.source, UploadedFile)
            failure = failure_of(Operation.CREATE, error, is_own_input=is_own_input)
            if given.reused is not None and isinstance(error, NotFound | PermissionDenied):
                # Most likely the upload that was to be used again is gone: not the job's fault. Upload it again.
                self._journal.note_file(structs.replace(given.reused, expire_time=self._tools.clock.now()))
            self._raise_failed(attempt, failure, error)
        self._gate.note_made(job)
        yield from self._record_success(attempt, remote, provider.now())

    def _choose(self, job: DesiredJob, step: Create, token: str) -> Steps[ChosenRows | None]:
        """The rows to send; None: all. An API error about rows that were chosen is recorded like one of an upload.

        Raises BatchctlError if they were chosen from a source of which no part can be sent any more.
        """
        before = self._journal.attempts.get(step.key)
        is_known = before is not None and before.token == token
        try:
            sent = before.sent if before is not None and is_known else None
            chosen = yield from choose_rows(
                job, step, token, sent, self._tools, checks_place=not self._is_place_checked
            )
        except ApiError as error:
            if before is not None and is_known:
                self._raise_failed(before, failure_of(Operation.UPLOAD, error), error)
            # Nothing was chosen: the next pass decides again which rows are sent.
            raise
        if chosen is not None and not is_known and (chosen.sent.listed or chosen.sent.sha256):
            self._is_place_checked = True
        if chosen is None and before is not None and is_known and before.sent is not None:
            message = f"{job.name}: a part of its rows is to be sent, and the provider has no stagingBucket any more"
            hint = (
                f"give the provider its stagingBucket again, or call the attempt off with `batchctl cancel {job.name}`"
            )
            raise BatchctlError(message, code=ErrorCode.INVALID_INPUT, hint=hint)
        return chosen

    def _record_success(self, attempt: RecordedAttempt, remote: RemoteJob, seen: datetime) -> Steps[None]:
        made = refresh(structs.replace(attempt, remote=remote.name, trouble=None), remote, seen)
        self._journal.note_attempt(made)
        self._journal.note_attempt_event(attempt.key, EventKind.CREATED, remote.name)
        yield DURABLE
        if remote.is_altered:
            self._warn_altered(attempt, remote)
        self._observations.note_made(remote)
        words = f"created {remote.name} ({self._journal.attempt_words(attempt.key)})"
        self._tools.progress.step(attempt.key.job, words, attempt.key.attempt)

    def _trouble(self, key: AttemptKey, token: str) -> Trouble | None:
        """The recorded trouble of this attempt."""
        before = self._journal.attempts.get(key)
        return before.trouble if before is not None and before.token == token else None

    def _raise_failed(self, attempt: RecordedAttempt, failure: Failure, error: ApiError) -> NoReturn:
        """Record the error, and raise it: what is tried again by itself has not failed."""
        after = self._record_failure(attempt, failure)
        is_put_off = after.trouble is not None and after.trouble.until is not None and not after.rejected
        if is_put_off or isinstance(error, QuotaExceeded):
            raise NotAdmittedError(error.message, code=error.code, hint=error.hint) from error
        raise error

    def _warn_altered(self, attempt: RecordedAttempt, remote: RemoteJob) -> None:
        """Say that the API changed what a job is known by."""
        words = f"{attempt.key.job}: {remote.name} is shown as {remote.display_name!r}, and another name was sent"
        if remote.mark is None:
            words += "; its mark cannot be read: until it can, nothing more is created on this account"
        self._tools.progress.warn(words)

    def _record_failure(self, attempt: RecordedAttempt, failure: Failure) -> RecordedAttempt:
        """Write down what a failed call may have done."""
        now = self._tools.providers.get(attempt.account).now()
        after = after_failure(attempt, failure, now)
        self._journal.note_attempt(after)
        kind = _EFFECTS[failure.effect]
        if failure.operation is Operation.UPLOAD:
            kind = EventKind.NOT_UPLOADED
        elif failure.effect is Effect.REFUSED and not after.rejected:
            kind = EventKind.REFUSED_FOR_NOW
        self._journal.note_attempt_event(attempt.key, kind, failure.message, failure.code)
        return after

    def _prepare(
        self, job: DesiredJob, mark: Mark, provider: Provider, chosen: ChosenRows | None
    ) -> Steps[CreateInput]:
        source, reused = job.source, None
        match source:
            case InlineRows():
                positions = None if chosen is None else chosen.positions
                source = self._tools.inputs.inline_rows(job, positions)
            case RemoteSource() if chosen is None:
                pass
            case LocalFile() | RemoteSource():
                file, is_reused = yield from self._upload(job, chosen, mark.key, provider)
                source, reused = UploadedFile(file.name), file if is_reused else None
            case UnknownSource():
                hint = "give the manifest a src"
                message = f"{job.name} was created manually, and its input is not known"
                raise BatchctlError(message, code=ErrorCode.INVALID_INPUT, hint=hint)
            case AwaitedRows():
                message = f"the rows of {job.name} are made from answers of {source.chain.job} that are not here yet"
                raise BatchctlError(message, code=ErrorCode.INVALID_INPUT, hint="`batchctl watch` waits for them")
            case UploadedFile():
                pass
            case _:
                assert_never(source)
        request = CreateRequest(
            mark,
            job.kind,
            job.model,
            source,
            display_name=job.display_name,
            dest=job.dest,
            labels=job.labels,
            priority=job.priority if CAPABILITIES[job.account.api].priority else 0,
            webhook=job.webhook,
            extra_body=job.extra_body,
        )
        return CreateInput(request, reused)

    def _upload(
        self, job: DesiredJob, chosen: ChosenRows | None, key: AttemptKey, provider: Provider
    ) -> Steps[tuple[RecordedFile, bool]]:
        """The uploaded form of the rows in files: an earlier upload with enough life left, else a new one."""
        with ExitStack() as held:
            encoded: EncodedFile = yield partial(self._encode, job, chosen, held)
            content, sha256 = encoded.content, encoded.sha256
            size = content.seek(0, os.SEEK_END)
            self._require_small(job, size)
            known = self._journal.find_file(job.account, sha256)
            if known is not None and self._lives_on(known, provider.now()):
                return known, True
            self._tools.require_running()
            content.seek(0)
            self._journal.check()
            name, expire_time = yield partial(self._send, job, content, size, sha256, key, provider)
        file = RecordedFile(job.account, sha256, name, expire_time)
        self._journal.note_file(file)
        rows = rows_sent(job) if chosen is None else chosen.sent.rows
        words = "1 row" if rows == 1 else f"{rows} rows"
        self._journal.note_attempt_event(key, EventKind.UPLOADED, f"{words}, {size} bytes: {name}")
        yield DURABLE
        self._tools.progress.step(job.name, f"uploaded {words} as {name}", key.attempt)
        return file, False

    def _send(
        self, job: DesiredJob, encoded: BinaryIO, size: int, sha256: str, key: AttemptKey, provider: Provider
    ) -> tuple[str, datetime | None]:
        """Upload what was prepared; on a worker."""
        with self._tools.activity.running(f"{job.name}: upload", size) as flow:
            return provider.upload_file(Upload(chunks(encoded, flow), size, sha256, f"batchctl {key}"))

    def _require_small(self, job: DesiredJob, size: int) -> None:
        """Raise BatchctlError when so many bytes are too many for one file: validation only estimates them."""
        config = self._stack.providers.get(job.provider)
        limit = ((config and config.limits) or CAPABILITIES[job.account.api].limits).file_bytes
        if size > limit:
            message = f"{job.name}: its rows, as they are sent, have {size:,} bytes, and limits.fileBytes is {limit:,}"
            hint = f"set sharding: {{maxBytes: {limit // 2}}}, and shorten rows that are larger"
            raise BatchctlError(message, code=ErrorCode.INPUT_TOO_LARGE, hint=hint)

    def _encode(self, job: DesiredJob, chosen: ChosenRows | None, held: ExitStack) -> EncodedFile:
        """Write what is uploaded to a temporary file, which is closed with `held`; on a worker."""
        positions, files = (None, ()) if chosen is None else (chosen.positions, chosen.files)
        try:
            found = self._tools.inputs.encode_file(job, positions, files)
        except OSError as error:
            message = f"cannot prepare the upload of the rows of {job.name}: {error.strerror}"
            hint = f"free space in {tempfile.gettempdir()}, or set TMPDIR to another folder"
            raise BatchctlError(message, code=ErrorCode.CANNOT_PREPARE_INPUT, hint=hint) from error
        held.enter_context(found.content)
        return found

    def _lives_on(self, file: RecordedFile, now: datetime) -> bool:
        return file.expire_time is not None and file.expire_time - now >= self._stack.limits.file_min_life
