"""The provider for Vertex AI: one method per call, which connects the modules of this package.

Decides nothing about jobs. Reads, cancels and deletes are retried; a create call is sent exactly once.
Source: reference 3, 4, 6.2-6.4, chapter 9.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.allowance import Allowance
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, BadReply, BatchctlError
from batchctl.model.json_value import Json
from batchctl.model.keys import Account, short_uid
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import InputRow, SourceFile
from batchctl.model.ports.providers import CreateRequest, Fact, FileUse, Provider, ResultItem, Upload
from batchctl.model.sources import RemoteSource
from batchctl.model.stack import Limits
from batchctl.model.states import is_terminal
from batchctl.providers import error_hints
from batchctl.providers.cloud.bigquery import BigQuery
from batchctl.providers.cloud.storage import Storage
from batchctl.providers.credentials import Credentials
from batchctl.providers.http.call_changes import LearnedChanges
from batchctl.providers.http.calls import Call, Reply, Timeouts
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.job_lists import JobLists
from batchctl.providers.key_locks import KeyLocks
from batchctl.providers.reply_times import ServerClock
from batchctl.providers.retry import Retry
from batchctl.providers.token_counts import count_call, counted_tokens
from batchctl.providers.unexpected_replies import require_done
from batchctl.providers.untrusted_text import as_object, capped
from batchctl.providers.vertex.create import create_body, job_name
from batchctl.providers.vertex.input import find_input, read_input
from batchctl.providers.vertex.mark_labels import label_filter, own_labels
from batchctl.providers.vertex.operations import wait_for_operation
from batchctl.providers.vertex.output import read_output
from batchctl.providers.vertex.prediction_jobs import READ_MASK, remote_job
from batchctl.providers.vertex.resource_names import count_path, job_path, jobs_path, own_job, read_job_name
from batchctl.providers.vertex.staging import Staging
from batchctl.providers.wire import Owner, Place, Wire

_JOBS = "batchPredictionJobs"
"""The member of a page of a list that holds the jobs."""
_LIST, _GET, _CREATE, _CANCEL, _DELETE = (
    f"batchPredictionJobs.{method}" for method in ("list", "get", "create", "cancel", "delete")
)
_COUNTED = ("contents", "systemInstruction", "tools", "generationConfig")
"""The members of a request that `countTokens` accepts."""
_NO_STAGING = "none: local files cannot be sent; set the provider's stagingBucket to gs://bucket/prefix/"


class Services(Struct, frozen=True):
    """Clients of the three services behind the provider."""

    jobs: Endpoint
    storage: Endpoint
    bigquery: Endpoint
    on_emulator: bool = False

    def close(self) -> None:
        """Close the connections to all services."""
        for one in (self.jobs, self.storage, self.bigquery):
            one.close()


class VertexProvider:
    """One project and location on Vertex AI, for one stack."""

    def __init__(
        self,
        account: Account,
        own: Mapping[str, str],
        services: Services,
        retry: Retry,
        staging: Staging | None,
        limits: Limits,
    ) -> None:
        self._account = account
        self._own = own
        self._stack_jobs = label_filter(own)
        self._services = services
        self._endpoint = services.jobs
        self._retry = retry
        self._storage = Storage(services.storage, retry, on_emulator=services.on_emulator)
        self._bigquery = BigQuery(services.bigquery, retry)
        self._staging = staging
        self._create_timeout = limits.create_timeout.total_seconds()
        self._display_name_limit = limits.display_name
        self._line_limit = limits.line_bytes
        self._own_jobs = JobLists(_JOBS, _LIST, self._own_job, retry)
        self._all_jobs = JobLists(_JOBS, _LIST, lambda entry: remote_job(entry, account, _LIST), retry)

    def __repr__(self) -> str:
        return f"VertexProvider({self._account})"

    @property
    def account(self) -> Account:
        return self._account

    @property
    def identity(self) -> str:
        """Empty: the account names project and location, so other credentials show the same jobs."""
        return ""

    @property
    def lists_foreign(self) -> bool:
        return False

    def now(self) -> datetime:
        return self._endpoint.clock.now()

    def confirm_clock(self) -> bool:
        clock = self._endpoint.clock
        if clock.is_in_doubt:
            chosen = {"readMask": READ_MASK, "filter": self._stack_jobs, "pageSize": "1"}
            self._read(Call(_LIST, "GET", jobs_path(self._account), params=chosen))
        return not clock.is_in_doubt

    def close(self) -> None:
        self._services.close()

    def facts(self) -> Sequence[Fact]:
        return (
            *self._endpoint.facts(),
            Fact("project", self._account.project),
            Fact("location", self._account.location),
            Fact("staging bucket", self._staging.place if self._staging else _NO_STAGING),
        )

    def list_jobs(self, *, foreign: bool = False) -> Iterator[RemoteJob]:
        """The stack's own jobs, by a filter on labels; with `foreign`, all jobs of the project in the location."""
        path = jobs_path(self._account)
        chosen = {"readMask": READ_MASK, **({} if foreign else {"filter": self._stack_jobs})}

        def call(page: Mapping[str, str]) -> Reply:
            return self._endpoint.call(Call(_LIST, "GET", path, params={**chosen, **page}))

        return (self._all_jobs if foreign else self._own_jobs).read(call)

    def calls_of_list(self, jobs: int) -> int:
        return self._own_jobs.calls(jobs)

    def _own_job(self, entry: Json) -> RemoteJob:
        job = remote_job(entry, self._account, _LIST)
        self._require_own(job, as_object(entry.get("labels")))
        return job

    def _require_own(self, job: RemoteJob, labels: Mapping[str, Json]) -> None:
        """Raise BadReply for a job that does not match the filter of the list call.

        Then its labels are wrong or the filter was ignored, so the list proves nothing.
        """
        for name, value in self._own.items():
            if labels.get(name) != value:
                shown = "without it" if name not in labels else f"with {name}={capped(str(labels[name]))}"
                raise BadReply(f"{_LIST}: not filtered by the labels {name}={value}: {job.name} is listed {shown}")

    def get_job(self, name: str) -> RemoteJob:
        return remote_job(self._get(name), self._account, _GET)

    def count_tokens(self, model: str, request: Mapping[str, Json]) -> int | None:
        path = count_path(model, self._account)
        if path is None:
            return None
        body = {name: request[name] for name in _COUNTED if name in request}
        return counted_tokens(self._read(count_call(path, body)))

    def create_job(self, request: CreateRequest) -> RemoteJob:
        seconds = self._create_timeout
        call = Call(
            _CREATE,
            "POST",
            jobs_path(self._account),
            body=create_body(request, self._display_name_limit),
            timeouts=Timeouts(connect=min(10.0, seconds), read=seconds, total=seconds),
        )
        job = remote_job(self._endpoint.call(call).json_object(), self._account, _CREATE)
        if job.mark is not None and job.mark.token != request.mark.token:
            raise BadReply(f"{_CREATE}: asked for {request.mark}, got {job.mark}")
        sent = request.extra_body.get("displayName", job_name(request, self._display_name_limit))
        return replace(job, is_altered=str(job.mark) != str(request.mark) or job.display_name != sent)

    def cancel_job(self, name: str) -> None:
        call = Call(_CANCEL, "POST", job_path(name, self._account, ":cancel"))
        require_done(self._retry.run(lambda: self._endpoint.call(call)))

    def delete_job(self, name: str) -> None:
        """Delete the remote job, and wait until it is deleted.

        Raises NotFound, even if an earlier attempt succeeded and only its reply was lost.
        """
        operation = self._read(Call(_DELETE, "DELETE", job_path(name, self._account)))
        clock = self._retry.clock
        waiting = self._retry.activity.running(f"{_DELETE}: waiting until it is done")
        with waiting, Allowance(self._retry.total, now=self._retry.elapsed).holding():
            error = wait_for_operation(
                operation, lambda path: self._read(Call("operations.get", "GET", path)), self._account, clock, _DELETE
            )
        if error is not None:
            raise self._endpoint.operation_failure(error, _DELETE)

    def upload_file(self, upload: Upload) -> tuple[str, datetime | None]:
        """Upload JSONL to the staging bucket. Raises ApiError, and BatchctlError when no bucket is configured."""
        if self._staging is None:
            raise BatchctlError(
                f"{self._account}: no stagingBucket for local files: Vertex AI reads them from Cloud Storage",
                code=ErrorCode.INVALID_INPUT,
                hint="set the provider's stagingBucket to gs://bucket/prefix/, or give the job a gs:// source",
            )
        return self._staging.upload(upload), None

    def delete_file(self, name: str) -> None:
        if self._staging is not None:
            self._staging.delete(name)

    def uploads(self) -> FileUse | None:
        return None if self._staging is None else self._staging.use()

    def find_input(self, source: RemoteSource) -> tuple[SourceFile, ...] | None:
        return find_input(source, self._storage)

    def read_input(self, files: Sequence[SourceFile]) -> Generator[InputRow]:
        return read_input(files, self._storage, self._line_limit)

    def read_results(self, name: str) -> Iterator[ResultItem]:
        """The rows of an ended job. Raises ApiError, with `ResultsNotReady` or `ResultsGone` for missing results."""
        job = self._get(name)
        state = remote_job(job, self._account, _GET).state
        if not is_terminal(state):
            raise ApiError(
                f"{_GET}: {name} is {state} and has no results",
                code=ErrorCode.RESULTS_NOT_READY,
                hint="run the command again when the job has ended",
            )
        yield from self._endpoint.cleaned(read_output(job, self._storage, self._bigquery, self._line_limit))

    def _get(self, name: str) -> dict[str, Json]:
        """The job in the API's form; raises BadReply for a reply with another job."""
        wanted = own_job(name, self._account)
        job = self._read(Call(_GET, "GET", job_path(name, self._account)))
        found = read_job_name(job.get("name"))
        if found is None or (found.location, found.id) != (wanted.location, wanted.id):
            raise BadReply(f"{_GET}: asked for {name}, got {found.id if found else 'a job without a usable name'}")
        if wanted.project.isdecimal() and found.project.isdecimal() and wanted.project != found.project:
            raise BadReply(
                f"{_GET}: {name} is not in the project {self._account.project}, whose number is {found.project}",
                hint="use a provider whose `project` is the job's",
            )
        return job

    def _read(self, call: Call) -> dict[str, Json]:
        return self._retry.run(lambda: self._endpoint.call(call).json_object())


def open_vertex(
    account: Account, place: Place, owner: Owner, wire: Wire, *, credentials: Credentials, locks: KeyLocks
) -> Provider:
    """Open the account for a stack. `locks` are shared by all accounts that may use the staging bucket."""
    shared, transport, activity = ServerClock(wire.clock), wire.transport, wire.activity
    changes = LearnedChanges(place.user_project or account.project, always=place.user_project is not None)
    root = f"/{place.api_version}"
    services = Services(
        Endpoint(place.base_url, credentials, shared, transport, error_hints.VERTEX, root=root, activity=activity),
        Endpoint(
            place.storage_url,
            credentials,
            shared,
            transport,
            error_hints.STORAGE,
            call_changes=changes,
            activity=activity,
        ),
        Endpoint(place.bigquery_url, credentials, shared, transport, error_hints.BIGQUERY, activity=activity),
        on_emulator=place.is_emulator,
    )
    retry = wire.retry(owner.limits)
    storage, staging = Storage(services.storage, retry, on_emulator=place.is_emulator), None
    if place.staging_bucket:
        staging = Staging(storage, place.staging_bucket, locks, short_uid(owner.uid))
    return VertexProvider(account, own_labels(owner.stack, owner.uid), services, retry, staging, owner.limits)
