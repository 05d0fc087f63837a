"""The shape of every refusal as the SDK shows it. Source: reference 9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.genai import errors, types

from tests.support.sdk_clients import EMBED_MODEL, MODEL, Sdk, Service, asked, new_client

UNKNOWN = "batches/" + "0" * 36
REFUSALS: dict[str, tuple[Callable[[Sdk], Any], int, str, str]] = {
    "unknown model": (
        lambda sdk: sdk.batches.create(model="no-such-model", src=[asked("x")]),
        404,
        "NOT_FOUND",
        "models/no-such-model is not found for API version v1",
    ),
    "embedding model asked to generate": (
        lambda sdk: sdk.batches.create(model=EMBED_MODEL, src=[asked("x")]),
        404,
        "NOT_FOUND",
        "is not supported for batchGenerateContent",
    ),
    "missing input file": (
        lambda sdk: sdk.batches.create(model=MODEL, src="files/none"),
        404,
        "NOT_FOUND",
        "Requested entity was not found.",
    ),
    "missing embeddings file": (
        lambda sdk: sdk.batches.create_embeddings(model=EMBED_MODEL, src={"file_name": "files/none"}),
        404,
        "NOT_FOUND",
        "Requested entity was not found.",
    ),
    "no requests": (
        lambda sdk: sdk.batches.create(model=MODEL, src=[]),
        400,
        "INVALID_ARGUMENT",
        "",
    ),
    "unknown job": (lambda sdk: sdk.batches.get(name=UNKNOWN), 404, "NOT_FOUND", "Requested entity was not found."),
    "unknown job cancelled": (lambda sdk: sdk.batches.cancel(name=UNKNOWN), 404, "NOT_FOUND", "not found"),
    "unknown job deleted": (lambda sdk: sdk.batches.delete(name=UNKNOWN), 404, "NOT_FOUND", "not found"),
    "malformed job id": (
        lambda sdk: sdk.batches.get(name="batches/No_Such_Id"),
        400,
        "INVALID_ARGUMENT",
        "Could not parse the batch name",
    ),
    "page token": (
        lambda sdk: sdk.batches.list(config={"page_token": "nonsense"}),
        400,
        "INVALID_ARGUMENT",
        "page token",
    ),
    "missing file": (
        lambda sdk: sdk.files.get(name="files/none"),
        403,
        "PERMISSION_DENIED",
        "You do not have permission to access the File none or it may not exist.",
    ),
    "missing file deleted": (lambda sdk: sdk.files.delete(name="files/none"), 403, "PERMISSION_DENIED", "none"),
    "missing file downloaded": (lambda sdk: sdk.files.download(file="files/none"), 403, "PERMISSION_DENIED", "none"),
    "file id with capitals": (lambda sdk: sdk.files.get(name="files/UPPER"), 400, "INVALID_ARGUMENT", "File ID"),
    "unknown field": (
        lambda sdk: sdk.batches.create(
            model=MODEL, src=[asked("x")], config={"http_options": {"extra_body": {"batch": {"colour": "red"}}}}
        ),
        400,
        "INVALID_ARGUMENT",
        'Unknown name "colour"',
    ),
}


@pytest.mark.parametrize(("call", "code", "status", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal(sdk: Sdk, call: Callable[[Sdk], Any], code: int, status: str, message: str) -> None:
    with pytest.raises(errors.ClientError) as caught:
        call(sdk)
    error = caught.value
    assert (error.code, error.status) == (code, status)
    assert message in error.message
    assert error.details["error"]["code"] == code
    assert error.details["error"]["message"] == error.message


def test_a_deleted_job_is_not_found(sdk: Sdk) -> None:
    made = sdk.batches.create(model=MODEL, src=[asked("x")])
    sdk.batches.delete(name=made.name)
    for call in (sdk.batches.get, sdk.batches.cancel, sdk.batches.delete):
        with pytest.raises(errors.ClientError) as caught:
            call(name=made.name)
        assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_a_bad_key(service: Service) -> None:
    with new_client(service.url, key="invalid-key") as client, pytest.raises(errors.ClientError) as caught:
        client.batches.list(config={"page_size": 1})
    error = caught.value
    assert (error.code, error.status) == (400, "INVALID_ARGUMENT")
    assert error.message == "API key not valid. Please pass a valid API key."
    (detail,) = error.details["error"]["details"]
    assert (detail["@type"], detail["reason"]) == ("type.googleapis.com/google.rpc.ErrorInfo", "API_KEY_INVALID")


def test_a_body_that_is_too_large(sync_sdk: Any, service: Service) -> None:
    with pytest.raises(errors.ClientError, match="Request payload size exceeds the limit: 20971520 bytes") as caught:
        sync_sdk.batches.create(model=MODEL, src=[asked("x" * 20_971_520)])
    assert caught.value.code == 400
    assert service.jobs() == []


@pytest.mark.parametrize(
    ("status", "kind"), [(408, errors.ClientError), (429, errors.ClientError), (500, errors.ServerError),
                         (503, errors.ServerError), (504, errors.ServerError)]
)  # fmt: skip
def test_a_fault_is_an_error_of_the_right_class(
    sdk: Sdk, service: Service, status: int, kind: type[errors.APIError]
) -> None:
    service.faults({"method": "batches.list", "kind": "status", "status": status, "retryInfo": "43s"})
    with pytest.raises(kind) as caught:
        sdk.batches.list(config={"page_size": 1})
    assert type(caught.value) is kind
    assert caught.value.code == status
    assert service.calls("batches.list") == 1
    last = caught.value.details["error"]["details"][-1]
    assert last == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "43s"}


def test_a_row_error_has_code_and_message(sdk: Sdk, service: Service) -> None:
    service.rules({"fate": "rows", "match": {"row": "b"}, "rowError": {"code": 8, "message": "Too much."},
                   "pending": "0s", "running": "0s"})  # fmt: skip
    made = sdk.batches.create(model=MODEL, src=[asked("one", "a"), asked("two", "b")])
    good, bad = sdk.batches.get(name=made.name).dest.inlined_responses
    assert good.error is None
    assert (bad.response, bad.metadata) == (None, {"key": "b"})
    assert bad.error == types.JobError(code=8, message="Too much.")
