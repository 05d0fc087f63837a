from __future__ import annotations

import base64
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from batchctl.model import errors
from batchctl.model.ports.providers import ResultItem
from batchctl.providers import streamed_lines
from batchctl.providers.gemini import results
from tests.support.scripted_api import JOB, NOW, MovedClock, Script, operation, provider, reply, rpc_error

NOTHING = {"code": 2, "message": "the API gave neither a response nor an error for this row"}
ODD = {**NOTHING, "raw": "odd"}
SHELVED = {"message": "hi", "shelf": 1}
FILE = "files/batch-" + "a1" * 18
OK = {"response": {"candidates": []}, "metadata": {"key": "k1", "index": "0"}}
BAD = {"error": {"code": 3, "message": "no"}, "metadata": {"key": "k2", "index": "1"}}
ITEMS = [
    ResultItem("k1", 0, response={"candidates": []}),
    ResultItem("k2", 1, error={"code": 3, "message": "no"}),
]
NESTED = {"inlinedResponses": {"inlinedResponses": [OK, BAD]}}


@pytest.fixture(autouse=True, params=["small bodies at once", "member by member"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to read an inline job give the same."""
    if request.param == "member by member":
        monkeypatch.setattr(results, "_AT_ONCE", -1)


def ended(
    output: Any = None, state: str = "BATCH_STATE_SUCCEEDED", *, ago: float = 60, **members: Any
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"endTime": (NOW - timedelta(seconds=ago)).isoformat()}
    if output is not None:
        metadata["output"] = output
    return operation(state, done=True, metadata=metadata, **members)


def read(*answers: Any, clock: MovedClock | None = None) -> list[ResultItem]:
    return list(provider(Script(*answers), clock).read_results(JOB))


@pytest.mark.parametrize(
    "output",
    [
        NESTED,
        {"inlinedEmbedContentResponses": {"inlinedResponses": [OK, BAD]}},
        {"inlinedEmbedContentResponses": {"inlinedEmbedContentResponses": [OK, BAD]}},
        {"inlinedEmbedContentResponses": [OK, BAD]},
        {"other": {"inlinedResponses": [5]}, "inlinedResponses": {"n": [1], "inlinedResponses": [OK, BAD]}},
    ],
)
def test_inline_rows(output):
    assert read(reply(ended(output))) == ITEMS
    assert read(reply(ended(output, response={"@type": "t", **output}))) == ITEMS, "rows that come twice count once"
    assert read(reply(dict(reversed(ended(output, response=output).items())))) == ITEMS, "order means nothing"


def test_the_mask_halves_the_body():
    script = Script(reply(ended(NESTED)))
    list(provider(script).read_results(JOB))
    assert [dict(one.url.params) for one in script.requests] == [{"fields": "name,done,metadata(state,endTime,output)"}]


def test_output_in_response_only():
    script = Script(reply(ended()), reply({"response": NESTED}))
    assert list(provider(script).read_results(JOB)) == ITEMS
    assert dict(script.requests[1].url.params) == {"fields": "response"}


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "EXPIRED"])
def test_a_job_that_ended_badly_may_have_no_results(state):
    assert read(reply(ended(None, f"BATCH_STATE_{state}", error={"code": 13, "message": "m"}))) == []


def test_a_cancelled_job_may_hold_a_part():
    assert read(reply(ended(NESTED, "BATCH_STATE_CANCELLED", error={"code": 13}))) == ITEMS


@pytest.mark.parametrize(
    "output", [None, {}, [], "odd", {"inlinedResponses": {}}, {"inlinedResponses": "x"}, {"responsesFile": ""}]
)
def test_success_without_any_row_is_not_ready(output):
    with pytest.raises(errors.ApiError) as caught:
        read(reply(ended(output)))
    assert caught.value.code == "ResultsNotReady"
    assert caught.value.hint


def test_success_without_any_row_long_ago_is_gone():
    with pytest.raises(errors.ApiError) as caught:
        read(reply(ended(None, ago=86401)))
    assert caught.value.code == "ResultsGone"


def test_without_an_end_time_results_may_still_come():
    with pytest.raises(errors.ApiError) as caught:
        read(reply(operation("BATCH_STATE_SUCCEEDED", metadata={"output": {"responsesFile": FILE}})), *MISSING[:1])
    assert caught.value.code == "ResultsNotReady"


@pytest.mark.parametrize("state", ["BATCH_STATE_RUNNING", "BATCH_STATE_DREAMING", 5])
def test_results_of_a_job_that_has_not_ended_are_not_ready(state):
    with pytest.raises(errors.ApiError) as caught:
        read(reply(ended(NESTED, state)))
    assert caught.value.code == "ResultsNotReady"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"key": "k", "response": {"a": 1}}, ResultItem("k", None, response={"a": 1})),
        ({"response": {}, "key": "k"}, ResultItem("k", None, response={})),
        ({"error": {"code": 1}}, ResultItem(None, None, error={"code": 1})),
        ({"response": {}, "error": {"code": 1}}, ResultItem(None, None, error={"code": 1})),
        (
            {"key": True, "response": {}, "metadata": {"key": "m", "index": "12"}},
            ResultItem("m", 12, response={}, members={"key": True}),
        ),
        (
            {"key": 5, "response": {}, "metadata": {"key": "m"}},
            ResultItem("5", None, response={}, members={"metadata": {"key": "m"}}, key_is_number=True),
        ),
        ({"response": {}, "metadata": {"index": "-1"}}, ResultItem(None, None, response={})),
        ({"response": {}, "metadata": {"index": "007"}}, ResultItem(None, None, response={})),
        ({"response": {}, "metadata": {"index": 3}}, ResultItem(None, 3, response={})),
        (
            {"response": {}, "metadata": {"batchctl-row": "r12", "index": "9", "key": "k", "lang": "fr"}},
            ResultItem("k", 12, response={}, members={"metadata": {"index": "9", "lang": "fr"}}),
        ),
        ({"response": {}, "metadata": "odd"}, ResultItem(None, None, response={}, members={"metadata": "odd"})),
        (
            {"id": "doc-1", "shelf": "A", "status": "draft", "response": {"candidates": [1]}},
            ResultItem(
                None, None, response={"candidates": [1]}, members={"id": "doc-1", "shelf": "A", "status": "draft"}
            ),
        ),
        (
            {"key": "k", "status": {"code": 3, "message": "no"}},
            ResultItem("k", None, error={"code": 3, "message": "no"}),
        ),
        ({"key": "k", "status": "quota gone"}, ResultItem("k", None, error={"code": 2, "message": "quota gone"})),
        ({"key": "k", "error": "quota gone"}, ResultItem("k", None, error={"code": 2, "message": "quota gone"})),
        ({"key": "k", "code": 3, "message": "no"}, ResultItem("k", None, error={"code": 3, "message": "no"})),
        (
            {"key": "k", "candidates": [1], "usageMetadata": {"promptTokenCount": 2}},
            ResultItem("k", None, response={"candidates": [1], "usageMetadata": {"promptTokenCount": 2}}),
        ),
        ({"key": "k", "response": '{"candidates": [1]}'}, ResultItem("k", None, response={"candidates": [1]})),
        ({"key": "k", "request": {"a": 1}, "response": {}}, ResultItem("k", None, response={}, request={"a": 1})),
        ({"key": "k", "output": [1]}, ResultItem("k", None, error=NOTHING, members={"output": [1]})),
        (
            {"key": "k", "code": 8, "message": "no", "custom_id": "u"},
            ResultItem("k", None, error={"code": 8, "message": "no"}, members={"custom_id": "u"}),
        ),
        ({"key": "k", "message": "hi", "shelf": 1}, ResultItem("k", None, error=NOTHING, members=SHELVED)),
        ({"key": "k", "response": "odd", "message": "hi"}, ResultItem("k", None, error=ODD, members={"message": "hi"})),
        (
            {"key": "k", "status": "RESOURCE_EXHAUSTED"},
            ResultItem("k", None, error={"code": 8, "message": "RESOURCE_EXHAUSTED"}),
        ),
        (
            {"key": "k", "status": 429},
            ResultItem("k", None, error={"code": 8, "message": "RESOURCE_EXHAUSTED", "raw": 429}),
        ),
        ({"key": "k", "error": 13}, ResultItem("k", None, error={"code": 13, "message": "INTERNAL", "raw": 13})),
        ({"key": "k", "status": 0}, ResultItem("k", None, error=NOTHING)),
        ({"key": 1.5, "response": {}}, ResultItem("1.5", None, response={}, key_is_number=True)),
        ({"metadata": {"key": 0.1}, "response": {}}, ResultItem("0.1", None, response={}, key_is_number=True)),
    ],
)
def test_items(item, expected):
    assert results.result_item(item) == expected


@pytest.mark.parametrize(
    "beside",
    [
        {"status": 200},
        {"status": 3},
        {"status": {"stage": "draft"}},
        {"error": True},
        {"error": {"note": "an error in the text"}},
        {"error": ["none"]},
        {"code": 3, "message": "the user's own"},
    ],
)
def test_what_a_user_calls_status_or_error_makes_no_error_of_an_answer(beside):
    found = results.result_item({"key": "k", "response": {"candidates": [1]}, **beside})
    assert found == ResultItem("k", None, response={"candidates": [1]}, members=beside)


@pytest.mark.parametrize("around", [{}, {"response": {}}, {"response": None}, {"status": ""}])
@pytest.mark.parametrize("name", ["result", "prediction", "generateContentResponse", None])
def test_an_answer_under_any_name_is_the_answer(around, name):
    answer = {"candidates": [1], "usageMetadata": {}}
    found = results.result_item({"key": "k", **around, **(answer if name is None else {name: answer})})
    assert found == ResultItem("k", None, response=answer)


def test_an_error_beside_an_answer_without_anything_around_it_counts():
    found = results.result_item({"key": "k", "candidates": [1], "error": {"code": 3, "message": "cut"}})
    assert found == ResultItem("k", None, error={"code": 3, "message": "cut", "details": [{"candidates": [1]}]})


def test_an_answer_that_a_row_goes_on_from_is_not_its_own():
    earlier = {"before": {"candidates": [1]}}
    assert results.result_item({"key": "k", **earlier}) == ResultItem("k", None, error=NOTHING, members=earlier)


def test_of_two_that_look_like_answers_neither_is_guessed():
    two = {"result": {"candidates": [1]}, "output": {"candidates": [2]}}
    assert results.result_item({"key": "k", **two}) == ResultItem("k", None, error=NOTHING, members=two)


@pytest.mark.parametrize(
    ("item", "raw"), [({}, {}), (5, {"raw": 5}), (None, {"raw": None}), ({"response": 5}, {"raw": 5})]
)
def test_a_row_that_holds_nothing_is_an_error_row(item, raw):
    assert results.result_item(item) == ResultItem(None, None, error={**NOTHING, **raw})


def test_an_inline_row_beyond_the_limit_costs_no_other_row():
    long = {"metadata": "m", "response": {"candidates": ["x" * 5000]}}
    items = [OK, {"key": "long", **long}, BAD]
    body = json.dumps(ended({"inlinedResponses": {"inlinedResponses": items}})).encode()
    found = []
    for one in results.inline_rows(io.BytesIO(body), results.Outline(), "batches.get", 1000):
        assert one.aside is None or json.loads(one.aside.read()) == items[1]
        found.append(one)
    assert [one.key for one in found] == ["k1", "long", "k2"]
    assert found[1].error is not None
    assert found[1].error["code"] == 15
    assert "limits.lineBytes" in str(found[1].error["message"])


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(ended(NESTED))[:-40],
        json.dumps(ended(NESTED)).replace('"k2"', '"k2'),
        "[1]",
        "",
        "<html>",
        json.dumps(ended({"responsesFile": "files/../batches"})),
        json.dumps(ended({"responsesFile": 5})),
    ],
)
def test_an_unreadable_job_is_a_bad_reply(body):
    with pytest.raises(errors.BadReply):
        read(httpx.Response(200, text=body))


def test_wrong_encoding_elsewhere_does_not_matter():
    body = json.dumps(ended(NESTED)).replace("Translate", "\xff").encode("latin-1")
    assert read(httpx.Response(200, content=body)) == ITEMS


def test_a_large_job_is_put_aside_on_disk(monkeypatch):
    monkeypatch.setattr(results, "_IN_MEMORY", 10)
    assert read(reply(ended(NESTED))) == ITEMS


class Breaks(httpx.SyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self):
        yield from self.chunks
        raise httpx.ReadError("reset")


def test_a_job_cut_off_midway_is_asked_for_again():
    half = json.dumps(ended(NESTED)).encode()[:300]
    script = Script(httpx.Response(200, stream=Breaks(half)), reply(ended(NESTED)))
    assert list(provider(script).read_results(JOB)) == ITEMS


def lines(*items: Any, end: str = "\n") -> bytes:
    return "".join(json.dumps(item) + end for item in items).encode()


IN_FILE = reply(ended({"responsesFile": FILE}))


@pytest.mark.parametrize(
    "body",
    [
        lines(OK, BAD),
        lines(OK, BAD).rstrip(),
        lines(OK, BAD, end="\r\n"),
        b"\n" + lines(OK) + b"  \n" + lines(BAD),
        lines({"key": "k1", "response": OK["response"], "metadata": {"index": "0"}}, BAD),
    ],
)
def test_result_file(body):
    script = Script(IN_FILE, httpx.Response(200, content=body))
    assert list(provider(script).read_results(JOB)) == ITEMS
    request = script.requests[1]
    assert (request.url.path, dict(request.url.params)) == (f"/v1/{FILE}:download", {"alt": "media"})


def test_lines_may_be_cut_anywhere_by_the_network():
    body = lines(OK, BAD)

    class Bytes(httpx.SyncByteStream):
        def __iter__(self):
            yield from (body[at : at + 1] for at in range(len(body)))

    assert read(IN_FILE, httpx.Response(200, stream=Bytes())) == ITEMS


def test_the_file_counts_when_inline_rows_are_missing():
    both = reply(ended({"responsesFile": FILE}, response={"responsesFile": FILE}))
    assert read(both, httpx.Response(200, content=lines(OK))) == ITEMS[:1]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: httpx.Response(200, content=b"<html>"), errors.BadReply),
        (lambda: httpx.Response(200, content=b"\xff\n"), errors.BadReply),
        (lambda: httpx.Response(200, stream=Breaks(lines(OK))), errors.ReplyLost),
        (lambda: httpx.Response(200, content=lines(OK), headers={"content-length": "999"}), errors.ReplyLost),
    ],
)
def test_a_result_file_is_never_silently_short(answer, kind):
    with pytest.raises(kind):
        read(IN_FILE, answer())


def test_a_truncated_download_differs_from_a_truncated_file():
    whole, cut = lines(OK, BAD), lines(OK, BAD)[:-20]
    with pytest.raises(errors.BadReply, match="cut off"):
        read(IN_FILE, httpx.Response(200, content=cut), httpx.Response(200, content=whole))
    good, odd = read(IN_FILE, *(httpx.Response(200, content=cut) for _ in range(2)))
    assert good == ITEMS[0]
    assert odd.error is not None
    assert odd.error["raw"] == lines(BAD)[:-20].decode()


def test_a_bad_line_costs_no_other_line():
    bad = b'{"key":"b","response":{"n":NaN}}\n'
    first, odd, last = read(IN_FILE, httpx.Response(200, content=lines(OK) + bad + lines(BAD)))
    assert [first, last] == ITEMS
    assert (odd.key, odd.response) == ("b", None)
    assert odd.error is not None
    assert odd.error["raw"] == bad.decode().strip()


def test_half_an_emoji_is_an_answer():
    """Valid JSON, and a model whose answer is cut off may produce it."""
    body = b'{"key":"b","response":{"text":"half \\ud83d"}}\n'
    assert read(IN_FILE, httpx.Response(200, content=body)) == [ResultItem("b", None, response={"text": "half \ud83d"})]


@pytest.mark.parametrize(
    ("bad", "member"),
    [
        (b'{"metadata":{"key":"b"},"response":{"n":-Infinity}}', "raw"),
        (b'{"metadata":{"key":"b"},"response":{"text":"\xe2\x82"}}', "rawBase64"),
    ],
)
def test_a_bad_inline_row_costs_no_other_row(bad, member):
    body = json.dumps(ended({"inlinedResponses": {"inlinedResponses": [OK, "HERE", BAD]}})).encode()
    first, odd, last = read(httpx.Response(200, content=body.replace(b'"HERE"', bad)))
    assert [first, last] == ITEMS
    assert (odd.key, odd.response) == ("b", None)
    assert odd.error is not None
    kept = odd.error[member]
    assert (kept.encode() if member == "raw" else base64.b64decode(kept)) == bad


def test_an_empty_result_file_is_not_ready():
    with pytest.raises(errors.ApiError) as caught:
        read(IN_FILE, httpx.Response(200, content=b"\n"))
    assert caught.value.code == "ResultsNotReady"


MISSING = [rpc_error(404, "NOT_FOUND"), rpc_error(403, "PERMISSION_DENIED"), rpc_error(400, "INVALID_ARGUMENT")]


@pytest.mark.parametrize("answer", MISSING)
def test_a_fresh_result_file_is_waited_for(answer):
    clock = MovedClock()
    assert read(IN_FILE, answer, httpx.Response(200, content=lines(OK)), clock=clock) == ITEMS[:1]
    assert clock.sleeps == [0.5]


@pytest.mark.parametrize("answer", MISSING)
def test_a_fresh_result_file_that_does_not_come_is_not_ready(answer):
    clock = MovedClock()
    with pytest.raises(errors.ApiStatus) as caught:
        read(IN_FILE, answer, clock=clock)
    assert (caught.value.code, caught.value.http) == ("ResultsNotReady", answer.status_code)
    assert len(clock.sleeps) == 4


@pytest.mark.parametrize("answer", MISSING)
def test_an_old_result_file_is_gone(answer):
    clock = MovedClock()
    with pytest.raises(errors.ApiStatus) as caught:
        read(reply(ended({"responsesFile": FILE}, ago=86401)), answer, clock=clock)
    assert caught.value.code == "ResultsGone"
    assert clock.sleeps == []


def test_opening_a_result_file_is_tried_again():
    answers = [httpx.ConnectError("refused"), rpc_error(503, "UNAVAILABLE"), httpx.Response(200, content=lines(OK))]
    assert read(IN_FILE, *answers) == ITEMS[:1]


def test_the_job_itself_may_be_gone():
    with pytest.raises(errors.NotFound) as caught:
        read(rpc_error(404, "NOT_FOUND"))
    assert caught.value.code == "NotFound"


def test_leaving_off_early_closes_the_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_lines, "_TOGETHER", 1)
    closed = []

    class Watched(httpx.SyncByteStream):
        def __iter__(self):
            yield lines(OK, BAD)
            yield lines(OK)

        def close(self) -> None:
            closed.append(True)

    rows = provider(Script(IN_FILE, httpx.Response(200, stream=Watched()))).read_results(JOB)
    assert next(rows) == ITEMS[0]
    assert closed == []
    rows.close()  # type: ignore[attr-defined]
    assert closed == [True]
