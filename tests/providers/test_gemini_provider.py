from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.errors import BatchctlError
from batchctl.model.ports.providers import Provider
from batchctl.providers.gemini.batch_operations import JOB_FIELDS, LIST_FIELDS
from tests.support.scripted_api import (
    ACCOUNT,
    BASE,
    JOB,
    KEY,
    NOW,
    MovedClock,
    Script,
    operation,
    provider,
    reply,
    retry_info,
    rpc_error,
)


def page(*names: str, token: str | None = None) -> httpx.Response:
    body: dict[str, object] = {}
    if names:
        body["operations"] = [operation(name=f"batches/{name}") for name in names]
    if token is not None:
        body["nextPageToken"] = token
    return reply(body)


def listed(script: Script) -> list[str]:
    return [job.name.removeprefix("batches/") for job in provider(script).list_jobs()]


def test_it_is_a_provider():
    one: Provider = provider(Script(reply({})))
    assert (one.account, one.lists_foreign, one.now()) == (ACCOUNT, True, NOW)
    assert repr(one) == f"GeminiProvider(gemini {BASE})"
    one.close()


@pytest.mark.parametrize("key", ["", "a b", "x\n"])
def test_a_bad_key_is_refused(key):
    with pytest.raises(BatchctlError):
        provider(Script(reply({})), api_key=key)


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([page()], []),
        ([reply({"operations": []})], []),
        ([page("a", "b")], ["a", "b"]),
        ([page("a", token="")], ["a"]),
        ([page("a", token="t1"), page("b", token="t2"), page("c")], ["a", "b", "c"]),
        ([page(token="t1"), page(token="t2"), page("c")], ["c"]),
        ([page("a", token="t1"), page(token="t2"), page("c")], ["a", "c"]),
        ([page("a", "b", token="t1"), page("b", "c")], ["a", "b", "c"]),
    ],
)
def test_list_reads_all_pages(pages, expected):
    assert listed(Script(*pages)) == expected


def test_list_always_sends_page_size_and_mask():
    script = Script(page("a", token="t/1&x"), page("b"))
    listed(script)
    sent = [dict(request.url.params) for request in script.requests]
    common = {"pageSize": "100", "fields": LIST_FIELDS}
    assert sent == [common, {**common, "pageToken": "t/1&x"}]
    assert {request.url.path for request in script.requests} == {"/v1/batches"}


@pytest.mark.parametrize(
    "pages",
    [
        [page("a", token="t1"), page("b", token="t1")],
        [page("a", token="t1"), page("b", token="t2"), page("c", token="t1")],
        [reply({"operations": {}})],
        [reply({"operations": "x"})],
        [reply({"operations": [{"name": "x"}]})],
        [reply({"operations": [operation(), {"name": "batches/a", "metadata": {"displayName": 5}}]})],
        [reply({"operations": [operation()], "unreachable": ["somewhere"]})],
        [reply({"operations": [5]})],
        [reply({"nextPageToken": 5})],
        [reply({"nextPageToken": "\ud800"})],
        [reply({"nextPageToken": "x" * 9000})],
        [reply([])],
        [page("a", token="t1"), httpx.Response(200, html="<html>")],
        [page("a", token="t1"), httpx.Response(200, text='{"operations": [')],
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_raises(pages):
    script = Script(*pages)
    with pytest.raises(errors.BadReply):
        listed(script)
    assert len(script.requests) == len(pages)


def test_a_list_that_never_ends_raises(monkeypatch):
    monkeypatch.setattr("batchctl.providers.paging._MAX_PAGES", 5)
    count = iter(range(1000))
    with pytest.raises(errors.BadReply, match="pages"):
        listed(Script(lambda _: page(token=f"t{next(count)}")))


def test_one_odd_job_does_not_hide_the_others():
    odd = {"name": "batches/odd", "metadata": {"state": 7}}
    jobs = list(provider(Script(reply({"operations": [odd, operation()]}))).list_jobs())
    assert [(job.name, job.state) for job in jobs] == [
        ("batches/odd", "JOB_STATE_UNSPECIFIED"),
        (JOB, "JOB_STATE_PENDING"),
    ]


def test_a_page_that_keeps_failing_raises_after_the_first_page():
    jobs = provider(Script(page("a", token="t1"), rpc_error(403, "PERMISSION_DENIED"))).list_jobs()
    assert next(jobs).name == "batches/a"
    with pytest.raises(errors.PermissionDenied):
        next(jobs)


TRANSIENT = [
    httpx.ConnectError("refused"),
    httpx.ReadError("reset"),
    rpc_error(429, "RESOURCE_EXHAUSTED", "m", retry_info("2s")),
    httpx.Response(502, html="<html>"),
]


@pytest.mark.parametrize(
    ("call", "good"),
    [
        (lambda one: list(one.list_jobs()), reply({})),
        (lambda one: one.get_job(JOB), reply(operation())),
        (lambda one: one.cancel_job(JOB), reply({})),
        (lambda one: one.delete_job(JOB), reply({})),
    ],
    ids=["list", "get", "cancel", "delete"],
)
def test_harmless_calls_are_made_again(call, good):
    clock = MovedClock()
    script = Script(*TRANSIENT, good)
    call(provider(script, clock))
    assert len(script.requests) == 5
    assert clock.sleeps == [0.5, 1.0, 4.0, 4.0]


def test_get():
    script = Script(reply(operation()))
    assert provider(script).get_job(JOB).name == JOB
    assert (script.requests[0].method, script.requests[0].url.path) == ("GET", f"/v1/{JOB}")
    assert dict(script.requests[0].url.params) == {"fields": JOB_FIELDS}


def test_get_of_another_job_than_asked_for():
    with pytest.raises(errors.BadReply, match="asked for"):
        provider(Script(reply(operation(name="batches/other")))).get_job(JOB)


@pytest.mark.parametrize("body", [None, b"", b"{}"])
def test_cancel_and_delete(body):
    for call, method, path in (("cancel_job", "POST", f"{JOB}:cancel"), ("delete_job", "DELETE", JOB)):
        script = Script(httpx.Response(200, content=body))
        assert getattr(provider(script), call)(JOB) is None
        request = script.requests[0]
        assert (request.method, request.url.path, request.content) == (method, f"/v1/{path}", b"")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Signed in.",
        b"null",
        b"[]",
        b"{",
        b" ",
        b'{"error": "later"}',
        b'{"message": "later"}',
        b'{"done": false}',
    ],
)
@pytest.mark.parametrize("call", ["cancel_job", "delete_job"])
def test_a_confirmation_from_another_server_is_refused(call, body):
    with pytest.raises(errors.BadReply):
        getattr(provider(Script(httpx.Response(200, content=body))), call)(JOB)


def test_cancel_sends_an_empty_body_with_its_length():
    script = Script(reply({}))
    provider(script).cancel_job(JOB)
    assert script.requests[0].headers["content-length"] == "0"


@pytest.mark.parametrize("call", ["get_job", "cancel_job", "delete_job"])
def test_not_found_is_an_error_once(call):
    script = Script(rpc_error(404, "NOT_FOUND"))
    with pytest.raises(errors.NotFound):
        getattr(provider(script), call)(JOB)
    assert len(script.requests) == 1


def test_a_delete_whose_answer_was_lost_ends_as_not_found():
    with pytest.raises(errors.NotFound):
        provider(Script(httpx.ReadError("reset"), rpc_error(404, "NOT_FOUND"))).delete_job(JOB)


@pytest.mark.parametrize("call", ["get_job", "cancel_job", "delete_job"])
def test_no_name_leads_to_another_method(call):
    script = Script(reply({}))
    with pytest.raises(errors.BadRequest):
        getattr(provider(script), call)("batches/../files/x")
    assert script.requests == []


def test_every_call_has_all_time_limits():
    script = Script(reply({}))
    one = provider(script)
    list(one.list_jobs())
    one.cancel_job(JOB)
    for request in script.requests:
        assert all(request.extensions["timeout"][part] for part in ("connect", "read", "write", "pool"))


def test_now_follows_the_servers_date():
    one = provider(Script(reply({}, headers={"date": "Sun, 22 Nov 2026 15:00:00 GMT"})))
    list(one.list_jobs())
    assert one.now() == NOW, "a single answer may be wrong"
    assert one.confirm_clock()
    assert one.now() == NOW + timedelta(hours=3)


def test_a_clock_that_nothing_confirms_stays_in_doubt():
    dates = ("Sun, 22 Nov 2026 15:00:00 GMT", "Sun, 22 Nov 2026 20:00:00 GMT")
    script = Script(*(reply({}, headers={"date": date}) for date in dates))
    one = provider(script)
    list(one.list_jobs())
    assert not one.confirm_clock()
    assert one.now() == NOW
    assert [request.url.params["pageSize"] for request in script.requests] == ["100", "1"]


def test_a_clock_that_is_clear_needs_no_further_call():
    script = Script(reply({}, headers={"date": "Sun, 22 Nov 2026 12:01:00 GMT"}))
    one = provider(script)
    list(one.list_jobs())
    assert one.confirm_clock()
    assert len(script.requests) == 1


def test_key_is_in_its_header():
    script = Script(reply({}))
    list(provider(script).list_jobs())
    assert script.requests[0].headers["x-goog-api-key"] == KEY
