from __future__ import annotations

import base64
import gzip
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.model.keys import AttemptKey, Mark
from batchctl.model.ports.providers import ResultItem
from batchctl.providers.streamed_lines import lines as cut_lines
from batchctl.providers.vertex.mark_labels import mark_labels, own_folder
from batchctl.providers.vertex.output import read_output
from batchctl.providers.vertex.result_rows import result_item
from tests.support.long_mode import effort
from tests.support.scripted_api import NOW, MovedClock, Script, reply, rpc_error
from tests.support.scripted_cloud import Bucket, bigquery, lines, storage

REQUEST = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "labels": {"batchctl-row": "3"}}
RESPONSE = {"candidates": []}
OK = {"status": "", "processed_time": "2024-11-01T18:13:16.826+00:00", "request": REQUEST, "response": RESPONSE}
BAD_STATUS = (
    'Bad Request: {"error": {"code": 400, "message": "Please use a valid role: user, model.", '
    '"status": "INVALID_ARGUMENT"}}'
)
BAD = {"status": BAD_STATUS, "processed_time": "…", "request": REQUEST, "response": {}}
CANCELLED = {"code": 1, "message": "never processed: the job ended before this row"}
NOTHING = {"code": 2, "message": "the API gave neither a response nor an error for this row"}
DIRECTORY = "dest/prediction-model-2026-01-07T07:22:13.735709Z"
GCS_INFO = {"gcsOutputDirectory": f"gs://b/{DIRECTORY}"}
BQ_INFO = {"bigqueryOutputTable": "bq://p.d.t"}
GOOD = ["JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED"]
BAD_ENDS = ["JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"]


def item(**members: Any) -> ResultItem:
    return ResultItem(**{"key": None, "index": 3, "request": REQUEST, **members})


# One row


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (OK, item(response=RESPONSE)),
        (dict(reversed(OK.items())), item(response=RESPONSE)),
        (BAD, item(error={"code": 3, "message": "Please use a valid role: user, model."})),
        ({"request": REQUEST}, item(error=CANCELLED)),
        ({"request": REQUEST, "status": None, "response": None}, item(error=CANCELLED)),
        ({"request": REQUEST, "status": "", "response": {}}, item(error=NOTHING)),
        ({"request": REQUEST, "status": "", "response": None}, item(error=NOTHING)),
        ({"request": REQUEST, "response": {}}, item(error=NOTHING)),
        ({"request": REQUEST, "response": RESPONSE}, item(response=RESPONSE)),
        ({**OK, "key": "k"}, item(key="k", response=RESPONSE)),
        ({**OK, "key": None}, item(response=RESPONSE)),
        ({**OK, "key": 5}, item(key="5", response=RESPONSE, key_is_number=True)),
        ({**OK, "key": 5.0}, item(key="5", response=RESPONSE, key_is_number=True)),
        ({**OK, "key": True}, item(response=RESPONSE, members={"key": True})),
        (
            {**OK, "error": {"code": 13, "message": "m"}},
            item(error={"code": 13, "message": "m", "details": [RESPONSE]}),
        ),
        ({**OK, "error": "text of the user's"}, item(response=RESPONSE, members={"error": "text of the user's"})),
        (
            {**OK, "status": {"code": 8, "message": "m", "details": [1]}},
            item(error={"code": 8, "message": "m", "details": [1, RESPONSE]}),
        ),
        ({**OK, "status": {"code": 0}}, item(response=RESPONSE)),
        ({**OK, "status": "OK"}, item(response=RESPONSE)),
        ({**OK, "status": 200}, item(response=RESPONSE)),
        ({**OK, "response": [{"candidates": [1]}]}, item(response={"candidates": [1]})),
        (
            {**OK, "response": None, "error": {"code": 3, "message": "m"}, "status": "Bad"},
            item(error={"code": 3, "message": "m", "details": [{"status": "Bad"}]}),
        ),
        ({**OK, "status": 13}, item(error={"code": 13, "message": "INTERNAL", "raw": 13, "details": [RESPONSE]})),
        ({"prediction": {"candidates": [1]}, "request": REQUEST, "status": ""}, item(response={"candidates": [1]})),
        ({**OK, "response": {}, "status": [1]}, item(error={**NOTHING, "raw": [1]})),
        ({"request": REQUEST, "error": "quota gone"}, item(error={"code": 2, "message": "quota gone"})),
        (
            {"request": REQUEST, "response": {"error": {"code": 400, "message": "bad"}}},
            item(error={"code": 400, "message": "bad"}),
        ),
        (
            {"request": REQUEST, "response": {"error": "bad", "usage": 3}},
            item(error={"code": 2, "message": "bad", "details": [{"usage": 3}]}),
        ),
        (
            {"request": REQUEST, "response": {"error": {"code": 1}, "candidates": [1]}},
            item(response={"error": {"code": 1}, "candidates": [1]}),
        ),
        (
            {"request": REQUEST, "candidates": [1], "modelVersion": "m"},
            item(response={"candidates": [1], "modelVersion": "m"}),
        ),
        ({"request": REQUEST, "lang": "en", "id": 7}, item(error=CANCELLED, members={"lang": "en", "id": 7})),
        (
            {"request": REQUEST, "code": 3, "message": "mine"},
            item(error=CANCELLED, members={"code": 3, "message": "mine"}),
        ),
        ({**OK, "custom_id": "r1", "key": "k"}, item(key="k", response=RESPONSE, members={"custom_id": "r1"})),
        (
            {"custom_id": "r1", "id": "b", "response": {"status_code": 200, "body": {"choices": [1]}}, "error": None},
            ResultItem(
                None,
                None,
                response={"status_code": 200, "body": {"choices": [1]}},
                members={"custom_id": "r1", "id": "b"},
            ),
        ),
        (
            {"custom_id": "r1", "response": {"status_code": 429, "body": {"error": {"message": "slow down"}}}},
            ResultItem(
                None,
                None,
                error={
                    "code": 8,
                    "message": "slow down",
                    "details": [{"status_code": 429, "body": {"error": {"message": "slow down"}}}],
                },
                members={"custom_id": "r1"},
            ),
        ),
        (
            {"custom_id": "r1", "response": {"status_code": 500, "body": None}},
            ResultItem(
                None,
                None,
                error={"code": 13, "message": "HTTP 500", "details": [{"status_code": 500, "body": None}]},
                members={"custom_id": "r1"},
            ),
        ),
        ({**OK, "status": "Odd"}, item(error={"code": 2, "message": "Odd", "details": [RESPONSE]})),
        (
            {"key": "k", "request": {"content": {}}, "response": {"tokenCount": "2", "embedding": {"values": [0.5]}}},
            ResultItem(
                "k", None, response={"tokenCount": "2", "embedding": {"values": [0.5]}}, request={"content": {}}
            ),
        ),
        (
            {"instance": {"content": "hi"}, "predictions": [{"embeddings": {}}], "status": ""},
            ResultItem(None, None, response={"predictions": [{"embeddings": {}}]}, request={"content": "hi"}),
        ),
        (
            {"content": "hi", "predictions": '[{"embeddings": {}}]', "status": ""},
            ResultItem(None, None, response={"predictions": [{"embeddings": {}}]}, request={"content": "hi"}),
        ),
        ({"instance": {"content": "hi"}}, ResultItem(None, None, error=CANCELLED, request={"content": "hi"})),
        (
            {"instance": {"content": "hi"}, "predictions": [], "status": ""},
            ResultItem(None, None, error=NOTHING, request={"content": "hi"}),
        ),
        (
            {**OK, "request": json.dumps(REQUEST), "response": json.dumps(RESPONSE)},
            item(response=RESPONSE),
        ),
        ({**OK, "response": "{broken"}, item(error={**NOTHING, "raw": "{broken"})),
        ({**OK, "response": [1]}, item(error={**NOTHING, "raw": [1]})),
        ({}, ResultItem(None, None, error=NOTHING)),
        (5, ResultItem(None, None, error={**NOTHING, "raw": 5})),
        ({"request": "x"}, ResultItem(None, None, error=NOTHING, members={"request": "x"})),
    ],
)
def test_rows(row, found):
    assert result_item(row) == found


@pytest.mark.parametrize(
    ("label", "index"),
    [
        *[("0", 0), ("12", 12), ("999999999", 999999999), ("1" + "0" * 9, None), ("007", None), ("-1", None)],
        *[(5, 5), (5.0, 5), (5.5, None), (-5, None), (True, None)],
        *[("", None), ("\u0661", None), (None, None), ({}, None), ("r5", None)],
    ],
)
def test_the_index_of_older_releases_is_a_plain_number(label, index):
    assert result_item({"request": {"labels": {"batchctl-row": label}}}).index == index


@pytest.mark.parametrize(
    ("ones", "thousands", "index"),
    [
        *[("r0", "r0", 0), ("r999", "r0", 999), ("r0", "r1", 1000), ("r999", "r199", 199_999)],
        *[("0", "r0", None), ("r5", None, None), (None, "r5", None), ("r05", "r0", None), (5, 0, None)],
    ],
)
def test_the_index_is_in_two_labels(ones, thousands, index):
    labels = {"batchctl-row-ones": ones, "batchctl-row-thousands": thousands}
    assert result_item({"request": {"labels": labels}}).index == index


@pytest.mark.parametrize("labels", [None, [], "x", {}])
def test_without_labels_there_is_no_index(labels):
    assert result_item({"request": {"labels": labels}}).index is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"status": "RESOURCE_EXHAUSTED", "code": 429}, 8),
        ({"status": "FAILED_PRECONDITION", "code": 400}, 9),
        ({"status": "ABORTED", "code": 409}, 10),
        ({"status": "DATA_LOSS", "code": 500}, 15),
        ({"status": "UNKNOWN", "code": 500}, 2),
        *[({"code": http}, code) for http, code in [(400, 3), (401, 16), (403, 7), (404, 5), (409, 6), (429, 8)]],
        *[({"code": http}, code) for http, code in [(499, 1), (500, 13), (501, 12), (503, 14), (504, 4)]],
        ({"code": 3}, 3),
        ({"code": 999}, 2),
        ({"code": "400"}, 2),
        ({"code": True}, 2),
        ({"status": "NEW_ONE"}, 2),
        ({}, 2),
    ],
)
def test_error_codes_are_googles_numbers(error, code):
    status = f"Some words: {json.dumps({'error': error})} and more"
    assert result_item({"status": status, "request": {}}).error == {"code": code, "message": status}


@pytest.mark.parametrize(
    "status", ["Internal", "{", "} {", '{"error": 5}', '{"error": {"message": 5}}', "x" * 9 + "[" * 9, "{" * 5000]
)
def test_a_status_without_an_error_in_it_is_the_message(status):
    assert result_item({"status": status, "request": {}}).error == {"code": 2, "message": status}


# Files


def job(info: Any = GCS_INFO, state: str = GOOD[0], *, ago: float = 60, **members: Any) -> dict[str, Any]:
    ended = (NOW - timedelta(seconds=ago)).isoformat()
    found = {"name": "projects/1/locations/l/batchPredictionJobs/2", "state": state, "endTime": ended, **members}
    return found if info is None else {**found, "outputInfo": info}


def nowhere(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"no call is needed, but {request.url} was asked")


def read(found: dict[str, Any], bucket: Any = nowhere, tables: Any = nowhere) -> list[ResultItem]:
    clock = MovedClock()
    return list(read_output(found, storage(bucket, clock), bigquery(tables, clock)))


def numbered(number: int) -> dict[str, Any]:
    return {"status": "", "request": {"labels": {"batchctl-row": str(number)}}, "response": RESPONSE}


MARK = Mark("demo", "abc123", AttemptKey("j", 2), "d1:" + "0" * 12, "0123456789")


@pytest.mark.parametrize("state", [*GOOD, *BAD_ENDS])
def test_a_job_that_does_not_say_where_it_wrote_is_read_from_the_folder_of_its_attempt(state):
    bucket = Bucket(**{f"dest/{own_folder(MARK)}/prediction-x/incremental_predictions/0.jsonl": lines(OK)})
    config = {"gcsDestination": {"outputUriPrefix": f"gs://b/dest/{own_folder(MARK)}/"}}
    found = read(job(None, state, labels=mark_labels(MARK), outputConfig=config), bucket)
    assert found == [item(response=RESPONSE, early=True)]


def refused(_: httpx.Request) -> httpx.Response:
    return rpc_error(403)


@pytest.mark.parametrize(
    ("members", "waits"),
    [
        ({"state": "JOB_STATE_FAILED"}, False),
        ({"state": "JOB_STATE_FAILED", "completionStats": {"successfulCount": "1"}}, True),
        ({"state": "JOB_STATE_CANCELLED"}, True),
        ({"state": "JOB_STATE_FAILED", "info": GCS_INFO}, True),
    ],
)
def test_a_bucket_that_refuses_holds_up_what_may_have_results_alone(members, waits):
    config = {"gcsDestination": {"outputUriPrefix": f"gs://b/dest/{own_folder(MARK)}/"}}
    found = job(**{"info": None, "labels": mark_labels(MARK), "outputConfig": config, **members})
    if not waits:
        assert read(found, refused) == []
        return
    with pytest.raises(errors.ApiError):
        read(found, refused)


@pytest.mark.parametrize(
    ("labels", "uri"),
    [({}, f"gs://b/dest/{own_folder(MARK)}/"), (mark_labels(MARK), "gs://b/dest/"), (mark_labels(MARK), 5)],
)
def test_a_folder_that_others_may_write_to_is_not_guessed(labels, uri):
    config = {"gcsDestination": {"outputUriPrefix": uri}}
    assert read(job(None, "JOB_STATE_CANCELLED", labels=labels, outputConfig=config)) == []


@pytest.mark.parametrize(
    "name", ["predictions.json", "prediction.results-00000-of-00002", "predictions.jsonl-00001-of-00002"]
)
def test_files_in_parts_and_files_of_json_are_read(name):
    assert read(job(), Bucket(**{f"{DIRECTORY}/{name}": lines(OK)})) == [item(response=RESPONSE)]


def test_every_jsonl_file_below_the_directory_is_read():
    bucket = Bucket()
    for number, name in enumerate(["predictions.jsonl", "sub/2.jsonl", "sub/deep/1.jsonl", "z.jsonl"]):
        bucket.put(f"{DIRECTORY}/{name}", lines(numbered(number)))
    for name in [f"{DIRECTORY}/x.txt", f"{DIRECTORY}2/predictions.jsonl", f"{DIRECTORY}.jsonl", "dest/y.jsonl"]:
        bucket.put(name, b"not to be read")
    assert [one.index for one in read(job(), bucket)] == [0, 1, 2, 3]
    assert dict(bucket.requests[0].url.params)["prefix"] == f"{DIRECTORY}/"


@pytest.mark.parametrize("tail", ["", "/"])
def test_a_slash_at_the_end_of_the_directory_means_nothing(tail):
    bucket = Bucket(**{f"{DIRECTORY}/p.jsonl": lines(OK, BAD)})
    assert len(read(job({"gcsOutputDirectory": f"gs://b/{DIRECTORY}{tail}"}), bucket)) == 2


@pytest.mark.parametrize("body", [lines(OK, BAD).rstrip(), lines(OK, BAD).replace(b"\n", b"\r\n\n"), lines(OK, BAD)])
def test_lines(body):
    found = read(job(), Bucket(**{f"{DIRECTORY}/p.jsonl": body}))
    assert [one.error is None for one in found] == [True, False]


BROKEN = [
    (lines(numbered(1))[:-20], "raw", None),
    (b'{"key":"b","response":{"candidates":[{"avgLogprobs":NaN}]}}\n', "raw", "b"),
    (b'{"key":"b","response":{"text":"half \xe2\x82"}}\n', "rawBase64", "b"),
    (b'{"key":"b","response":{"text":"half \xed\xa0\x80"}}\n', "rawBase64", "b"),
    (b'{"id":7,"key":"b","response":{"text":"no end\n', "raw", "b"),
    (b'{"key":"b","response":{"n":' + b"[" * 100_000 + b"\n", "raw", "b"),
    (b'{"n":' + b"9" * 5000 + b"}\n", "raw", None),
    (b'{"key":"\\q","response":{"a":1}}\n', "raw", None),
    (b"<html>\n", "raw", None),
    (b"\xff\n", "rawBase64", None),
]


@pytest.mark.parametrize(("bad", "member", "key"), BROKEN)
def test_a_bad_line_costs_no_other_line_and_keeps_its_bytes(bad, member, key):
    before, odd, after = read(job(), Bucket(**{f"{DIRECTORY}/p.jsonl": lines(OK) + bad.rstrip() + b"\n" + lines(OK)}))
    assert (before, after) == (item(response=RESPONSE), item(response=RESPONSE))
    assert odd.error is not None
    assert (odd.key, odd.response, odd.error["code"]) == (key, None, 15)
    assert "line 2" in odd.error["message"]
    raw = odd.error[member]
    assert (raw.encode() if member == "raw" else base64.b64decode(raw)) == bad.rstrip()


def test_the_last_line_of_an_object_may_be_cut_off():
    """The object's size shows that it is complete."""
    good, odd = read(job(), Bucket(**{f"{DIRECTORY}/p.jsonl": lines(OK, BAD)[:-20]}))
    assert (good.error, odd.index) == (None, None)
    assert odd.error is not None
    assert odd.error["raw"] == lines(BAD)[:-20].decode()


TWO = [json.dumps({"key": key, "response": {"candidates": [1]}}).encode() for key in "ab"]
BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    "body",
    [
        b"".join(TWO),
        b"\r".join(TWO),
        (b"\n" + BOM).join(TWO),
        BOM + BOM.join(TWO),
        b"[" + b", ".join(TWO) + b"]",
        b"[\n" + b",\n".join(TWO) + b"\n]\n",
    ],
)
def test_rows_without_a_line_end_between_them_and_lists_of_rows_are_rows(body):
    found = read(job(), Bucket(**{f"{DIRECTORY}/p.jsonl": body}))
    assert [(one.key, one.response) for one in found] == [("a", {"candidates": [1]}), ("b", {"candidates": [1]})]


@pytest.mark.parametrize("rest", [b'{"key":"b","resp', b'{"key":"b","response":{"n":NaN}}', b"5", b"}"])
def test_what_cannot_be_read_behind_a_row_costs_this_row_nothing(rest):
    good, odd = read(job(), Bucket(**{f"{DIRECTORY}/p.jsonl": TWO[0] + rest + b"\n"}))
    assert (good.key, good.response) == ("a", {"candidates": [1]})
    assert odd.error is not None
    assert (odd.error["code"], odd.error["raw"]) == (15, rest.decode())


@pytest.mark.parametrize("start", [b"<!DOCTYPE html>", b"\n<html lang=en>", BOM + b"<?xml version='1.0'?>"])
def test_a_page_is_never_a_result(start):
    with pytest.raises(errors.BadReply, match="HTML"):
        read(job(), Bucket(**{f"{DIRECTORY}/p.jsonl": start + b'\n{"@context": "https://schema.org"}\n{a: b}\n'}))


@pytest.mark.parametrize(
    ("body", "says", "way_out"),
    [
        (gzip.compress(b"".join(TWO), mtime=0), "compressed with gzip, not lines of JSON", "decompress it first"),
        ("{}\n{}".encode("utf-16"), "UTF-16, not lines of JSON", "save it as UTF-8"),
        ("{}\n".encode("utf-16-le"), "UTF-16", "save it as UTF-8"),
        ("{}\n".encode("utf-32-be"), "UTF-32", "save it as UTF-8"),
        (b"PAR1\n{}", "a Parquet file", "convert it to lines of JSON"),
    ],
)
def test_a_result_file_of_another_form_is_named(body, says, way_out):
    with pytest.raises(errors.BadReply, match=f"p.jsonl: the result file is {says}") as caught:
        read(job(), Bucket(**{f"{DIRECTORY}/p.jsonl": body}))
    assert caught.value.hint.endswith(way_out)


@pytest.mark.parametrize("ago", [60, 10**7])
def test_packed_files_alone_are_no_reason_to_wait_or_to_give_up(ago):
    packed = {f"{DIRECTORY}/predictions.jsonl.gz": gzip.compress(b"".join(TWO))}
    with pytest.raises(errors.BadReply, match=r"predictions.jsonl.gz: the result file is compressed") as caught:
        read(job(ago=ago), Bucket(**packed))
    assert "ends with .jsonl" in caught.value.hint
    assert len(read(job(ago=ago), Bucket(**packed, **{f"{DIRECTORY}/p.jsonl": b"\n".join(TWO)}))) == 2


@pytest.mark.parametrize("body", [b"<p>", b"\xff\n", b"[]\n5\n", b"[\n]\n", b"body\n{\n  color: red\n}\n"])
def test_a_file_in_which_nothing_can_be_a_row_is_none(body):
    with pytest.raises(errors.BadReply, match="no line"):
        read(job(), Bucket(**{f"{DIRECTORY}/p.jsonl": body}))


def test_a_line_that_is_too_long_keeps_its_bytes_on_disk():
    long = b'{"key":"b","response":"' + b"x" * 200 + b'"}'
    bucket = Bucket(**{f"{DIRECTORY}/p.jsonl": lines(OK) + long + b"\n" + lines(OK) + long})
    found = read_output(job(), storage(bucket), bigquery(nowhere), limit=len(lines(OK)))
    kept = [(one.key, one.response is not None, one.aside.read() if one.aside else b"") for one in found]
    assert kept == [(None, True, b""), ("b", False, long), (None, True, b""), ("b", False, long)]


def test_a_long_line_may_come_in_any_pieces():
    body = b"a\n" + b"x" * 50 + b"\n\nb"
    for size in range(1, 60):
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        found = [line if isinstance(line, bytes) else line.content.read() for line in cut_lines(pieces, 9)]
        assert found == body.split(b"\n")


def test_what_was_written_before_the_end_comes_last():
    bucket = Bucket()
    for number, name in enumerate(["incremental_predictions/000.jsonl", "predictions.jsonl", "z/predictions.jsonl"]):
        bucket.put(f"{DIRECTORY}/{name}", lines(numbered(number)))
    bucket.put(f"{DIRECTORY}/incremental_predictions.jsonl", lines(numbered(3)))
    assert [(one.index, one.early) for one in read(job(), bucket)] == [(3, False), (1, False), (2, False), (0, True)]


def test_rows_are_streamed():
    bucket = Bucket(**{f"{DIRECTORY}/1.jsonl": lines(OK), f"{DIRECTORY}/2.jsonl": lines(BAD)})
    found = read_output(job(), storage(bucket), bigquery(nowhere))
    next(found)
    assert [one.url.path for one in bucket.requests if "alt" in one.url.params][-1].endswith("1.jsonl")


# Missing results


@pytest.mark.parametrize("state", BAD_ENDS)
@pytest.mark.parametrize("info", [None, {}, {"gcsOutputDirectory": ""}, [], "x"])
def test_a_job_that_ended_badly_may_have_written_nothing(state, info):
    assert read(job(info, state)) == []


@pytest.mark.parametrize("state", BAD_ENDS)
def test_a_job_that_ended_badly_may_have_left_its_place_empty(state):
    assert read(job(state=state), Bucket()) == []
    assert read(job(state=state), lambda _: rpc_error(404, "", "no bucket")) == []
    assert read(job(BQ_INFO, state), tables=lambda _: rpc_error(404, "NOT_FOUND")) == []


def test_a_job_that_ended_badly_keeps_what_it_wrote():
    bucket = Bucket(**{f"{DIRECTORY}/p.jsonl": lines(OK, {"request": REQUEST})})
    found = read(job(state="JOB_STATE_CANCELLED"), bucket)
    assert [one.error for one in found] == [None, CANCELLED]


EMPTY = [
    (None, {}),
    (GCS_INFO, {"bucket": Bucket()}),
    (GCS_INFO, {"bucket": Bucket(**{f"{DIRECTORY}/p.jsonl": b"\n"})}),
    (GCS_INFO, {"bucket": lambda _: rpc_error(404, "", "no bucket")}),
    (BQ_INFO, {"tables": lambda _: rpc_error(404, "NOT_FOUND")}),
    (BQ_INFO, {"tables": lambda _: reply({})}),
]


@pytest.mark.parametrize(
    ("state", "more"),
    [(GOOD[0], {}), (GOOD[1], {}), (BAD_ENDS[1], {"completionStats": {"successfulCount": "2"}})],
)
@pytest.mark.parametrize(("info", "places"), EMPTY)
@pytest.mark.parametrize(("ago", "code"), [(60, "ResultsNotReady"), (86_401, "ResultsGone")])
def test_results_that_must_be_somewhere(state, more, info, places, ago, code):
    with pytest.raises(errors.ApiError) as caught:
        read(job(info, state, ago=ago, **more), **places)
    assert caught.value.code == code
    assert caught.value.hint


def test_the_last_update_replaces_a_missing_end_time():
    found = {**job(None, ago=90_000), "updateTime": (NOW - timedelta(hours=25)).isoformat()}
    del found["endTime"]
    with pytest.raises(errors.ApiError) as caught:
        read(found)
    assert caught.value.code == "ResultsGone"
    del found["updateTime"]
    with pytest.raises(errors.ApiError) as caught:
        read(found)
    assert caught.value.code == "ResultsNotReady"


@pytest.mark.parametrize("kind", [errors.PermissionDenied, errors.ServerFailed])
def test_other_failures_are_raised_unchanged(kind):
    answer = rpc_error(403 if kind is errors.PermissionDenied else 503)
    with pytest.raises(kind):
        read(job(), lambda _: answer)
    with pytest.raises(kind):
        read(job(BQ_INFO), tables=lambda _: answer)


def test_a_file_that_goes_while_it_is_read_is_not_taken_for_all_of_them():
    bucket = Bucket(**{f"{DIRECTORY}/1.jsonl": lines(OK), f"{DIRECTORY}/2.jsonl": lines(OK)})
    found = read_output(job(ago=90_000), storage(bucket), bigquery(nowhere))
    next(found)
    del bucket.objects[f"{DIRECTORY}/2.jsonl"]
    with pytest.raises(errors.NotFound) as caught:
        list(found)
    assert caught.value.code == "NotFound"


@pytest.mark.parametrize(
    "info",
    [
        {"gcsOutputDirectory": "b/dest"},
        {"gcsOutputDirectory": "gs://b?alt=media/x"},
        {"gcsOutputDirectory": 5},
        {"bigqueryOutputTable": "bq://p.d.t/../x"},
        {"bigqueryOutputTable": "t"},
        {"bigqueryOutputTable": "x/y", "bigqueryOutputDataset": "bq://p.d"},
        {"bigqueryOutputDataset": "bq://p/d"},
        {"bigqueryOutputDataset": 5},
        {"vertexMultimodalDatasetName": "projects/1/locations/l/datasets/3"},
    ],
)
def test_places_are_checked_before_they_are_asked(info):
    with pytest.raises(errors.BadRequest) as caught:
        read(job(info))
    assert caught.value.code == "InvalidName"


# Tables

FIELDS = [
    {"name": name, "type": kind} for name, kind in [("request", "JSON"), ("response", "JSON"), ("status", "STRING")]
]


def cells(*values: Any) -> dict[str, Any]:
    return {"f": [{"v": value if value is None or isinstance(value, str) else json.dumps(value)} for value in values]}


@pytest.mark.parametrize(
    ("info", "config"),
    [
        (BQ_INFO, {}),
        ({"bigqueryOutputTable": "p.d.t"}, {}),
        ({"bigqueryOutputTable": "t", "bigqueryOutputDataset": "bq://p.d"}, {}),
        ({"bigqueryOutputTable": "t", "bigqueryOutputDataset": "p.d"}, {}),
        ({"bigqueryOutputTable": "bq://p.d.t", "bigqueryOutputDataset": "bq://p.d"}, {}),
        ({"bigqueryOutputDataset": "bq://p.d"}, {"bigqueryDestination": {"outputUri": "bq://p.d.t"}}),
        (
            {"vertexMultimodalDatasetName": "projects/1/locations/l/datasets/3"},
            {"vertexMultimodalDatasetDestination": {"bigqueryDestination": {"outputUri": "bq://p.d.t"}}},
        ),
    ],
)
def test_rows_of_a_table(info, config):
    first = {"rows": [cells(REQUEST, RESPONSE, ""), cells(REQUEST, {}, BAD_STATUS)], "pageToken": "x", "totalRows": "3"}
    last = {"rows": [cells(REQUEST, None, None)], "totalRows": "3"}
    script = Script(reply({"schema": {"fields": FIELDS}}), reply(first), reply(last))
    assert read(job(info, outputConfig=config), tables=script) == [
        item(response=RESPONSE),
        item(error={"code": 3, "message": "Please use a valid role: user, model."}),
        item(error=CANCELLED),
    ]
    assert {one.url.path for one in script.requests} == {
        "/bigquery/v2/projects/p/datasets/d/tables/t",
        "/bigquery/v2/projects/p/datasets/d/tables/t/data",
    }


@pytest.mark.parametrize("uri", ["bq://p", "bq://p.other.t", None])
def test_a_dataset_of_the_jobs_own_has_a_table_of_the_services_name(uri):
    script = Script(reply({"schema": {"fields": FIELDS}}), reply({"rows": [cells(REQUEST, RESPONSE, "")]}))
    config = {"bigqueryDestination": {"outputUri": uri}}
    read(job({"bigqueryOutputDataset": "bq://p.d"}, outputConfig=config), tables=script)
    assert script.requests[0].url.path.endswith("/datasets/d/tables/predictions")


def test_columns_of_the_users_own_do_no_harm():
    fields = [*FIELDS, {"name": "key", "type": "STRING"}, {"name": "error", "type": "STRING"}]
    page = {"rows": [cells(REQUEST, RESPONSE, "", "k", "mine")]}
    script = Script(reply({"schema": {"fields": fields}}), reply(page))
    assert read(job(BQ_INFO), tables=script) == [item(key="k", response=RESPONSE, members={"error": "mine"})]


# Arbitrary replies

NAMES = ["status", "request", "response", "labels", "batchctl-row", "instance", "predictions", "key", "error", "code"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["", "3", BAD_STATUS, "{}", '{"a": "\\ud800"}', "gs://b/x", "bq://p.d.t"])
)
ROWS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
)


@settings(max_examples=effort(30, 1500))
@given(ROWS | st.dictionaries(st.sampled_from(NAMES), ROWS))
def test_any_row_gives_an_item(row):
    found = result_item(row)
    assert (found.response is None) != (found.error is None)
    assert found.key is None or isinstance(found.key, str)
    assert found.index is None or found.index >= 0


INFOS = st.dictionaries(
    st.sampled_from(
        ["gcsOutputDirectory", "bigqueryOutputTable", "bigqueryOutputDataset", "vertexMultimodalDatasetName"]
    ),
    SCALARS,
)


@settings(max_examples=effort(30, 1500))
@given(
    st.binary(max_size=40) | ROWS.map(lambda row: json.dumps(row).encode()),
    INFOS,
    st.dictionaries(st.sampled_from(["state", "endTime", "completionStats", "outputConfig", "outputInfo"]), ROWS),
)
def test_any_line_and_any_job_give_rows_or_an_api_error(body, info, members):
    bucket = Bucket(**{"x/p.jsonl": body, f"{DIRECTORY}/p.jsonl": body})
    for found in (job(), {**job(info), **members}):
        with suppress(errors.ApiError):
            read(found, bucket, lambda _: reply({"schema": {"fields": FIELDS}, "rows": [cells({}, {}, "")]}))


@pytest.mark.parametrize(("ago", "code"), [(60, "ResultsNotReady"), (86_401, "ResultsGone")])
def test_a_refused_export_has_the_apis_message(ago, code):
    """Rows were answered and counted, but the folder is empty (reference 16): FAILED with code 7."""
    error = {"code": 7, "message": "Permission denied while writing to gs://out"}
    failed = job(GCS_INFO, "JOB_STATE_FAILED", ago=ago, completionStats={"successfulCount": "2"}, error=error)
    with pytest.raises(errors.ApiError, match=r"^Permission denied while writing to gs://out; ") as caught:
        read(failed, Bucket())
    assert (caught.value.code, "somebody moved" in caught.value.hint) == (code, False)
