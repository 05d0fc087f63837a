"""Hints for errors of the APIs, service by service. Data only: `http.failures` classifies the errors.

Source: reference chapter 9, and 1.1, 3 and 4 for what each service requires.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class Hints(Struct, frozen=True):
    """The hints of one service. `error_rules` has hints for particular messages."""

    by_http: Mapping[int, str]
    place: str
    """For a service that is not available at the location of the account."""
    by_call: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By the last part of the method's name, and the HTTP status or the name of the rpc code; wins over the status."""

    def of(self, what: str, http: int, status: str) -> str:
        """The hint for an error of the call named `what`; empty where none fits."""
        method = what.rpartition(".")[2]
        found = (self.by_call.get((method, key)) for key in (status, str(http)))
        return next((hint for hint in found if hint), self.by_http.get(http, ""))


_WHO = "(`batchctl doctor` shows who you are)"
_QUOTA = "the quota is exhausted: wait, let jobs finish, cancel others, or request a higher quota"
_TOO_MANY_CALLS = "the quota of calls is exhausted: wait, then run the command again"

GEMINI = Hints(
    {
        401: "the API rejected the credentials: check GOOGLE_API_KEY or GEMINI_API_KEY",
        403: "the key has no permission: check its restrictions, that the API is enabled in its project, "
        "and that the named resource belongs to that project",
        404: "check the name",
        413: "send the rows as a file (src: {file: …})",
        429: _TOO_MANY_CALLS,
    },
    place="the API is not available for this location or plan: enable billing, or use Vertex AI in a supported region",
    by_call={
        ("create", "404"): "check that the model exists and can run in batch, and that the input file is there",
        ("create", "429"): _QUOTA,
    },
)
_NOT_ACCEPTED = (
    "the token was rejected: log in again with `gcloud auth application-default login`, or check the file that "
    "GOOGLE_APPLICATION_CREDENTIALS names and that its account is enabled"
)
VERTEX = Hints(
    {
        401: _NOT_ACCEPTED,
        403: f"the principal {_WHO} needs roles/aiplatform.user in the project, and roles/storage.objectAdmin on the "
        "buckets; check too that the Vertex AI API is enabled there",
        404: "check the name, the project and the location",
        429: _TOO_MANY_CALLS,
    },
    place="not available in this location: set the provider's `location` to another",
    by_call={
        ("create", "404"): "check the project and the location, and that the model exists there",
        ("create", "429"): _QUOTA,
        ("delete", "FAILED_PRECONDITION"): "a job can be deleted only after it has ended",
        ("cancel", "FAILED_PRECONDITION"): "a job that has ended cannot be cancelled",
    },
)
STORAGE = Hints(
    {
        401: _NOT_ACCEPTED,
        403: f"the principal {_WHO} needs roles/storage.objectAdmin on the bucket",
        404: "check that the bucket and the object exist",
        429: "too many calls for one object or bucket: wait, then run the command again",
    },
    place="choose a bucket in another location",
)
BIGQUERY = Hints(
    {
        401: _NOT_ACCEPTED,
        403: f"the principal {_WHO} needs roles/bigquery.dataViewer on the dataset",
        404: "check that the dataset and the table exist",
        429: "the BigQuery quota is exhausted: wait, then run the command again",
    },
    place="choose a dataset in another location",
)
