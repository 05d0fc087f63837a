"""What catches users of the SDK, and so has to be the same here. Source: reference 2.3, 6.5, 6.6, 13."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
import pytest
from google import genai
from google.genai import errors, types

from tests.support.sdk_clients import EMBED_MODEL, FOR_LONG, MODEL, Sdk, Service, asked, new_client

UNAVAILABLE = {"method": "batches.create", "kind": "status", "status": 503, "when": "after", "count": 1}
CUT = {"method": "batches.create", "kind": "cut", "when": "after", "count": 1}


def make(sdk: Sdk | genai.Client, count: int) -> list[str]:
    """Some jobs; gives their names, newest first."""
    return [sdk.batches.create(model=MODEL, src=[asked("x")]).name for _ in range(count)][::-1]


def test_iterating_over_an_empty_page_in_the_middle_breaks(sdk: Sdk, service: Service) -> None:
    make(sdk, 5)
    service.faults({"method": "batches.list", "kind": "emptyPage"})
    pager = sdk.batches.list(config={"page_size": 2})
    with pytest.raises(IndexError, match="out of range"):
        sdk.all(pager)


def test_going_page_by_page_sees_all_jobs_past_an_empty_page(sdk: Sdk, service: Service) -> None:
    names = make(sdk, 5)
    service.faults({"method": "batches.list", "kind": "emptyPage"})
    pager = sdk.batches.list(config={"page_size": 2})
    pages = [[job.name for job in pager.page]]
    while pager.config.get("page_token"):
        pages.append([job.name for job in sdk.next_page(pager)])
    assert [len(page) for page in pages] == [2, 0, 2, 1]
    assert [name for page in pages for name in page] == names


@pytest.mark.parametrize(("attempts", "made"), [(1, 1), (2, 2), (3, 2)])
def test_retries_make_a_second_job(service: Service, attempts: int, made: int) -> None:
    retry = types.HttpRetryOptions(attempts=attempts, initial_delay=0.01, max_delay=0.02, jitter=0.01)
    service.faults(UNAVAILABLE)
    with new_client(service.url, retry_options=retry) as client:
        if attempts == 1:
            with pytest.raises(errors.ServerError):
                make(client, 1)
        else:
            (name,) = make(client, 1)
            assert service.jobs()[-1]["name"] == name
    assert len(service.jobs()) == made


def test_without_retries_an_answer_that_is_lost_leaves_one_job_that_nobody_knows(
    sync_sdk: genai.Client, service: Service
) -> None:
    service.faults(CUT)
    with pytest.raises(Exception, match="disconnected"):
        make(sync_sdk, 1)
    assert len(service.jobs()) == 1
    (listed,) = sync_sdk.batches.list(config={"page_size": 5})
    assert listed.name == service.jobs()[0]["name"]


@pytest.mark.parametrize(("options", "made"), [({}, 2), ({"retry_options": {"attempts": 1}}, 1)])
def test_over_aiohttp_a_lost_answer_is_silently_asked_for_again_unless_retries_are_set(
    service: Service,
    sdk_runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    made: int,
) -> None:
    really_sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _seconds: really_sleep(0))
    service.faults(CUT)

    async def create() -> None:
        client = new_client(service.url, **options).aio
        try:
            await client.batches.create(model=MODEL, src=[asked("x")])
        finally:
            await client.aclose()

    if made == 1:
        with pytest.raises(Exception, match="disconnected"):
            sdk_runner.run(create())
    else:
        sdk_runner.run(create())
    assert len(service.jobs()) == made


def test_two_equal_creates_are_two_jobs(sdk: Sdk, service: Service) -> None:
    assert len(set(make(sdk, 2))) == 2


def test_no_filter_on_this_api(sdk: Sdk, service: Service) -> None:
    with pytest.raises(ValueError, match="filter"):
        sdk.batches.list(config={"filter": 'display_name:"x"'})
    assert service.calls("batches.list") == 0


def test_embeddings_that_all_failed_are_taken_for_other_responses(sdk: Sdk) -> None:
    source = {"inlined_requests": {"contents": [{"parts": [{"text": ""}]}]}}
    made = sdk.batches.create_embeddings(model=EMBED_MODEL, src=source)
    job = sdk.batches.get(name=made.name)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert job.dest.inlined_embed_content_responses is None
    assert job.dest.inlined_responses[0].error.code == 3


@pytest.mark.parametrize(
    "result",
    [
        {"error": {"code": 8, "message": "m", "details": [{"@type": "type.googleapis.com/google.rpc.Help"}]}},
        {"metadata": {"key": 1}, "error": {"code": 8, "message": "m"}},
        {"metadata": {"key": {"nested": "x"}}, "error": {"code": 8, "message": "m"}},
    ],
    ids=["object details", "number in metadata", "object in metadata"],
)
def test_a_reply_that_the_types_cannot_hold_breaks_get(sdk: Sdk, service: Service, result: dict[str, Any]) -> None:
    service.seed(jobs=[{"name": "batches/one", "model": MODEL, "state": "BATCH_STATE_SUCCEEDED", "results": [result]}])
    with pytest.raises(pydantic.ValidationError):
        sdk.batches.get(name="batches/one")


def test_a_result_files_address_is_cut_at_its_dash(sdk: Sdk, service: Service) -> None:
    with pytest.raises(errors.ClientError) as gone:
        sdk.files.download(file=f"{service.url.replace('http', 'https')}/v1beta/files/batch-123")
    assert gone.value.code == 403
    assert "the File batch or" in gone.value.message


@pytest.mark.parametrize("name", ["abc", "batches/", "batches/a/b"])
def test_a_name_of_the_wrong_shape_is_not_sent(sdk: Sdk, service: Service, name: str) -> None:
    with pytest.raises(ValueError, match="Invalid batch job name"):
        sdk.batches.get(name=name)
    assert service.calls("batches.get") == 0


def test_a_running_job_can_be_deleted(sdk: Sdk, service: Service) -> None:
    service.rules(FOR_LONG)
    (name,) = make(sdk, 1)
    sdk.batches.delete(name=name)
    assert sdk.all(sdk.batches.list(config={"page_size": 5})) == []


def test_a_result_file_may_come_after_the_jobs_end(sdk: Sdk, service: Service) -> None:
    line = {"key": "a", "request": {"contents": [{"parts": [{"text": "x"}]}]}}
    service.seed(settings={"resultFileLag": "10s"}, files=[{"name": "files/in", "lines": [line]}])
    made = sdk.batches.create(model=MODEL, src="files/in")
    job = sdk.batches.get(name=made.name)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    with pytest.raises(errors.ClientError) as early:
        sdk.files.download(file=job.dest.file_name)
    assert early.value.code == 403
    service.call("POST", "/_emulator/clock", {"advance": "10s"})
    assert b'"key":"a"' in sdk.files.download(file=job.dest.file_name)


def test_new_jobs_may_be_missing_from_a_list(sdk: Sdk, service: Service) -> None:
    (name,) = make(sdk, 1)
    service.faults({"method": "batches.list", "kind": "listLag", "delay": "1h"})
    assert sdk.all(sdk.batches.list(config={"page_size": 5})) == []
    assert sdk.batches.get(name=name).name == name
