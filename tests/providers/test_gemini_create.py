from __future__ import annotations

import json
from datetime import timedelta
from types import MappingProxyType

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.model.keys import Mark
from batchctl.model.kinds import Kind
from batchctl.model.sources import InlineRows, RequestRow, UploadedFile
from batchctl.providers.create_bodies import merge_patch
from batchctl.providers.gemini.create import BODY_LIMIT, create_body, marked_name
from tests.support.scripted_api import (
    JOB,
    MARK,
    MovedClock,
    Script,
    create_request,
    operation,
    provider,
    reply,
    retry_info,
    rpc_error,
)


def body(limit: int = 128, **changes):
    return json.loads(create_body(create_request(**changes), limit))


def test_inline_rows():
    assert body() == {
        "batch": {
            "displayName": f"Translate {MARK}",
            "inputConfig": {
                "requests": {
                    "requests": [
                        {
                            "request": {"contents": [{"parts": [{"text": "hé"}]}]},
                            "metadata": {"key": "k1", "batchctl-row": "r0"},
                        },
                        {"request": {"contents": []}, "metadata": {"key": "k2", "batchctl-row": "r1"}},
                    ]
                }
            },
        }
    }


def test_an_inline_row_keeps_its_own_metadata():
    rows = (RequestRow(None, {"contents": []}, {"metadata": {"lang": "fr", "index": "9"}}), RequestRow("k", {}))
    sent = body(source=InlineRows(rows))["batch"]["inputConfig"]["requests"]["requests"]
    assert [item["metadata"] for item in sent] == [
        {"lang": "fr", "index": "9", "batchctl-row": "r0"},
        {"key": "k", "batchctl-row": "r1"},
    ]


@pytest.mark.parametrize("kind", list(Kind))
def test_uploaded_file(kind):
    assert body(kind=kind, source=UploadedFile("files/x"))["batch"]["inputConfig"] == {"fileName": "files/x"}


def test_labels_are_not_sent():
    assert set(body(labels={"team": "search"})["batch"]) == {"displayName", "inputConfig"}


def test_priority_and_webhook_are_sent_where_they_are_given():
    hook = {"uris": ["https://example.com/hook"], "userMetadata": {"n": 1}}

    sent = body(priority=-5, webhook=MappingProxyType(hook))["batch"]

    assert (sent["priority"], sent["webhookConfig"]) == ("-5", hook)
    assert body(priority=7, extra_body={"priority": "8"})["batch"]["priority"] == "8"


def test_extra_body_is_merged_over_all_but_the_mark():
    extra = {"priority": "5", "displayName": "mine", "display_name": "mine", "inputConfig": {"x": 1}}
    batch = body(extra_body=extra, source=UploadedFile("files/x"))["batch"]
    assert batch == {
        "priority": "5",
        "displayName": f"Translate {MARK}",
        "inputConfig": {"x": 1, "fileName": "files/x"},
    }


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": "x"}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ],
)
def test_merge_patch(target, patch, expected):
    before = json.dumps(target)
    assert merge_patch(target, patch) == expected
    assert json.dumps(target) == before


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        ("Translate", 128, f"Translate {MARK}"),
        (None, 128, f"translate-fr {MARK}"),
        ("", 128, f"translate-fr {MARK}"),
        ("Übersetzen", len(str(MARK)) + 4, f"Übe {MARK}"),
        ("ab cd", len(str(MARK)) + 4, f"ab {MARK}"),
        ("Translate", 10, str(MARK)),
        ("  ", 128, str(MARK)),
    ],
)
def test_marked_name(name, limit, expected):
    assert marked_name(name, MARK, limit) == expected


@given(st.none() | st.text(), st.integers(0, 300))
def test_the_mark_is_always_found_again(name, limit):
    found = marked_name(name, MARK, limit)
    assert Mark.find(found) == MARK
    assert len(found) <= max(limit, len(str(MARK)))


def test_half_a_surrogate_pair_in_a_row_is_sent_as_it_was_written():
    batch = body(source=InlineRows((RequestRow("k", {"x": "\ud83d", "y": "é"}),)))["batch"]
    assert batch["inputConfig"]["requests"]["requests"][0]["request"] == {"x": "\ud83d", "y": "é"}


def test_frozen_mappings_can_be_sent():
    batch = body(source=InlineRows((RequestRow("k", MappingProxyType({"x": MappingProxyType({})})),)))["batch"]
    assert batch["inputConfig"]["requests"]["requests"][0]["request"] == {"x": {}}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}])
def test_what_is_not_json_is_refused_before_a_call(value):
    with pytest.raises(errors.BadRequest) as caught:
        body(source=InlineRows((RequestRow("k", {"x": value}),)))
    assert caught.value.code == "InvalidInput"


def test_endless_nesting_is_refused_before_a_call():
    deep: dict[str, object] = {}
    deep["x"] = deep
    with pytest.raises(errors.BadRequest):
        body(source=InlineRows((RequestRow("k", deep),)))


def test_the_size_limit_is_met_to_the_byte():
    empty = len(create_body(create_request(source=InlineRows((RequestRow("k", {"x": ""}),))), 128))
    room = BODY_LIMIT - empty
    assert len(create_body(create_request(source=InlineRows((RequestRow("k", {"x": "x" * room}),))), 128)) == BODY_LIMIT
    with pytest.raises(errors.BadRequest) as caught:
        create_body(create_request(source=InlineRows((RequestRow("k", {"x": "x" * (room + 1)}),))), 128)
    assert (caught.value.code, caught.value.effect) == ("InputTooLarge", errors.Effect.REFUSED)
    assert "file" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "method"),
    [(Kind.BATCH_JOB, "batchGenerateContent"), (Kind.EMBEDDINGS_BATCH_JOB, "asyncBatchEmbedContent")],
)
def test_the_create_call(kind, method):
    script = Script(reply(operation()))
    found = provider(script).create_job(create_request(kind=kind))
    assert (found.name, found.mark, found.state) == (JOB, MARK, "JOB_STATE_PENDING")
    request = script.requests[0]
    assert (request.method, request.url.raw_path) == ("POST", f"/v1/models/gemini-2.5-flash:{method}".encode())
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content)["batch"]["displayName"] == f"Translate {MARK}"


def test_the_create_timeout_bounds_the_call():
    script = Script(reply(operation()))
    provider(script, create_timeout=timedelta(seconds=7)).create_job(create_request())
    assert script.requests[0].extensions["timeout"] == {"connect": 7.0, "read": 7.0, "write": 7.0, "pool": 7.0}


@pytest.mark.parametrize(
    ("answer", "kind", "effect"),
    [
        (httpx.ConnectError("refused"), errors.ConnectionFailed, errors.Effect.NONE),
        (httpx.ReadTimeout("slow"), errors.ReplyLost, errors.Effect.AMBIGUOUS),
        (httpx.RemoteProtocolError("cut"), errors.ReplyLost, errors.Effect.AMBIGUOUS),
        (rpc_error(429, "RESOURCE_EXHAUSTED", "m", retry_info("1s")), errors.QuotaExceeded, errors.Effect.NONE),
        (rpc_error(500, "INTERNAL"), errors.ServerFailed, errors.Effect.AMBIGUOUS),
        (rpc_error(503, "UNAVAILABLE", retry_after="1"), errors.ServerFailed, errors.Effect.AMBIGUOUS),
        (rpc_error(400, "INVALID_ARGUMENT"), errors.BadRequest, errors.Effect.REFUSED),
        (rpc_error(404, "NOT_FOUND"), errors.NotFound, errors.Effect.REFUSED),
        (httpx.Response(404, html="<html>"), errors.BadReply, errors.Effect.AMBIGUOUS),
        (httpx.Response(200, text="{"), errors.BadReply, errors.Effect.AMBIGUOUS),
        (httpx.Response(200, json={"done": True}), errors.BadReply, errors.Effect.AMBIGUOUS),
        (httpx.Response(302), errors.BadReply, errors.Effect.AMBIGUOUS),
        (
            reply(operation(metadata={"displayName": str(MARK).replace("tok", "kot")})),
            errors.BadReply,
            errors.Effect.AMBIGUOUS,
        ),
    ],
)
def test_create_is_sent_exactly_once_whatever_comes_back(answer, kind, effect):
    clock = MovedClock()
    script = Script(answer)
    with pytest.raises(kind) as caught:
        provider(script, clock).create_job(create_request())
    assert caught.value.effect is effect
    assert len(script.requests) == 1
    assert clock.sleeps == []


def test_nothing_is_sent_for_a_bad_model():
    script = Script(reply(operation()))
    with pytest.raises(errors.BadRequest):
        provider(script).create_job(create_request(model="../files"))
    assert script.requests == []


@pytest.mark.parametrize(
    ("shown", "altered", "readable"),
    [
        (f"Translate {MARK}", False, True),
        (f"Translate  {MARK}", True, True),
        (f"Translate {MARK}".replace(" ", "\u00a0"), True, True),
        (f"Translate {MARK}"[:-12], True, False),
        ("Translate", True, False),
        (None, True, False),
    ],
)
def test_what_the_answer_to_a_create_call_changes_is_noticed(shown, altered, readable):
    job = provider(Script(reply(operation(metadata={"displayName": shown})))).create_job(create_request())
    assert (job.is_altered, job.mark is not None) == (altered, readable)
