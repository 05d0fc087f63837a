"""What a results folder tells of attempts, once the state is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchctl.model.cost.tokens import Counted, Modality, Tokens, Usage
from batchctl.model.errors import ResultsError
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.ports.inputs import InputRow, SentRows
from batchctl.model.ports.providers import ResultItem
from batchctl.rows.kept import read_kept
from batchctl.rows.results import ResultsFolder
from tests.support.values import replace

ACCOUNT = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
DIGEST = "d1:" + "ab" * 32
TIME = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
REMOTE = RemoteJob("batches/1", ACCOUNT, "x", None, "JOB_STATE_SUCCEEDED", create_time=TIME, end_time=TIME)
MARKS = {"stack": "shop", "uid": "abc123", "token": "token00001"}


def collect(root: Path, *, key: AttemptKey | None = None, known: SentRows | None = None, digest: str = DIGEST) -> Path:
    items = [ResultItem("a", None, response={"text": "fine"}), ResultItem("b", None, error={"code": 3})]
    made = ResultsFolder(root).collect(key or AttemptKey("job", 1), digest, REMOTE, items, known, MARKS)
    return root / made.path


def test_an_attempt_comes_back_as_it_was_collected(tmp_path: Path) -> None:
    collect(tmp_path, known=SentRows([InputRow(key, None) for key in "abc"]))
    (one,) = read_kept(tmp_path).kept
    assert (one.written_for, one.stack, one.uid) == ("job", "shop", "abc123")
    attempt = one.attempt
    assert (attempt.key, attempt.account, attempt.digest) == (AttemptKey("job", 1), ACCOUNT, DIGEST)
    assert (attempt.token, attempt.remote, attempt.state) == ("token00001", "batches/1", "JOB_STATE_SUCCEEDED")
    assert (attempt.rows, attempt.results) == (
        RowCounts(3, 1, 1, {"OK": 1, "INVALID_ARGUMENT": 1, "NO_RESULT": 1}),
        "job/abababab-1",
    )
    assert (attempt.create_time, attempt.start_time, attempt.end_time, attempt.adopted) == (TIME, None, TIME, True)


def test_the_tokens_of_its_answers_come_back(tmp_path: Path) -> None:
    usage = {"promptTokenCount": 250_000, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 249_000}]}
    items = [
        ResultItem("a", None, response={"usageMetadata": {**usage, "thoughtsTokenCount": 7}}),
        ResultItem("b", None, response={"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3}}),
        ResultItem("c", None, response={}),
    ]
    key = AttemptKey("job", 1)
    made = ResultsFolder(tmp_path).collect(key, DIGEST, REMOTE, items, None, MARKS)
    short = Tokens({Modality.TEXT: 5}, output={Modality.TEXT: 3})
    long = Tokens({Modality.TEXT: 1_000, Modality.AUDIO: 249_000}, thoughts=7)

    assert made.counted == Counted(Usage(short, long), 2, 1)
    assert read_kept(tmp_path).kept[0].attempt.counted == made.counted


def test_a_copy_of_results_cost_nothing(tmp_path: Path) -> None:
    collect(tmp_path)
    ResultsFolder(tmp_path).reuse(AttemptKey("job", 2), DIGEST, "job/abababab-1", MARKS)
    first, copy = read_kept(tmp_path).kept

    assert first.attempt.counted == Counted(Usage(), 0, 1)
    assert copy.attempt.counted is None


def test_a_manifest_of_an_earlier_release_has_no_tokens_by_kind(tmp_path: Path) -> None:
    path = collect(tmp_path) / "manifest.json"
    found = json.loads(path.read_text())
    del found["counted"]
    path.write_text(json.dumps(found))
    (one,) = read_kept(tmp_path).kept

    assert one.attempt.counted is None


def test_without_an_input_the_rows_are_those_that_came(tmp_path: Path) -> None:
    collect(tmp_path)
    assert read_kept(tmp_path).kept[0].attempt.rows == RowCounts(2, 1, 1, {"OK": 1, "INVALID_ARGUMENT": 1})


def test_all_folders_of_all_jobs_and_nothing_else(tmp_path: Path) -> None:
    for key in (AttemptKey("job", 1), AttemptKey("job", 2), AttemptKey("other", 1, 3)):
        collect(tmp_path, key=key)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "job" / "notes").mkdir()
    ResultsFolder(tmp_path).point_current("job", "job/abababab-1")
    (tmp_path / "link").symlink_to("job")
    (tmp_path / "job" / "abababab-9").symlink_to("abababab-1")
    found = read_kept(tmp_path)
    assert [one.attempt.results for one in found.kept] == ["job/abababab-1", "job/abababab-2", "other/abababab-1.3"]
    assert found.faults == ()


def test_no_folder_is_no_fault(tmp_path: Path) -> None:
    assert read_kept(tmp_path / "results").kept == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"format": "batchctl/results-manifest/v9"}, "another format"),
        ({"sha256": "00"}, "not those that were collected"),
        ({"job": None}, "not one of ours"),
        ({"account": "nowhere"}, "not an account"),
        ({"attempt": True}, "not one of ours"),
        ({"attempt": -1}, "cannot be: attempt"),
        ({"marks": {}}, "lacks 'token'"),
        ({"marks": []}, "not one of ours"),
        ({"rows": {"ok": 1, "failed": 1}}, "lacks 'missing'"),
        ({"endTime": "noon"}, "noon"),
        ({"endTime": "2026-11-22T10:00:00"}, "without a time zone"),
        ({"endTime": "0001-01-01T00:00:00+14:00"}, "a time that cannot be"),
        ({"createTime": "9999-12-31T23:59:59-14:00"}, "a time that cannot be"),
        ({"attempt": 0}, "cannot be: attempt"),
        ({"attempt": 1_000_000}, "cannot be: attempt"),
        ({"attempt": 10**30}, "cannot be: attempt"),
        ({"shard": 100_000}, "cannot be: shard"),
        ({"rows": {"ok": 10**30, "failed": 0, "missing": None}}, "cannot be: ok"),
        ({"rows": {"ok": 2**53, "failed": 1, "missing": None}}, "cannot be: rows"),
        ({"rows": {"ok": 1, "failed": 1, "missing": -1}}, "cannot be: missing"),
        ({"digest": "d1:zz"}, "a digest that batchctl never writes"),
        ({"digest": "d1:" + "a" * 63}, "a digest that batchctl never writes"),
        ({"digest": "d2:" + "a" * 64}, "a digest that batchctl never writes"),
        ({"state": "PWNED"}, "a state that batchctl never writes"),
        ({"state": "JOB_STATE_RUNNING"}, "a state that batchctl never writes"),
        ({"marks": {**MARKS, "token": "\udcff"}}, "surrogates not allowed"),
        ({"marks": {**MARKS, "token": "TOKEN00001"}}, "a token that batchctl never writes"),
        ({"marks": {**MARKS, "stack": "\udcff"}}, "surrogates not allowed"),
        ({"remote": ""}, "a remote that batchctl never writes"),
        ({"job": "../up"}, "a job that batchctl never writes"),
        ({"counted": []}, "not one of ours"),
        ({"counted": {"usage": {"short": {"input": {"TEXT": -1}}}, "rows": 1}}, "cannot be: counted"),
        ({"counted": {"usage": {}, "rows": 10**30}}, "cannot be: counted"),
        ({"counted": {"usage": {"short": {"input": {"SMELL": 1}}}, "rows": 1}}, "SMELL"),
        ({"counted": {"usage": {"short": 5}, "rows": 1}}, "Expected `object`"),
    ],
)
def test_what_is_not_sound_is_told_and_does_not_count(tmp_path: Path, change: dict[str, object], fault: str) -> None:
    collect(tmp_path, key=AttemptKey("sound", 1))
    path = collect(tmp_path) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    found = read_kept(tmp_path)
    assert [one.attempt.key.job for one in found.kept] == ["sound"]
    (words,) = found.faults
    assert words.startswith("job/abababab-1: ")
    assert fault in words


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_manifest_that_is_none(tmp_path: Path, content: bytes) -> None:
    (collect(tmp_path) / "manifest.json").write_bytes(content)
    found = read_kept(tmp_path)
    assert (found.kept, len(found.faults)) == ((), 1)


@pytest.mark.parametrize("name", ["manifest.json", "results.jsonl"])
def test_a_file_that_is_missing(tmp_path: Path, name: str) -> None:
    (collect(tmp_path) / name).unlink()
    assert read_kept(tmp_path).faults == (f"job/abababab-1: {name} is missing",)


def test_a_manifest_that_is_no_file(tmp_path: Path) -> None:
    path = collect(tmp_path) / "manifest.json"
    path.unlink()
    path.mkdir()
    assert read_kept(tmp_path).faults == ("job/abababab-1: manifest.json is missing",)


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": 999_999},
        {"digest": DIGEST[:15]},
        {"marks": {**MARKS, "token": ""}},
        {"createTime": "2026-11-22T12:00:00+02:00"},
        {"state": "JOB_STATE_EXPIRED"},
    ],
)
def test_what_is_odd_and_may_be(tmp_path: Path, change: dict[str, object]) -> None:
    path = collect(tmp_path) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    (one,) = read_kept(tmp_path).kept
    assert one.attempt.create_time == TIME


def test_a_folder_moves_once(tmp_path: Path) -> None:
    collect(tmp_path)
    assert ResultsFolder(tmp_path).rename_job("job", "new")
    assert not ResultsFolder(tmp_path).rename_job("job", "new")
    (one,) = read_kept(tmp_path).kept
    assert (one.attempt, one.written_for) == (
        replace(one.attempt, key=AttemptKey("new", 1), results="new/abababab-1"),
        "job",
    )


def test_a_folder_is_never_moved_over_another(tmp_path: Path) -> None:
    collect(tmp_path)
    collect(tmp_path, key=AttemptKey("new", 1))
    with pytest.raises(ResultsError, match="already exists"):
        ResultsFolder(tmp_path).rename_job("job", "new")
