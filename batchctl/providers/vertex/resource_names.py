"""Resource names of Vertex AI and their URL paths, checked against the account.

A name comes from a manifest, the state or a reply. It is checked, so that it cannot direct a call to another method,
location or project. Paths are relative to the API's version. Source: reference 3.1, 6.2, 6.3.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from msgspec import Struct

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadRequest
from batchctl.model.keys import Account
from batchctl.providers.model_names import require_model_name

_PROJECT = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}"
_LOCATION = r"[a-z0-9][a-z0-9-]{0,62}"
_ID = r"[0-9]{1,25}"
_PLACE = re.compile(f"({_PROJECT}) ({_LOCATION})")
_PARENT = f"projects/(?P<project>{_PROJECT})/locations/(?P<location>{_LOCATION})"
_JOB = re.compile(f"{_PARENT}/batchPredictionJobs/(?P<id>{_ID})")
_OPERATION = re.compile(f"{_PARENT}/(batchPredictionJobs/{_ID}/)?operations/[A-Za-z0-9_-]{{1,128}}")
_FORMS = "projects/PROJECT/locations/LOCATION/batchPredictionJobs/ID, or the ID alone"
_OWN_MODELS = ("projects/", "models/", "publishers/")
_GOOGLE_MODELS = "publishers/google/models/"


class JobName(Struct, frozen=True):
    """The resource name of a job."""

    project: str
    """The project's number in replies; its id in names that people write."""
    location: str
    id: str
    """Digits from the server; unique in its location."""


def read_job_name(name: object) -> JobName | None:
    """Parse a full resource name; None when it is not valid."""
    match = _JOB.fullmatch(name) if isinstance(name, str) else None
    return JobName(match["project"], match["location"], match["id"]) if match else None


def jobs_path(account: Account) -> str:
    """The URL path of the account's jobs. Raises BadRequest (nothing was sent)."""
    if not _PLACE.fullmatch(f"{account.project} {account.location}"):
        raise BadRequest(
            f"invalid project or location: {account.project[:80]!r}, {account.location[:80]!r}",
            http=400,
            code=ErrorCode.INVALID_NAME,
            hint="set the provider's project (id or number) and a location such as us-central1",
        )
    return f"/projects/{account.project}/locations/{account.location}/batchPredictionJobs"


def own_job(name: str, account: Account) -> JobName:
    """The job that a name means in this account. Raises BadRequest (nothing was sent) for an invalid or foreign name.

    A call with the same id in another location or project would silently reach another job.
    """
    found = JobName(account.project, account.location, name) if re.fullmatch(_ID, name) else read_job_name(name)
    if found is None:
        raise _unusable(f"not the name of a Vertex batch job: {name[:80]!r}", _FORMS)
    if found.location != account.location:
        raise _unusable(
            f"{name} is in {found.location}, but this provider uses {account.location} only",
            "use a provider whose `location` is the job's",
        )
    if found.project != account.project and (not found.project.isdecimal() or account.project.isdecimal()):
        # A number may be this project's own; only a reply shows that.
        raise _unusable(
            f"{name} belongs to {found.project}, but this provider uses {account.project} only",
            "use a provider whose `project` is the job's",
        )
    return found


def job_path(name: str, account: Account, method: str = "") -> str:
    """The URL path of a job, with a custom method such as `:cancel`. Raises BadRequest (nothing was sent)."""
    return f"{jobs_path(account)}/{own_job(name, account).id}{method}"


def operation_path(name: object, account: Account) -> str | None:
    """The URL path of a long-running operation in the account's location; None for an invalid name."""
    match = _OPERATION.fullmatch(name) if isinstance(name, str) else None
    return f"/{name}" if match and match["location"] == account.location else None


def full_model(model: str) -> str:
    """The resource name of a model for the create call. Raises BadRequest (nothing was sent)."""
    require_model_name(model, "such as gemini-2.5-flash, publishers/… or projects/…/models/…")
    if model.startswith(_OWN_MODELS):
        return model
    publisher, slash, rest = model.partition("/")
    return f"publishers/{publisher}/models/{rest}" if slash else f"{_GOOGLE_MODELS}{model}"


def short_model(model: str) -> str:
    """A model's short name: without the publisher for Google's own models."""
    return model.removeprefix(_GOOGLE_MODELS)


def count_path(model: str, account: Account) -> str | None:
    """The URL path that counts tokens for a model of Google; None for another one. Raises BadRequest."""
    full = full_model(model)
    if not full.startswith(_GOOGLE_MODELS):
        return None
    parent = jobs_path(account).rpartition("/")[0]
    return f"{parent}/{quote(full, safe='/', errors='replace')}:countTokens"


def _unusable(message: str, hint: str) -> BadRequest:
    return BadRequest(message, http=400, code=ErrorCode.INVALID_NAME, hint=hint)
