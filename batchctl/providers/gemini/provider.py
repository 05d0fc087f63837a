"""The provider for the Gemini Developer API: one method per call, which connects the modules of this package.

Decides nothing about jobs. Reads, cancels and deletes are retried; a create call is sent exactly once.
Source: reference 1.1-1.6, 2, 8.1.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from typing import BinaryIO

from msgspec.structs import replace

from batchctl.model.answer_lines import AnswerLines
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, ApiStatus, BadReply, BadRequest, NotFound, PermissionDenied
from batchctl.model.json_value import Json
from batchctl.model.keys import Account, short_uid
from batchctl.model.observed import RemoteJob
from batchctl.model.pieces import Pieces
from batchctl.model.ports.inputs import InputRow, SourceFile
from batchctl.model.ports.providers import CreateRequest, Fact, FileUse, Provider, ResultItem, Upload
from batchctl.model.sources import RemoteSource
from batchctl.model.stack import Limits
from batchctl.model.states import GOOD_STATES, is_terminal
from batchctl.providers.credentials import ApiKey
from batchctl.providers.gemini.batch_operations import JOB_FIELDS, LIST_FIELDS, read_operation, remote_job
from batchctl.providers.gemini.create import create_body, create_method, marked_name
from batchctl.providers.gemini.resource_paths import job_path, model_path
from batchctl.providers.gemini.results import Outline, inline_rows, result_item, spool
from batchctl.providers.gemini.uploaded_files import Uploads
from batchctl.providers.http.calls import Call, Reply, Timeouts, transfer
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.job_lists import JobLists
from batchctl.providers.reply_times import ServerClock
from batchctl.providers.result_lines import ResultLines
from batchctl.providers.results_lag import may_still_appear
from batchctl.providers.retry import Retry, is_transient
from batchctl.providers.token_counts import count_call, counted_tokens
from batchctl.providers.unexpected_replies import require_done
from batchctl.providers.wire import Owner, Place, Wire

_INLINE_LIMIT = 4 * 2**30
"""Bytes of a job with inline rows, stored on disk; 1.2 GB were observed, and the rows may appear twice."""
_DOWNLOAD_LIMIT = 2**40
"""Bytes of a result file. It is streamed, so the limit only stops an endless reply."""
_RESULTS_FIELDS = "name,done,metadata(state,endTime,output)"
_NOT_READY = ErrorCode.RESULTS_NOT_READY
_LIST = "batches.list"
_JOBS = "operations"
"""The member of a page of a list that holds the jobs."""


class GeminiProvider:
    """One account on the Gemini Developer API, accessed with one API key."""

    def __init__(
        self,
        account: Account,
        identity: str,
        endpoint: Endpoint,
        retry: Retry,
        uploads: Uploads,
        limits: Limits,
    ) -> None:
        self._account = account
        self._identity = identity
        self._endpoint = endpoint
        self._retry = retry
        self._transfer = transfer(retry.total)
        self._uploads = uploads
        self._create_timeout = limits.create_timeout.total_seconds()
        self._display_name_limit = limits.display_name
        self._line_limit = limits.line_bytes
        self._lists = JobLists(_JOBS, _LIST, lambda entry: remote_job(entry, account, _LIST), retry)

    def __repr__(self) -> str:
        return f"GeminiProvider({self._account})"

    @property
    def account(self) -> Account:
        return self._account

    @property
    def identity(self) -> str:
        """The key's fingerprint: the visible jobs depend on the key alone."""
        return self._identity

    @property
    def lists_foreign(self) -> bool:
        return True

    def now(self) -> datetime:
        return self._endpoint.clock.now()

    def confirm_clock(self) -> bool:
        clock = self._endpoint.clock
        if clock.is_in_doubt:
            self._read(Call(_LIST, "GET", "/batches", params={"pageSize": "1", "fields": LIST_FIELDS}))
        return not clock.is_in_doubt

    def close(self) -> None:
        self._endpoint.close()

    def facts(self) -> Sequence[Fact]:
        return self._endpoint.facts()

    def list_jobs(self, *, foreign: bool = False) -> Iterator[RemoteJob]:  # noqa: ARG002  nothing else can be asked for
        """All jobs of the account, newest first as the API sorts them today.

        A job that moves to the next page during the listing is given once.
        """

        def call(page: Mapping[str, str]) -> Reply:
            return self._endpoint.call(Call(_LIST, "GET", "/batches", params={**page, "fields": LIST_FIELDS}))

        return self._lists.read(call)

    def calls_of_list(self, jobs: int) -> int:
        return self._lists.calls(jobs)

    def get_job(self, name: str) -> RemoteJob:
        what = "batches.get"
        call = Call(
            what, "GET", job_path(name), params={"fields": JOB_FIELDS}, timeouts=self._transfer, limit=_INLINE_LIMIT
        )
        with closing(self._retry.run(lambda: self._spooled(call))) as body:
            job = remote_job(read_operation(body, what), self._account, what)
        if job.name != name:
            raise BadReply(f"{what}: asked for {name}, got {job.name}")
        return job

    def count_tokens(self, model: str, request: Mapping[str, Json]) -> int | None:
        name = model.removeprefix("models/")
        if "/" in name:
            return None  # only models that Google publishes
        body = {"generateContentRequest": {**request, "model": f"models/{name}"}}
        return counted_tokens(self._read(count_call(model_path(name, ":countTokens"), body)))

    def create_job(self, request: CreateRequest) -> RemoteJob:
        limits = Timeouts(
            connect=min(10.0, self._create_timeout), read=self._create_timeout, total=self._create_timeout
        )
        what = "batches.create"
        call = Call(
            what,
            "POST",
            model_path(request.model, create_method(request.kind)),
            body=create_body(request, self._display_name_limit),
            timeouts=limits,
        )
        job = remote_job(self._endpoint.call(call).json_object(), self._account, what)
        if job.mark is not None and job.mark.token != request.mark.token:
            raise BadReply(f"{what}: asked for {request.mark}, got {job.mark}")
        sent = marked_name(request.display_name, request.mark, self._display_name_limit)
        return replace(job, is_altered=job.display_name != sent)

    def cancel_job(self, name: str) -> None:
        self._do(Call("batches.cancel", "POST", job_path(name, ":cancel")))

    def delete_job(self, name: str) -> None:
        """Delete the remote job. Raises NotFound, even if an earlier attempt succeeded and only its reply was lost."""
        self._do(Call("batches.delete", "DELETE", job_path(name)))

    def upload_file(self, upload: Upload) -> tuple[str, datetime | None]:
        """Upload JSONL. Raises ApiError, with code `InputChanged` when the content does not have `size` bytes."""
        return self._uploads.put(upload)

    def delete_file(self, name: str) -> None:
        self._uploads.delete(name)

    def uploads(self) -> FileUse | None:
        return self._uploads.use()

    def find_input(self, source: RemoteSource) -> None:  # noqa: ARG002  no such source exists here
        return None

    def read_input(self, files: Sequence[SourceFile]) -> Generator[InputRow]:  # noqa: ARG002  see above
        yield from ()

    def read_results(self, name: str) -> Iterator[ResultItem]:
        """The rows of an ended job.

        Raises ApiError with code `ResultsNotReady` when they are not available yet, and `ResultsGone` when they are
        missing although the job ended long ago.
        """
        return self._endpoint.cleaned(Pieces(self._read_results(name)))

    def _read_results(self, name: str) -> Iterator[Iterable[ResultItem]]:
        path = job_path(name)
        outline = Outline()
        yield from self._inline(path, _RESULTS_FIELDS, outline)
        if is_terminal(outline.state):
            if outline.state in GOOD_STATES and not (outline.rows_seen or outline.file):
                # Results appear in `response` too; some replies may have them only there.
                yield from self._inline(path, "response", outline)
            if outline.file is not None and not outline.rows_seen:
                yield from self._download(outline.file, outline)
        if not is_terminal(outline.state) or (outline.state in GOOD_STATES and not outline.rows_seen):
            code, hint = self._why_missing(outline)
            raise ApiError(f"batches.get: {name} is {outline.state} and has no results", code=code, hint=hint)

    def _inline(self, path: str, fields: str, outline: Outline) -> Iterator[Iterable[ResultItem]]:
        what = "batches.get"
        call = Call(what, "GET", path, params={"fields": fields}, timeouts=self._transfer, limit=_INLINE_LIMIT)
        with closing(self._retry.run(lambda: self._spooled(call), is_transfer=True)) as body:
            yield inline_rows(body, outline, what, self._line_limit)

    def _spooled(self, call: Call) -> BinaryIO:
        with self._endpoint.stream(call) as (_, chunks):
            return spool(chunks)

    def _download(self, file: str, outline: Outline) -> Iterator[Iterable[ResultItem]]:
        what = "files.download"
        call = Call(
            what, "GET", f"/{file}:download", params={"alt": "media"}, timeouts=self._transfer, limit=_DOWNLOAD_LIMIT
        )
        code, hint = self._why_missing(outline)
        missing = (BadRequest, NotFound, PermissionDenied)

        def may_repeat(error: ApiError) -> bool:
            return is_transient(error) or (code == _NOT_READY and isinstance(error, missing))

        with ExitStack() as opened:
            try:
                # Rows are handed out from this point, so only opening the stream may be retried.
                _, chunks = self._retry.run(
                    lambda: opened.enter_context(self._endpoint.stream(call)), may_repeat, is_transfer=True
                )
            except missing as error:
                raise _recoded(error, code, hint) from error
            lines = ResultLines(what, result_item, lambda size: self._ends_at(call, size), has_answer_lines=True)
            for piece in lines.read(chunks, self._line_limit):
                yield piece if isinstance(piece, AnswerLines) else _noting(piece, outline)
                outline.rows_seen |= isinstance(piece, AnswerLines)

    def _ends_at(self, call: Call, size: int) -> bool:
        """Whether a body that seems truncated has the same size on a second download."""
        with self._endpoint.stream(call) as (_, chunks):
            return sum(map(len, chunks)) == size

    def _why_missing(self, outline: Outline) -> tuple[str, str]:
        """Code and hint for missing results: they may still appear, or they have expired (reference 2.3, 8.1)."""
        if may_still_appear(outline.end_time, self.now()):
            return _NOT_READY, "results can lag behind the job's end: run the command again in a few minutes"
        return (
            ErrorCode.RESULTS_GONE,
            "result files expire after about 48 hours; also check that the key belongs to the job's project",
        )

    def _do(self, call: Call) -> None:
        """Make a call whose reply only confirms it: `{}` or an empty body."""
        require_done(self._retry.run(lambda: self._endpoint.call(call)))

    def _read(self, call: Call) -> dict[str, object]:
        return self._retry.run(lambda: self._endpoint.call(call).json_object())


def _noting(rows: Iterable[ResultItem], outline: Outline) -> Iterator[ResultItem]:
    for row in rows:
        outline.rows_seen = True
        yield row


def _recoded(error: ApiStatus, code: str, hint: str) -> ApiStatus:
    return type(error)(error.message, http=error.http, status=error.status, code=code, hint=hint, details=error.details)


def open_gemini(account: Account, place: Place, owner: Owner, wire: Wire, *, api_key: str) -> Provider:
    """Open the account for a stack. Raises BatchctlError when the text cannot be an API key."""
    key = ApiKey(api_key)
    endpoint = Endpoint(
        place.base_url,
        key,
        ServerClock(wire.clock),
        wire.transport,
        root=f"/{place.api_version}",
        activity=wire.activity,
    )
    retry = wire.retry(owner.limits)
    uploads = Uploads(endpoint, retry, short_uid(owner.uid), owner.limits.file_min_life)
    return GeminiProvider(account, key.fingerprint, endpoint, retry, uploads, owner.limits)
