"""The client against the emulator, which was written independently from the reference: both must agree."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from batchctl.emulator.embedded import open_embedded
from batchctl.model import errors
from batchctl.model.kinds import Kind
from batchctl.model.observed import RowCounts
from batchctl.model.sources import InlineRows, RequestRow, UploadedFile
from batchctl.providers.gemini import file_upload
from batchctl.providers.gemini.provider import open_gemini
from tests.support.open_providers import open_flat
from tests.support.scripted_api import ACCOUNT, KEY, MARK, MovedClock, create_request, upload_of

BASE = "http://emulator.invalid"
ROWS = tuple(
    RequestRow(key, {"contents": [{"role": "user", "parts": [{"text": f"say {key}"}]}]}) for key in ("k1", "k2")
)


@pytest.fixture
def transport(tmp_path):
    opened = open_embedded(tmp_path / "emulator.db")
    yield opened
    opened.close()


@pytest.fixture
def control(transport):
    """Makes the emulator's control calls."""
    client = httpx.Client(transport=transport, base_url=BASE)

    def call(method: str, path: str, body: object = None):
        answer = client.request(method, f"/_emulator/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return call


@pytest.fixture
def gemini(transport):
    one = open_flat(
        open_gemini,
        ACCOUNT,
        api_key=KEY,
        base_url=BASE,
        uid="abc123",
        file_min_life=timedelta(hours=36),
        create_timeout=timedelta(seconds=5),
        display_name=128,
        clock=MovedClock(),
        random=lambda: 0.0,
        transport=transport,
    )
    yield one
    one.close()


def calls(control, method: str) -> int:
    return control("GET", "requests")["byMethod"].get(method, 0)


def test_an_inline_job_from_create_to_delete(gemini, control):
    made = gemini.create_job(create_request(source=InlineRows(ROWS)))
    assert (made.mark, made.model, made.state) == (MARK, "gemini-2.5-flash", "JOB_STATE_PENDING")
    assert [job.name for job in gemini.list_jobs()] == [made.name]

    control("POST", "clock", {"advance": "1h"})
    ended = gemini.get_job(made.name)
    assert gemini.confirm_clock()
    assert (ended.state, ended.rows, ended.mark) == ("JOB_STATE_SUCCEEDED", RowCounts(2, 2, 0), MARK)
    assert ended.create_time is not None
    assert ended.end_time is not None
    assert ended.create_time < ended.end_time <= gemini.now() + timedelta(seconds=1)

    rows = list(gemini.read_results(made.name))
    assert sorted((row.key, row.index) for row in rows) == [("k1", 0), ("k2", 1)]
    assert all(row.response and "candidates" in row.response for row in rows)

    gemini.delete_job(made.name)
    assert list(gemini.list_jobs()) == []
    with pytest.raises(errors.NotFound):
        gemini.get_job(made.name)
    with pytest.raises(errors.NotFound):
        gemini.delete_job(made.name)


def test_an_inline_embeddings_job(gemini, control):
    rows = tuple(RequestRow(f"e{number}", {"content": {"parts": [{"text": "a"}]}}) for number in range(3))
    made = gemini.create_job(
        create_request(kind=Kind.EMBEDDINGS_BATCH_JOB, model="gemini-embedding-001", source=InlineRows(rows))
    )
    control("POST", "clock", {"advance": "1h"})
    found = list(gemini.read_results(made.name))
    assert sorted((row.key, row.index) for row in found) == [("e0", 0), ("e1", 1), ("e2", 2)]
    assert all(row.response and row.response["embedding"]["values"] for row in found)


def lines(count: int, pad: int = 0) -> bytes:
    request = {"contents": [{"role": "user", "parts": [{"text": "x" * pad}]}]}
    return b"".join(json.dumps({"key": f"k{n}", "request": request}).encode() + b"\n" for n in range(count))


def test_a_file_job(gemini, control, monkeypatch):
    monkeypatch.setattr(file_upload, "CHUNK", 256 * 1024)
    content = lines(400, 2000)
    assert len(content) > 3 * file_upload.CHUNK
    name, expires = gemini.upload_file(upload_of(iter([content[:1000], content[1000:]]), len(content), "in.jsonl"))
    assert expires is not None
    assert timedelta(hours=47) < expires - gemini.now() < timedelta(hours=49)

    made = gemini.create_job(create_request(source=UploadedFile(name)))
    control("POST", "clock", {"advance": "1h"})
    assert gemini.get_job(made.name).rows == RowCounts(400, 400, 0)
    found = list(gemini.read_results(made.name))
    assert {row.key for row in found} == {f"k{n}" for n in range(400)}
    assert {row.index for row in found} == {None}


def test_an_empty_upload(gemini):
    name, _ = gemini.upload_file(upload_of([], 0, "empty.jsonl"))
    assert name.startswith("files/")


def test_row_errors_come_through(gemini, control):
    rule = {"match": {}, "fate": "rows", "rowError": {"code": 3, "message": "bad row", "share": 1}}
    control("PUT", "rules", [rule])
    made = gemini.create_job(create_request(source=InlineRows(ROWS)))
    control("POST", "clock", {"advance": "1h"})
    found = list(gemini.read_results(made.name))
    assert {row.key for row in found} == {"k1", "k2"}
    assert all(row.error and row.error["message"] == "bad row" and row.response is None for row in found)


@pytest.mark.parametrize(("fate", "state"), [("fail", "JOB_STATE_FAILED"), ("expire", "JOB_STATE_EXPIRED")])
def test_jobs_that_end_badly_have_no_results(gemini, control, fate, state):
    control("PUT", "rules", [{"match": {}, "fate": fate}])
    made = gemini.create_job(create_request(source=InlineRows(ROWS)))
    control("POST", "clock", {"advance": "72h"})
    ended = gemini.get_job(made.name)
    assert ended.state == state
    assert list(gemini.read_results(made.name)) == []


def test_cancel(gemini, control):
    control("PUT", "rules", [{"match": {}, "fate": "stuck"}])
    made = gemini.create_job(create_request(source=InlineRows(ROWS)))
    assert gemini.get_job(made.name).state in {"JOB_STATE_PENDING", "JOB_STATE_RUNNING"}
    gemini.cancel_job(made.name)
    control("POST", "clock", {"advance": "1h"})
    assert gemini.get_job(made.name).state == "JOB_STATE_CANCELLED"


def test_many_jobs_are_listed_over_pages(gemini):
    rows = (RequestRow("k", {"contents": [{"parts": [{"text": "x"}]}]}),)
    made = {gemini.create_job(create_request(source=InlineRows(rows))).name for _ in range(101)}
    assert {job.name for job in gemini.list_jobs()} == made


def test_empty_pages_in_between_are_read_over(gemini, control):
    made = gemini.create_job(create_request(source=InlineRows(ROWS)))
    control("PUT", "faults", [{"method": "batches.list", "kind": "emptyPage", "count": 1}])
    assert [job.name for job in gemini.list_jobs()] == [made.name]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [{"kind": "cut"}, {"kind": "status", "status": 503}])
def test_a_faulted_create_is_sent_once_and_is_ambiguous(gemini, control, fault, when):
    control("PUT", "faults", [{"method": "batches.create", "when": when, "count": 1, **fault}])
    with pytest.raises(errors.ApiError) as caught:
        gemini.create_job(create_request(source=InlineRows(ROWS)))
    assert caught.value.effect is errors.Effect.AMBIGUOUS
    assert calls(control, "batches.create") == 1
    assert [job.mark for job in gemini.list_jobs()] == ([MARK] if when == "after" else [])


def test_quota_at_create_is_no_effect(gemini, control):
    control(
        "PUT", "faults", [{"method": "batches.create", "kind": "status", "status": 429, "retryInfo": "7s", "count": 1}]
    )
    with pytest.raises(errors.QuotaExceeded) as caught:
        gemini.create_job(create_request(source=InlineRows(ROWS)))
    assert (caught.value.effect, caught.value.retry_after) == (errors.Effect.NONE, 7.0)


@pytest.mark.parametrize(
    "fault", [{"kind": "cut"}, {"kind": "status", "status": 503}, {"kind": "status", "status": 429}]
)
def test_faulted_reads_are_made_again(gemini, control, fault):
    made = gemini.create_job(create_request(source=InlineRows(ROWS)))
    control("PUT", "faults", [{"method": "batches.*", "count": 2, **fault}])
    assert [job.name for job in gemini.list_jobs()] == [made.name]
    assert gemini.get_job(made.name).name == made.name


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"source": UploadedFile("files/nosuchfile")}, errors.NotFound),
        ({"extra_body": {"noSuchField": 1}}, errors.BadRequest),
    ],
)
def test_refused_creates(gemini, changes, kind):
    with pytest.raises(kind) as caught:
        gemini.create_job(create_request(**{"source": InlineRows(ROWS), **changes}))
    assert caught.value.effect is errors.Effect.REFUSED
    assert list(gemini.list_jobs()) == []


def test_extra_body_reaches_the_job(gemini):
    made = gemini.create_job(create_request(source=InlineRows(ROWS), extra_body={"priority": "5"}))
    assert made.mark == MARK


def test_the_clock_is_the_emulators(gemini, control):
    list(gemini.list_jobs())
    assert gemini.confirm_clock()
    before = gemini.now()
    control("POST", "clock", {"advance": "48h"})
    list(gemini.list_jobs())
    assert gemini.confirm_clock()
    assert timedelta(hours=47, minutes=59) < gemini.now() - before < timedelta(hours=48, minutes=1)


def test_results_that_are_too_old_are_gone(gemini, control):
    content = lines(2)
    name, _ = gemini.upload_file(upload_of([content], len(content), "in.jsonl"))
    made = gemini.create_job(create_request(source=UploadedFile(name)))
    control("POST", "clock", {"advance": "2000h"})
    with pytest.raises(errors.ApiError) as caught:
        list(gemini.read_results(made.name))
    assert caught.value.code == "ResultsGone"


PROMPT = {"systemInstruction": {"parts": [{"text": "Be brief."}]}, **ROWS[0].request, "generationConfig": {"seed": 1}}


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "models/gemini-2.5-flash"])
def test_tokens_are_counted_as_a_job_reports_them(gemini, control, model):
    counted = gemini.count_tokens(model, PROMPT)
    made = gemini.create_job(create_request(source=InlineRows((RequestRow("k1", PROMPT),))))
    control("POST", "clock", {"advance": "3s"})
    [row] = gemini.read_results(made.name)
    assert row.response["usageMetadata"]["promptTokenCount"] == counted


def test_tuned_models_are_not_counted(gemini, control):
    assert gemini.count_tokens("tunedModels/mine", PROMPT) is None
    assert calls(control, "models.countTokens") == 0


def test_a_count_is_a_read(gemini, control):
    control("PUT", "faults", [{"method": "models.countTokens", "kind": "status", "status": 503, "count": 2}])
    assert gemini.count_tokens("gemini-2.5-flash", PROMPT) == 4
    assert calls(control, "models.countTokens") == 3
    with pytest.raises(errors.NotFound):
        gemini.count_tokens("gpt", PROMPT)
