"""The Vertex client against the emulator, which was written independently from the reference: both must agree."""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from batchctl.emulator.embedded import open_embedded
from batchctl.model import errors
from batchctl.model.codes import ErrorCode
from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.observed import RowCounts
from batchctl.model.row_marks import POSITION
from batchctl.model.sources import RemoteSource, RequestRow, UploadedFile
from batchctl.providers.cloud import storage
from batchctl.providers.google_credentials import StaticToken
from batchctl.providers.key_locks import KeyLocks
from batchctl.providers.vertex.provider import open_vertex
from batchctl.rows.expectation import Expectations
from batchctl.rows.join import ForeignRows, join_for
from tests.support.discovery_traffic import Traffic, all_faults
from tests.support.open_providers import open_flat
from tests.support.scripted_api import MARK, MovedClock, inline
from tests.support.scripted_cloud import upload_of
from tests.support.scripted_vertex import create_request

BASE = "http://emulator.invalid"
ACCOUNT = Account(Api.VERTEX, BASE, "demo", "us-central1")
PLACE = "projects/123456/locations/us-central1"
DATASET = "projects/demo/locations/us-central1/datasets/7"
TO = "gs://output/here/"
AT_ONCE = {"pending": "0s", "running": "0s"}


def asked(text: str, **members: object) -> dict[str, object]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **members}


SEED = {
    "settings": {**AT_ONCE, "operationDelay": "3s"},
    "projects": {"demo": 123456},
    "buckets": {
        "input": {
            "objects": {
                "one.jsonl": {"lines": [{"request": asked(text)} for text in "abc"]},
                "more/2.jsonl": {"lines": [{"key": "d", "request": asked("d")}, {"request": asked("a")}]},
                "embed.jsonl": {"lines": [{"key": "k", "request": {"content": {"parts": [{"text": "x"}]}}}]},
                "old.jsonl": {"lines": [{"content": "x"}]},
            }
        },
        "output": {},
        "staging": {},
    },
    "datasets": ["demo.answers"],
    "tables": {"demo.data.rows": {"rows": [{"request": asked("q"), "label": "x"}, {"request": asked("r")}]}},
    "multimodalDatasets": [{"name": DATASET, "uris": ["gs://input/one.jsonl"]}],
}
ONE = RemoteSource(("gs://input/one.jsonl",))
MANY = RemoteSource(("gs://input/one.jsonl", "gs://input/more/*"))


class SharedClock(MovedClock):
    """A clock whose sleeps also advance the emulator's clock."""

    def __init__(self, control) -> None:
        super().__init__()
        self._control = control

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._control("POST", "clock", {"advance": f"{math.ceil(seconds)}s"})


@pytest.fixture
def exchanges():
    """Every call to a documented service; all of them are documented, and are well-formed."""
    kept = []
    yield kept
    assert all_faults(kept) == []


@pytest.fixture
def transport(tmp_path, exchanges):
    opened = Traffic(open_embedded(tmp_path / "emulator.db"), exchanges)
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

    call("PUT", "seed", SEED)
    return call


@pytest.fixture
def clock(control):
    return SharedClock(control)


@pytest.fixture
def opened(transport, clock):
    """Opens providers, also for other stacks and with other credentials."""
    made = []

    def open_(**changes):
        settings = {
            "stack": MARK.stack,
            "uid": MARK.uid,
            "credentials": StaticToken("emulator"),
            "base_url": BASE,
            "storage_url": BASE,
            "bigquery_url": BASE,
            "staging_bucket": "gs://staging/rows/",
            "locks": KeyLocks(),
            "create_timeout": timedelta(seconds=5),
            "display_name": 128,
            "clock": clock,
            "random": lambda: 0.0,
            "transport": transport,
        }
        made.append(open_flat(open_vertex, ACCOUNT, **{**settings, **changes}))
        return made[-1]

    yield open_
    for one in made:
        one.close()


@pytest.fixture
def vertex(opened):
    return opened()


def create(vertex, source=ONE, **changes):
    """A job with the usual mark, unless it gets another number."""
    number = changes.pop("number", None)
    mark = MARK if number is None else Mark(MARK.stack, MARK.uid, AttemptKey("many", number, 0), MARK.digest, "t" * 10)
    return vertex.create_job(create_request(**{"source": source, "dest": TO, "mark": mark, **changes}))


def calls(control) -> Counter[str]:
    return Counter(control("GET", "requests")["byMethod"])


def texts(rows) -> list[str]:
    return [row.request["contents"][0]["parts"][0]["text"] for row in rows]


def test_a_job_from_create_to_delete(vertex, control, clock):
    made = create(vertex, labels={"team": "search"})
    assert made.name.startswith(f"{PLACE}/batchPredictionJobs/")
    assert (made.mark, made.model, made.display_name) == (MARK, "gemini-2.5-flash", "Translate")
    assert [job.name for job in vertex.list_jobs()] == [made.name]

    ended = vertex.get_job(made.name)
    assert (ended.state, ended.rows, ended.mark) == ("JOB_STATE_SUCCEEDED", RowCounts(3, 3, 0), MARK)
    assert ended.create_time <= ended.start_time <= ended.end_time
    assert list(vertex.list_jobs()) == [ended]

    rows = list(vertex.read_results(made.name))
    assert sorted(texts(rows)) == ["a", "b", "c"]
    assert texts(rows) != ["a", "b", "c"], "the emulator's order is another one, as the API's may be"
    assert all(row.response["candidates"] and row.error is None for row in rows)
    assert {(row.key, row.index) for row in rows} == {(None, None)}

    vertex.delete_job(made.name)
    assert clock.sleeps[0] == 0.5, "the operation was looked at again"
    assert calls(control)["operations.get"] >= 2
    assert list(vertex.list_jobs()) == []
    for call in (vertex.get_job, vertex.delete_job, vertex.cancel_job):
        with pytest.raises(errors.NotFound):
            call(made.name)


@pytest.mark.parametrize("form", ["{name}", "{id}", "projects/demo/locations/us-central1/batchPredictionJobs/{id}"])
def test_a_name_in_every_form(vertex, form):
    made = create(vertex)
    name = form.format(name=made.name, id=made.name.rpartition("/")[2])
    assert vertex.get_job(name).name == made.name
    assert len(list(vertex.read_results(name))) == 3
    vertex.cancel_job(name)
    vertex.delete_job(name)


@pytest.mark.parametrize(
    ("source", "dest", "found"),
    [
        (ONE, TO, "abc"),
        (ONE, "gs://output", "abc"),
        (MANY, TO, "aabcd"),
        (RemoteSource(("gs://input/**.jsonl",)), TO, None),
        (RemoteSource((DATASET,)), TO, "abc"),
        (ONE, "bq://demo.answers.one", "abc"),
        (RemoteSource(("bq://demo.data.rows",)), "bq://demo.answers.rows", "qr"),
        (RemoteSource(("bq://demo.data.rows",)), "bq://demo.answers", "qr"),
        (RemoteSource(("bq://demo.data.rows",)), "bq://demo", "qr"),
        (RemoteSource(("bq://demo.data.rows",)), TO, "qr"),
    ],
)
def test_sources_and_destinations(vertex, source, dest, found):
    job = vertex.get_job(create(vertex, source, dest=dest).name)
    if found is None:
        assert (job.state, job.error.code) == ("JOB_STATE_FAILED", 3)
        assert "has no request" in job.error.message
        return
    assert (job.state, job.rows) == ("JOB_STATE_SUCCEEDED", RowCounts(len(found), len(found), 0)), job.error
    rows = list(vertex.read_results(job.name))
    assert "".join(sorted(texts(rows))) == found
    assert all(row.response["candidates"] for row in rows)


def test_output_in_several_files_and_pages(vertex, tmp_path, control, monkeypatch):
    control("PUT", "seed", {"settings": {**AT_ONCE, "outputFiles": 3}})
    monkeypatch.setattr(storage, "_PAGING", storage.Paging("maxResults", 2))
    name = create(vertex, MANY).name
    assert sorted(texts(vertex.read_results(name))) == ["a", "a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("model", "uri"),
    [("gemini-embedding-001", "gs://input/embed.jsonl"), ("text-embedding-005", "gs://input/old.jsonl")],
)
def test_embeddings(vertex, model, uri):
    name = create(vertex, RemoteSource((uri,)), model=model).name
    (row,) = vertex.read_results(name)
    told = row.response.get("embedding") or row.response["predictions"][0]["embeddings"]
    assert told["values"]
    assert row.key == ("k" if "gemini" in model else None)


def lines(number: int, pad: int = 0) -> bytes:
    rows = (asked(f"{at} " + "x" * pad, labels={POSITION: str(at)}) for at in range(number))
    return b"".join(json.dumps({"request": row}).encode() + b"\n" for row in rows)


def test_a_local_file(vertex, control, monkeypatch):
    monkeypatch.setattr(storage, "CHUNK", 256 * 1024)
    content = lines(400, 2000)
    name, expires = vertex.upload_file(upload_of(content, step=100_000))
    assert (name.startswith("gs://staging/rows/"), expires) == (True, None)
    assert calls(control)["storage.objects.upload"] == math.ceil(len(content) / storage.CHUNK)
    sent = calls(control)
    assert vertex.upload_file(upload_of(content, step=100_000)) == (name, None)
    assert (calls(control) - sent).keys() == {"storage.objects.get"}, "the same file is never sent twice"

    made = create(vertex, UploadedFile(name))
    assert vertex.get_job(made.name).rows == RowCounts(400, 400, 0)
    rows = list(vertex.read_results(made.name))
    assert sorted(row.index for row in rows) == list(range(400))
    assert [row.index for row in rows] != list(range(400))
    assert all(texts([row]) == [f"{row.index} " + "x" * 2000] for row in rows)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [{"kind": "cut"}, {"kind": "status", "status": 503}])
def test_pieces_that_are_lost_are_sent_again(vertex, control, monkeypatch, fault, when):
    monkeypatch.setattr(storage, "CHUNK", 256 * 1024)
    content = lines(120, 3000)
    control("PUT", "faults", [{"method": "storage.objects.upload", "when": when, "count": 2, **fault}])
    name, _ = vertex.upload_file(upload_of(content, step=100_000))
    assert vertex.get_job(create(vertex, UploadedFile(name)).name).rows == RowCounts(120, 120, 0)


def test_a_staging_bucket_that_is_not_there(opened):
    vertex = opened(staging_bucket="gs://nowhere/rows/")
    with pytest.raises(errors.NotFound) as caught:
        vertex.upload_file(upload_of(lines(1)))
    assert "bucket nowhere" in caught.value.hint


@pytest.mark.parametrize("normalised", [False, True])
def test_rows_that_batchctl_never_sent_are_known_by_their_echo(vertex, control, normalised):
    """Two files that contain one and the same request; the echo comes in another order, and another spelling."""
    odd = {"systemInstruction": {"parts": [{"text": "s"}]}, "generation_config": {"temperature": 1.0, "top_k": 0}}
    objects = {"odd.jsonl": {"lines": [{"request": asked("a", **odd)}, {"request": asked("z", labels={"My": "x"})}]}}
    control("PUT", "seed", {"buckets": {"other": {"objects": objects}}})
    if normalised:
        control("PUT", "faults", [{"method": "batchPredictionJobs.create", "kind": "echoNormalised"}])
    source = RemoteSource((*MANY.uris, "gs://other/odd.jsonl"))
    rows = list(vertex.read_input(vertex.find_input(source)))
    assert [row.key for row in rows] == [None, None, None, "d", None, None, None]
    results = list(vertex.read_results(create(vertex, source).name))
    assert any("generation_config" in row.request for row in results) is not normalised
    join = join_for(ForeignRows(rows), io.BytesIO(), Expectations(io.BytesIO()))
    for item in results:
        join.add(item)
    settled = join.settle()
    found = list(settled.rows)
    assert found != sorted(found) == list(range(7))
    assert [texts([rows[index]]) for index in found] == [texts([row]) for row in results]
    assert settled.missing == 0


def test_row_errors_come_through(vertex, control):
    rule = {**AT_ONCE, "fate": "rows", "rowError": {"code": 8, "message": "bad row", "share": 1}}
    control("PUT", "rules", [rule])
    job = vertex.get_job(create(vertex).name)
    assert (job.state, job.rows) == ("JOB_STATE_SUCCEEDED", RowCounts(3, 0, 3))
    for row in vertex.read_results(job.name):
        assert (row.error["code"], row.error["message"], row.response) == (8, "bad row", None)


@pytest.mark.parametrize(
    ("rule", "state", "rows"),
    [
        ({"fate": "fail"}, "FAILED", 0),
        ({"fate": "expire"}, "EXPIRED", 0),
        ({"fate": "partial"}, "PARTIALLY_SUCCEEDED", 3),
    ],
)
def test_jobs_that_do_not_end_well(vertex, control, rule, state, rows):
    control("PUT", "rules", [{**AT_ONCE, **rule}])
    job = vertex.get_job(create(vertex).name)
    assert job.state == f"JOB_STATE_{state}"
    found = list(vertex.read_results(job.name))
    assert len(found) == rows
    assert sum(row.response is not None for row in found) == (2 if rows else 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": RemoteSource(("gs://nowhere/in.jsonl",))}, "The bucket nowhere of"),
        ({"source": RemoteSource(("gs://input/none.jsonl",))}, "does not exist"),
        ({"source": RemoteSource(("gs://input/none/*",))}, "No object matches"),
        ({"source": RemoteSource(("bq://demo.data.none",))}, "was not found"),
        ({"source": RemoteSource((DATASET.replace("/7", "/8"),))}, "does not exist"),
        ({"dest": "gs://nowhere/x/"}, "The bucket nowhere of the destination"),
        ({"dest": "bq://demo.data.rows"}, "already exists"),
        ({"dest": "bq://demo.nowhere.t"}, "was not found"),
        ({"source": UploadedFile("gs://staging/rows/gone.jsonl")}, "does not exist"),
    ],
)
def test_what_cannot_be_read_or_written_fails_the_job_and_not_the_call(vertex, changes, words):
    job = vertex.get_job(create(vertex, **changes).name)
    assert (job.state, job.error.code) == ("JOB_STATE_FAILED", 3)
    assert words in job.error.message
    assert list(vertex.read_results(job.name)) == []


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"model": "veo-3.0"}, errors.BadRequest),
        ({"model": "gemini"}, errors.NotFound),
        ({"model": "gemini-embedding-2"}, errors.BadRequest),
        ({"extra_body": {"noSuchField": 1}}, errors.BadRequest),
        ({"labels": {"Team": "x"}}, errors.BadRequest),
        ({"source": inline(RequestRow("k", {}))}, errors.BadRequest),
    ],
)
def test_refused_creates(vertex, control, exchanges, changes, kind):
    with pytest.raises(kind) as caught:
        create(vertex, **changes)
    assert caught.value.effect is errors.Effect.REFUSED
    assert control("GET", "jobs") == {"jobs": []}
    exchanges[:] = [one for one in exchanges if "noSuchField" not in changes.get("extra_body", {})]


def test_extra_body_reaches_the_job(vertex, transport):
    extra = {"modelParameters": {"x": [1]}, "serviceAccount": "a@b", "encryptionSpec": {"kmsKeyName": "k"}}
    made = create(vertex, extra_body={**extra, "labels": {"more": "x", "batchctl-job": "other"}})
    assert made.mark == MARK
    headers = {"authorization": "Bearer t"}
    with httpx.Client(transport=httpx.MockTransport(transport.handle_request), headers=headers) as client:
        told = client.get(f"{BASE}/v1/{made.name}").json()
    assert {name: told[name] for name in extra} == extra
    assert told["labels"]["more"] == "x"


def test_cancel(vertex, control):
    control("PUT", "rules", [{"pending": "0s", "running": "9h"}])
    name = create(vertex).name
    assert vertex.get_job(name).state == "JOB_STATE_RUNNING"
    with pytest.raises(errors.ApiError) as caught:
        list(vertex.read_results(name))
    assert caught.value.code == ErrorCode.RESULTS_NOT_READY
    with pytest.raises(errors.BadRequest) as caught:
        vertex.delete_job(name)
    assert caught.value.status == "FAILED_PRECONDITION"
    control("POST", "clock", {"advance": "6h"})
    vertex.cancel_job(name)
    vertex.cancel_job(name)
    assert vertex.get_job(name).state == "JOB_STATE_CANCELLING"
    control("POST", "clock", {"advance": "1s"})
    ended = vertex.get_job(name)
    assert (ended.state, ended.rows.ok, ended.error.code) == ("JOB_STATE_CANCELLED", None, 1)
    rows = list(vertex.read_results(name))
    assert [row.response is not None for row in rows].count(True) == 2
    assert len(rows) == 3


def test_only_the_stacks_own_jobs_are_listed_unless_all_are_asked_for(opened):
    ours, others = opened(), opened(stack="other", uid="ffffff")
    made = {create(ours, number=number).name for number in range(1, 104)}
    theirs = create(others, mark=Mark("other", "ffffff", MARK.key, MARK.digest, MARK.token)).name
    twin = create(others, mark=Mark(MARK.stack, "ffffff", MARK.key, MARK.digest, MARK.token)).name
    assert {job.name for job in ours.list_jobs()} == made
    assert {job.name for job in others.list_jobs()} == {theirs}
    assert {job.name for job in ours.list_jobs(foreign=True)} == {*made, theirs, twin}
    assert not ours.lists_foreign


def test_empty_pages_in_between_are_read_over(vertex, control):
    made = create(vertex)
    control("PUT", "faults", [{"method": "batchPredictionJobs.list", "kind": "emptyPage", "count": 1}])
    assert [job.name for job in vertex.list_jobs()] == [made.name]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [{"kind": "cut"}, {"kind": "status", "status": 503}])
def test_a_faulted_create_is_sent_once_and_is_ambiguous(vertex, control, fault, when):
    control("PUT", "faults", [{"method": "batchPredictionJobs.create", "when": when, "count": 1, **fault}])
    with pytest.raises(errors.ApiError) as caught:
        create(vertex)
    assert caught.value.effect is errors.Effect.AMBIGUOUS
    assert calls(control)["batchPredictionJobs.create"] == 1
    assert [job.mark for job in vertex.list_jobs()] == ([MARK] if when == "after" else [])


def test_quota_at_create_is_no_effect(vertex, control):
    fault = {"method": "batchPredictionJobs.create", "kind": "status", "status": 429, "retryInfo": "7s", "count": 1}
    control("PUT", "faults", [fault])
    with pytest.raises(errors.QuotaExceeded) as caught:
        create(vertex)
    assert (caught.value.effect, caught.value.retry_after) == (errors.Effect.NONE, 7.0)


@pytest.mark.parametrize(
    "fault", [{"kind": "cut"}, {"kind": "status", "status": 503}, {"kind": "status", "status": 429}]
)
@pytest.mark.parametrize("method", ["batchPredictionJobs.*", "storage.*", "bigquery.*"])
def test_faulted_reads_are_made_again(vertex, control, fault, method):
    made = create(vertex, MANY, dest="bq://demo.answers.t" if method == "bigquery.*" else TO)
    control("PUT", "faults", [{"method": method, "count": 2, **fault}])
    assert [job.name for job in vertex.list_jobs()] == [made.name]
    assert len(list(vertex.read_input(vertex.find_input(MANY)))) == len(list(vertex.read_results(made.name))) == 5


def test_a_lost_answer_to_a_delete(vertex, control):
    made = create(vertex)
    control("PUT", "faults", [{"method": "batchPredictionJobs.delete", "kind": "cut", "when": "after", "count": 1}])
    with pytest.raises(errors.NotFound):
        vertex.delete_job(made.name)
    assert list(vertex.list_jobs()) == []


def test_a_deleted_job_that_is_refused_is_not_proven_gone(vertex, control):
    made = create(vertex)
    vertex.delete_job(made.name)
    control("PUT", "faults", [{"method": "batchPredictionJobs.get", "kind": "forbiddenAfterDelete"}])
    with pytest.raises(errors.PermissionDenied):
        vertex.get_job(made.name)


@pytest.mark.parametrize("kind", ["listLag", "staleStats"])
def test_lists_that_lag(vertex, control, kind):
    made = create(vertex)
    delay = {"delay": "1h"} if kind == "listLag" else {}
    control("PUT", "faults", [{"method": "batchPredictionJobs.*", "kind": kind, **delay}])
    listed = list(vertex.list_jobs())
    assert len(listed) == (0 if kind == "listLag" else 1)
    if listed:
        assert (listed[0].state, listed[0].rows) == ("JOB_STATE_SUCCEEDED", RowCounts(3, 0, 0))
        assert len(list(vertex.read_results(made.name))) == 3


class TurningTokens(StaticToken):
    """An expired token, and a valid one once the first was refused."""

    def __init__(self) -> None:
        super().__init__("expired-token")
        self.renewals = 0

    def renew(self, refused) -> None:
        assert refused == {"authorization": "Bearer expired-token"}
        self.renewals += 1
        super().__init__("good-token")


def test_a_token_that_expires_on_the_way_is_renewed_once(opened, control):
    tokens = TurningTokens()
    vertex = opened(credentials=tokens)
    made = create(vertex)
    assert made.mark == MARK
    assert calls(control)["batchPredictionJobs.create"] == 2, "the first did nothing: it was answered 401"
    assert len(control("GET", "jobs")["jobs"]) == 1
    name, _ = vertex.upload_file(upload_of(lines(2)))
    assert vertex.get_job(create(vertex, UploadedFile(name), number=2).name).state == "JOB_STATE_SUCCEEDED"
    assert (calls(control)["batchPredictionJobs.create"], tokens.renewals) == (3, 1)


def test_a_token_that_stays_bad(opened, control):
    vertex = opened(credentials=StaticToken("expired-token"))
    for call in (lambda: create(vertex), lambda: list(vertex.list_jobs()), lambda: vertex.find_input(ONE)):
        with pytest.raises(errors.Unauthenticated):
            call()
    assert control("GET", "jobs") == {"jobs": []}


def test_the_clock_is_the_emulators(vertex, control):
    list(vertex.list_jobs())
    assert vertex.confirm_clock()
    before = vertex.now()
    control("POST", "clock", {"advance": "48h"})
    list(vertex.list_jobs())
    assert vertex.confirm_clock()
    assert timedelta(hours=47, minutes=59) < vertex.now() - before < timedelta(hours=48, minutes=1)


@pytest.mark.parametrize(("age", "code"), [("0s", ErrorCode.RESULTS_NOT_READY), ("48h", ErrorCode.RESULTS_GONE)])
@pytest.mark.parametrize("dest", [TO, "bq://demo.answers.t"])
def test_results_that_were_deleted(vertex, control, transport, age, code, dest):
    made = create(vertex, dest=dest)
    assert len(list(vertex.read_results(made.name))) == 3
    headers = {"authorization": "Bearer t"}
    with httpx.Client(transport=httpx.MockTransport(transport.handle_request), headers=headers) as client:
        if dest == TO:
            (item,) = client.get(f"{BASE}/storage/v1/b/output/o").json()["items"]
            path = item["name"].replace("/", "%2F").replace(":", "%3A")
            assert client.delete(f"{BASE}/storage/v1/b/output/o/{path}").status_code == 204
        else:
            path = "/bigquery/v2/projects/demo/datasets/answers/tables/t"
            assert client.delete(f"{BASE}{path}").status_code == 204
    control("POST", "clock", {"advance": age})
    list(vertex.list_jobs())
    with pytest.raises(errors.ApiError) as caught:
        list(vertex.read_results(made.name))
    assert caught.value.code == code


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash"])
def test_tokens_are_counted_without_what_the_call_does_not_know(vertex, model):
    request = asked("abcdefgh", systemInstruction={"parts": [{"text": "Be brief."}]}, labels={"a": "b"})
    assert vertex.count_tokens(model, request) == 5


@pytest.mark.parametrize("model", ["publishers/meta/models/llama-4", "projects/demo/locations/us-central1/models/7"])
def test_models_of_others_are_not_counted(vertex, control, model):
    assert vertex.count_tokens(model, asked("a")) is None
    assert calls(control)["publishers.models.countTokens"] == 0
