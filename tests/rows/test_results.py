"""The results folder: joined, sorted, durable, and never outside."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import random
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from batchctl.model.cost.tokens import Counted, Usage
from batchctl.model.errors import ReplyLost, ResultsError
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import InputRow, SentRows
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.results import Collected, ResultStore
from batchctl.rows import read, results
from batchctl.rows.folder import results_errors
from batchctl.rows.read import Gaps, find_current, read_gaps, read_results
from batchctl.rows.results import ResultsFolder
from tests.support.values import replace

DIGEST = "d1:0123abcd" + "e" * 56
KEY = AttemptKey("translate", 1)
MARKS = {"stack": "demo", "uid": "abc123"}
REMOTE = RemoteJob(
    name="batches/1",
    account=Account(Api.GEMINI, "emulator"),
    display_name="d [bc1 …]",
    mark=None,
    state="JOB_STATE_SUCCEEDED",
    model="gemini-2.5-flash",
    create_time=datetime(2026, 11, 22, 10, tzinfo=UTC),
)


VERDICTS = {"OK": 2, "INVALID_ARGUMENT": 1, "NO_RESULT": 1}


def good(key: str | None, index: int | None = None, text: str = "ok") -> ResultItem:
    return ResultItem(key, index, response={"text": text})


def bad(key: str | None, index: int | None = None) -> ResultItem:
    return ResultItem(key, index, error={"code": 3, "message": "no"})


def collect(
    root: Path, items: Iterable[ResultItem], keys: Sequence[str] | None = None, remote: RemoteJob = REMOTE
) -> Collected:
    store: ResultStore = ResultsFolder(root)
    return store.collect(
        KEY, DIGEST, remote, items, None if keys is None else SentRows([InputRow(key, None) for key in keys]), MARKS
    )


def rows(root: Path, found: Collected) -> list[dict]:
    return list(read_results(root / found.path))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "results"


def test_results_are_sorted_and_counted(root: Path) -> None:
    found = collect(root, [good("c"), bad("a"), good("x"), good("b")], ["a", "b", "c", "d"])
    assert found == Collected(
        "translate/0123abcd-1",
        ok=2,
        failed=1,
        missing=1,
        unmatched=1,
        verdicts=VERDICTS,
        came=3,
        counted=Counted(Usage(), 0, 3),
    )
    assert list(VERDICTS) == list(found.verdicts), "in the order of the codes"
    assert rows(root, found) == [
        {"key": "a", "index": 0, "verdict": "INVALID_ARGUMENT", "error": {"code": 3, "message": "no"}},
        {"key": "b", "index": 1, "verdict": "OK", "response": {"text": "ok"}},
        {"key": "c", "index": 2, "verdict": "OK", "response": {"text": "ok"}},
        {"key": "x", "index": None, "verdict": "OK", "response": {"text": "ok"}},
    ]


@pytest.mark.parametrize(
    ("item", "key", "index", "matched"),
    [
        (good("b"), "b", 1, True),
        (good("b", 1), "b", 1, True),
        (good("b", 0), "b", 1, True),
        (good("b", 99), "b", 1, True),
        (good(None, 1), "b", 1, True),
        (good(None, 2), None, None, False),
        (good(None, -1), None, None, False),
        (good(None), None, None, False),
        (good("x", 1), "x", None, False),
    ],
)
def test_the_key_wins_over_the_position(root: Path, item: ResultItem, key: str, index: int, matched: bool) -> None:
    found = collect(root, [item], ["a", "b"])
    (row,) = rows(root, found)
    assert (row["key"], row["index"]) == (key, index)
    assert (found.ok, found.unmatched, found.missing) == ((1, 0, 1) if matched else (0, 1, 2))


@pytest.mark.parametrize(
    ("items", "places", "unmatched"),
    [
        ([good("b"), good("a")], [("b", None), ("a", None)], 0),
        ([good("b", 1), good("a", 0)], [("a", 0), ("b", 1)], 0),
        ([good(None, 1), good(None, 0), good(None)], [(None, 0), (None, 1), (None, None)], 0),
        ([good(None, 0), good(None, 0, "other")], [(None, 0), (None, None)], 1),
        ([good("a", -1)], [("a", None)], 0),
    ],
)
def test_without_the_input_positions_are_taken_as_they_come(
    root: Path, items: list[ResultItem], places: list[tuple], unmatched: int
) -> None:
    found = collect(root, items)
    assert [(row["key"], row["index"]) for row in rows(root, found)] == places
    assert (found.ok, found.missing, found.unmatched) == (len(items) - unmatched, None, unmatched)


def test_a_result_that_came_twice_counts_once(root: Path) -> None:
    items = [bad("a"), good("a", text="1"), bad("a"), good("b"), good("a", text="1"), good("b", text="other")]
    found = collect(root, items, ["a", "b"])
    assert found == Collected(
        "translate/0123abcd-1",
        ok=2,
        failed=0,
        missing=0,
        unmatched=1,
        verdicts={"OK": 2},
        came=2,
        counted=Counted(Usage(), 0, 3),
    )
    assert [(row["index"], row["response"]["text"]) for row in rows(root, found)] == [
        (0, "1"),
        (1, "ok"),
        (None, "other"),
    ]


@given(st.randoms(use_true_random=False), st.integers(0, 30))
def test_a_shuffled_reply_gives_the_same_file(chance: random.Random, count: int) -> None:
    keys = [f"k{number}" for number in range(count)]
    items = [bad(key) if number % 5 == 4 else good(key, text="x" * number) for number, key in enumerate(keys)]
    with tempfile.TemporaryDirectory() as folder:
        first = collect(Path(folder) / "1", items, keys)
        mixed = chance.sample(items, count)
        second = collect(Path(folder) / "2", mixed, keys)
        assert first == second
        for name in ("results.jsonl", "manifest.json"):
            assert (Path(folder) / "1" / first.path / name).read_bytes() == (
                Path(folder) / "2" / first.path / name
            ).read_bytes()


def test_the_bytes_of_a_line_that_was_too_long_have_a_file_of_their_own(root: Path) -> None:
    def long(content: bytes) -> ResultItem:
        return structs.replace(bad("b"), aside=io.BytesIO(content))

    collect(root, [good("a"), long(b"first")], ["a", "b"])
    found = collect(root, [good("a"), long(b"second")], ["a", "b"])
    row = rows(root, found)[1]
    assert row["error"] == {"code": 3, "message": "no", "rawFile": "raw-1"}
    assert (root / found.path / "raw-1").read_bytes() == b"second"
    assert (root / found.path / "raw-1").stat().st_mode & 0o777 == 0o600


def test_members_beside_a_result_are_kept(root: Path) -> None:
    found = collect(root, [structs.replace(good("a"), members={"custom_id": "r1"})], ["a"])
    assert rows(root, found)[0]["input"] == {"custom_id": "r1"}


def test_the_manifest_tells_whose_results_these_are(root: Path) -> None:
    found = collect(root, [good("a"), bad("b")], ["a", "b"])
    folder = root / found.path
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest == {
        "format": "batchctl/results-manifest/v1",
        "job": "translate",
        "attempt": 1,
        "shard": 0,
        "digest": DIGEST,
        "account": "gemini emulator",
        "remote": "batches/1",
        "displayName": "d [bc1 …]",
        "model": "gemini-2.5-flash",
        "state": "JOB_STATE_SUCCEEDED",
        "createTime": "2026-11-22T10:00:00Z",
        "startTime": None,
        "endTime": None,
        "marks": MARKS,
        "rows": {
            "ok": 1,
            "failed": 1,
            "missing": 0,
            "unmatched": 0,
            "anonymous": 0,
            "verdicts": {"OK": 1, "INVALID_ARGUMENT": 1},
        },
        "tokens": None,
        "modelVersions": {},
        "usage": {"rows": 0},
        "counted": {"usage": {"short": {}, "long": {}}, "rows": 0, "uncounted": 1},
        "sha256": hashlib.sha256((folder / "results.jsonl").read_bytes()).hexdigest(),
        "bytes": (folder / "results.jsonl").stat().st_size,
    }
    assert sorted(item.name for item in folder.iterdir()) == ["manifest.json", "results.jsonl"]
    assert {stat.S_IMODE(item.stat().st_mode) for item in folder.iterdir()} == {0o600}
    assert [item.name for item in folder.parent.iterdir()] == ["0123abcd-1"]


def test_collecting_again_replaces(root: Path) -> None:
    first = collect(root, [good("a", text="half")], ["a", "b"])
    second = collect(root, [good("b"), good("a", text="whole")], ["a", "b"])
    assert first.path == second.path
    assert [row["response"]["text"] for row in rows(root, second)] == ["whole", "ok"]
    assert json.loads((root / second.path / "manifest.json").read_text())["rows"]["missing"] == 0
    assert [item.name for item in (root / "translate").iterdir()] == ["0123abcd-1"]


def test_another_remote_jobs_results_are_never_overwritten(root: Path) -> None:
    other = replace(REMOTE, name="batches/2")
    first = collect(root, [good("a", text="paid")], ["a"])
    second = collect(root, [good("a", text="also paid")], ["a"], other)
    again = collect(root, [good("a", text="also paid, again")], ["a"], other)
    assert [first.path, second.path, again.path] == ["translate/0123abcd-1"] + ["translate/0123abcd-1-2"] * 2
    assert rows(root, first)[0]["response"] == {"text": "paid"}
    assert rows(root, again)[0]["response"] == {"text": "also paid, again"}


@pytest.mark.parametrize("manifest", [None, b"", b"[]", b"{}", b'{"account": "gemini emulator"}'])
def test_a_folder_that_is_not_known_is_never_written_into(root: Path, manifest: bytes | None) -> None:
    mine = root / "translate" / "0123abcd-1"
    mine.mkdir(parents=True)
    (mine / "results.jsonl").write_text("mine")
    if manifest is not None:
        (mine / "manifest.json").write_bytes(manifest)
    found = collect(root, [good("a")], ["a"])
    assert found.path == "translate/0123abcd-1-2"
    assert (mine / "results.jsonl").read_text() == "mine"


def test_shards_and_attempts_have_folders_of_their_own(root: Path) -> None:
    store = ResultsFolder(root)
    paths = [
        store.collect(AttemptKey("a", attempt, shard), "d1:0123abcd4567", REMOTE, [], None, {}).path
        for attempt, shard in ((1, 0), (1, 2), (12, 0))
    ]
    assert paths == ["a/0123abcd-1", "a/0123abcd-1.2", "a/0123abcd-12"]
    for path in paths:
        store.point_current("a", path)


def test_no_results_are_results_too(root: Path) -> None:
    found = collect(root, [], ["a"])
    assert (found.ok, found.missing) == (0, 1)
    assert rows(root, found) == []


def test_whatever_an_api_sends_is_kept(root: Path) -> None:
    strange = {"a": "\ud800é", "b": [float("nan"), float("inf"), {"c": float("-inf")}, 1.5, None, True]}
    found = collect(root, [ResultItem("a", 0, response=strange), ResultItem("b", 1)], ["a", "b"])
    first, second = rows(root, found)
    assert first["response"] == {"a": "\ud800é", "b": ["NaN", "Infinity", {"c": "-Infinity"}, 1.5, None, True]}
    assert second == {"key": "b", "index": 1, "verdict": "UNKNOWN", "error": {}}


def test_a_reply_that_breaks_off_leaves_what_was_there(root: Path) -> None:
    def breaking() -> Iterator[ResultItem]:
        yield good("b")
        raise ReplyLost("cut")

    with pytest.raises(ReplyLost):
        collect(root, breaking(), ["a", "b"])
    assert list((root / "translate").iterdir()) == []
    found = collect(root, [good("a"), good("b")], ["a", "b"])
    with pytest.raises(ReplyLost):
        collect(root, breaking(), ["a", "b"])
    assert [row["key"] for row in rows(root, found)] == ["a", "b"]
    assert [item.name for item in (root / "translate").iterdir()] == ["0123abcd-1"]


def test_what_a_killed_process_left_is_swept_away(root: Path) -> None:
    part = root / "translate" / ".0123abcd-1.part"
    part.mkdir(parents=True)
    (part / "results.jsonl").write_text("half")
    found = collect(root, [good("a")], ["a"])
    assert not part.exists()
    assert len(rows(root, found)) == 1


def test_rows_are_in_place_before_the_manifest_vouches_for_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = collect(root, [good("a", text="old")], ["a"])
    replace_ = Path.replace

    def killed(path: Path, target: Path) -> Path:
        if path.name == "manifest.json":
            raise KeyboardInterrupt
        return replace_(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        collect(root, [good("a", text="new")], ["a"])
    monkeypatch.undo()
    assert rows(root, found)[0]["response"] == {"text": "new"}
    assert collect(root, [good("a", text="new")], ["a"]).path == found.path


def test_current_is_a_relative_link_that_moves(root: Path) -> None:
    assert find_current(root, "translate") is None
    store = ResultsFolder(root)
    first = collect(root, [good("a", text="1")], ["a"])
    second = collect(root, [good("a", text="2")], ["a"], replace(REMOTE, name="batches/2"))
    (root / "translate" / ".current.new").symlink_to("left over")
    for found in (first, second, first):
        store.point_current("translate", found.path)
        assert (root / "translate" / "current").readlink() == Path(found.path.removeprefix("translate/"))
        assert find_current(root, "translate") == (root / found.path).resolve()
    shutil.rmtree(root / first.path)
    assert find_current(root, "translate") is None


@pytest.mark.parametrize(
    "path", ["other/0123abcd-1", "translate/..", "translate", "translate/a/b", "/etc", "translate/x"]
)
def test_current_points_at_collected_folders_only(root: Path, path: str) -> None:
    with pytest.raises(ResultsError) as caught:
        ResultsFolder(root).point_current("translate", path)
    assert caught.value.code == "ResultsOutside"


@pytest.mark.parametrize("job", ["..", ".", "", "a/b", "/etc", "a\0", "A", "-a", "a" * 64, "a\n"])
def test_no_name_leads_out_of_the_folder(root: Path, job: str) -> None:
    with pytest.raises(ResultsError, match="leads out") as caught:
        ResultsFolder(root).collect(AttemptKey(job, 1), DIGEST, REMOTE, [], None, {})
    assert caught.value.code == "ResultsOutside"
    with pytest.raises(ResultsError):
        find_current(root, job)
    assert not root.exists()


@pytest.mark.parametrize("digest", ["", "d1:", "d1:../../..", "0123abcd", "d1:0123ABCD"])
def test_no_digest_leads_out_of_the_folder(root: Path, digest: str) -> None:
    with pytest.raises(ResultsError, match="not a digest"):
        ResultsFolder(root).collect(KEY, digest, REMOTE, [], None, {})


def test_no_link_leads_out_of_the_folder(root: Path, tmp_path: Path) -> None:
    found = collect(tmp_path / "elsewhere", [good("a")], ["a"])
    outside = tmp_path / "elsewhere" / found.path
    before = (outside / "results.jsonl").read_bytes()
    (root / "translate").mkdir(parents=True)
    (root / "translate" / "0123abcd-1").symlink_to(outside)
    (root / "translate" / "current").symlink_to(outside)
    (root / "linked").symlink_to(outside.parent)
    for use in (
        lambda: collect(root, [good("a", text="new")], ["a"]),
        lambda: find_current(root, "translate"),
        lambda: find_current(root, "linked"),
        lambda: ResultsFolder(root).point_current("linked", "linked/0123abcd-1"),
    ):
        with pytest.raises(ResultsError) as caught:
            use()
        assert caught.value.code == "ResultsOutside"
    assert (outside / "results.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "ResultsDiskFull"),
        (errno.EDQUOT, "ResultsDiskFull"),
        (errno.EROFS, "ResultsReadOnly"),
        (errno.EACCES, "ResultsPermission"),
        (errno.EPERM, "ResultsPermission"),
        (errno.EIO, "ResultsFailed"),
    ],
)
def test_faults_of_the_disk_are_mapped_and_leave_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fail(handle: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", fail)
    for folder in (root, root / "translate"):
        with pytest.raises(ResultsError) as caught:
            collect(root, [good("a")], ["a"])
        assert (caught.value.code, caught.value.exit_code) == (code, 1)
        assert "run the command again" in caught.value.hint
        assert list(folder.iterdir()) == []
        folder.joinpath("translate").mkdir(exist_ok=True)


def test_a_folder_that_cannot_be_written(unprivileged_root: tuple[Path, Callable[[], None]]) -> None:
    root, drop = unprivileged_root
    drop()
    with pytest.raises(ResultsError) as caught:
        collect(root, [good("a")], ["a"])
    assert caught.value.code == "ResultsPermission"


@pytest.fixture
def unprivileged_root() -> Iterator[tuple[Path, Callable[[], None]]]:
    """A results folder nobody may write to, and a way to be nobody; root may write everywhere."""
    folder = Path(tempfile.mkdtemp())
    root, was_root = folder / "results", os.geteuid() == 0
    root.mkdir()
    root.chmod(0o555)
    folder.chmod(0o755)
    yield root, lambda: os.seteuid(65534) if was_root else None
    if was_root:
        os.seteuid(0)
    root.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("raw", ["{", "[]", "[" * 100_000, "\n"])
def test_a_damaged_results_file_is_named(root: Path, raw: str) -> None:
    found = collect(root, [good("a")], ["a"])
    with (root / found.path / "results.jsonl").open("a") as stream:
        stream.write(raw)
    with pytest.raises(ResultsError, match="line 2 is not a result row") as caught:
        rows(root, found)
    assert caught.value.code == "ResultsCorrupt"


def test_a_line_without_end_is_not_read_into_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = collect(root, [good("a")], ["a"])
    monkeypatch.setattr(read, "_LONGEST", 1000)
    with (root / found.path / "results.jsonl").open("ab") as stream:
        stream.truncate(10 * 2**30)  # zeros, which take no room
    with pytest.raises(ResultsError, match="line 2 is longer than 1000 bytes"):
        rows(root, found)


@pytest.mark.parametrize(
    ("items", "keys", "gaps"),
    [
        ([good("a"), good("b")], ["a", "b"], Gaps(0, 0)),
        ([good("a"), good("a", text="other"), good("z")], ["a", "b", "c"], Gaps(2, 2)),
        ([good("a")], None, Gaps(0, 0)),
        ([good(None), good(None, text="other"), good("a")], None, Gaps(0, 0, 2)),
        ([structs.replace(good(None), members={"id": 1}), good(None, 4), good(None)], None, Gaps(0, 0, 1)),
        ([good(None)], None, Gaps(0, 0)),
    ],
)
def test_what_did_not_fit_together_is_told(
    root: Path, items: list[ResultItem], keys: list[str] | None, gaps: Gaps
) -> None:
    assert replace(read_gaps(root / collect(root, items, keys).path), verdicts={}) == gaps


@pytest.mark.parametrize(
    "raw", ["", "[]", "{}", "[" * 100_000, '{"rows": {"missing": 1}}', '{"rows": {"missing": "1", "unmatched": 1e999}}']
)
def test_a_damaged_manifest_is_named(root: Path, raw: str) -> None:
    folder = root / collect(root, [good("a")], ["a"]).path
    (folder / "manifest.json").write_text(raw)
    with pytest.raises(ResultsError, match=r"manifest\.json") as caught:
        read_gaps(folder)
    assert caught.value.code == "ResultsCorrupt"
    (folder / "manifest.json").unlink()
    with pytest.raises(ResultsError) as caught:
        read_gaps(folder)
    assert caught.value.code == "ResultsFailed"


def test_a_file_in_the_place_of_the_results_is_named_once(tmp_path: Path) -> None:
    root = tmp_path / "results"
    root.touch()
    with pytest.raises(ResultsError) as caught:
        collect(root, [good("a")], ["a"])
    assert caught.value.message == f"results in {root} cannot be read or written: Not a directory"


def test_results_that_are_not_there(root: Path) -> None:
    with pytest.raises(ResultsError) as caught:
        list(read_results(root))
    assert caught.value.code == "ResultsFailed"


def test_no_system_fault_comes_through_unmapped(root: Path) -> None:
    with pytest.raises(ResultsError, match="No such"), results_errors(root):
        raise FileNotFoundError(errno.ENOENT, "No such file")


def test_the_format_is_the_published_one() -> None:
    assert results.MANIFEST_FORMAT == "batchctl/results-manifest/v1"


def test_current_is_left_alone_when_it_is_right_and_never_points_at_nothing(tmp_path: Path) -> None:
    store = ResultsFolder(tmp_path)
    for name in ("0123abcd-1", "4567cdef-2"):
        (tmp_path / "a" / name).mkdir(parents=True)
    store.point_current("a", "a/0123abcd-1")
    made = (tmp_path / "a" / "current").lstat().st_ino
    store.point_current("a", "a/0123abcd-1")
    assert (tmp_path / "a" / "current").lstat().st_ino == made
    store.point_current("a", "a/4567cdef-2")
    store.point_current("a", "a/89abcdef-3")
    assert (tmp_path / "a" / "current").readlink() == Path("4567cdef-2")
