"""Summaries of large files outlive a command, and nothing but the very same bytes finds them."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from batchctl.model.errors import RowsError
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import RowRules, RowsSummary
from batchctl.model.stack import LINE_BYTES
from batchctl.rows import file_reading, line_blocks, summary_cache, whole_files
from batchctl.rows.file_reading import FileReading
from batchctl.rows.reader import RowFiles
from batchctl.rows.summary_cache import settings_of

RULES = RowRules(Api.GEMINI, {"generationConfig": {"maxOutputTokens": 5}})


def written(path: Path, *texts: str, tier: str = "flex", key: str = "k") -> Path:
    rows = [
        {
            "key": f"{key}{number}",
            "request": {"contents": [{"role": "user", "parts": [{"text": text}]}], "serviceTier": tier},
        }
        for number, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(autouse=True)
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_files, "LEAST_BYTES", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "user" / "cache"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are parsed."""
    found: list[Path] = []
    real = FileReading.run

    def run(self: FileReading, content: line_blocks.ReadBytes) -> frozenset[int]:
        found.append(self._path)
        return real(self, content)

    monkeypatch.setattr(FileReading, "run", run)
    return found


def summary(
    folder: Path, path: Path, rules: RowRules | None = RULES, kind: Kind = Kind.BATCH_JOB, line_bytes: int = LINE_BYTES
) -> RowsSummary:
    """As a new process finds it."""
    return RowFiles(cache=folder).fingerprint(path, kind, line_bytes, rules)


def test_a_file_is_parsed_once(folder: Path, tmp_path: Path, readings: list[Path]) -> None:
    path = written(tmp_path / "rows.jsonl", "one", "two", tier="gold")
    first = summary(folder, path)
    assert first.warnings
    assert first.row_hashes is not None
    assert (first.members, first.output_tokens) == ({"contents": 2, "serviceTier": 2}, 10)
    assert summary(folder, path) == first
    assert len(readings) == 1
    copy = written(tmp_path / "copy.jsonl", "one", "two", tier="gold")
    assert summary(folder, copy) == first == RowFiles().fingerprint(copy, Kind.BATCH_JOB, rules=RULES)
    assert readings == [path, copy], "the copy is found by its bytes, and read by the last line alone"


def test_other_bytes_of_the_same_size_and_time_are_read(folder: Path, tmp_path: Path, readings: list[Path]) -> None:
    path = written(tmp_path / "rows.jsonl", "one")
    os.utime(path, ns=(1, 1))
    first = summary(folder, path)
    written(path, "two")
    os.utime(path, ns=(1, 1))
    assert summary(folder, path).sha256 != first.sha256
    assert len(readings) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"kind": Kind.EMBEDDINGS_BATCH_JOB, "rules": None},
        {"line_bytes": 300_000},
        {"rules": None},
        {"rules": RowRules(Api.VERTEX, RULES.defaults)},
        {"rules": RowRules(None, RULES.defaults)},
        {"rules": RowRules(Api.GEMINI)},
        {"rules": RowRules(Api.GEMINI, RULES.defaults, is_google_model=False)},
    ],
)
def test_other_settings_read_again(
    other: dict[str, object], folder: Path, tmp_path: Path, readings: list[Path]
) -> None:
    path = written(tmp_path / "rows.jsonl", "one")
    summary(folder, path)
    try:
        summary(folder, path, **other)  # type: ignore[arg-type]
    except RowsError:
        assert "kind" in other
    assert len(readings) == 2


def test_other_code_reads_again(
    folder: Path, tmp_path: Path, readings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "rows.jsonl", "one")
    summary(folder, path)
    monkeypatch.setattr(summary_cache, "_code", lambda: "newer")
    summary(folder, path)
    assert len(readings) == 2


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"\xff", b"{}", b'{"name": "x"}', b"9" * (2**20 + 5), b"cut", b"retyped", b"renamed", b"link"]
)
def test_a_damaged_entry_is_ignored_and_written_again(
    damage: bytes, folder: Path, tmp_path: Path, readings: list[Path]
) -> None:
    path = written(tmp_path / "rows.jsonl", "one")
    first = summary(folder, path)
    (entry,) = folder.iterdir()
    good = entry.read_bytes()
    match damage:
        case b"cut":
            entry.write_bytes(good[:-9])
        case b"retyped":
            entry.write_bytes(good.replace(b'"rows":1', b'"rows":"1"'))
        case b"renamed":
            entry.write_bytes(good.replace(b'"name":"', b'"name":"0'))
        case b"link":
            entry.rename(tmp_path / "elsewhere")
            entry.symlink_to(tmp_path / "elsewhere")
        case _:
            entry.write_bytes(damage)
    assert summary(folder, path) == first
    assert len(readings) == 2
    if damage != b"link":
        assert entry.read_bytes() == good
        assert summary(folder, path) == first
        assert len(readings) == 2


def test_it_is_private_and_has_no_prompt(folder: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", *["my secret prompt"] * 3)
    before = os.umask(0)
    try:
        summary(folder, path)
    finally:
        os.umask(before)
    (entry,) = folder.iterdir()
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"secret" not in entry.read_bytes()


def test_faults_are_found_each_time(folder: Path, tmp_path: Path, readings: list[Path]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"key": "a", "text": 5}\n')
    for _ in range(2):
        with pytest.raises(RowsError, match="text has to be a string"):
            summary(folder, path)
    assert len(readings) == 2
    assert not list(folder.iterdir())


@pytest.mark.parametrize("bad", ["file", "/dev/null/cache"])
def test_without_a_folder_files_are_read(bad: str, tmp_path: Path, readings: list[Path]) -> None:
    (tmp_path / "file").write_text("")
    path = written(tmp_path / "rows.jsonl", "one")
    assert summary(tmp_path / bad, path) == summary(tmp_path / bad, path)
    assert len(readings) == 2


def test_small_files_have_no_entry(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "rows.jsonl", "one")
    monkeypatch.setattr(whole_files, "LEAST_BYTES", path.stat().st_size + 1)
    summary(folder, path)
    assert not folder.exists()


def test_the_entries_that_were_used_last_are_kept(
    folder: Path, tmp_path: Path, readings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_cache, "MOST_ENTRIES", 2)
    one, two, three = (written(tmp_path / f"{text}.jsonl", text * 9) for text in "abc")
    for age, path in ((1, one), (2, two)):
        before = set(folder.iterdir()) if folder.exists() else set()
        summary(folder, path)
        (entry,) = set(folder.iterdir()) - before
        os.utime(entry, (age, age))
    summary(folder, one)
    summary(folder, three)
    assert len(list(folder.iterdir())) == 2
    summary(folder, one)
    assert readings == [one, two, three]
    summary(folder, two)
    assert readings == [one, two, three, two]


def test_the_hash_is_that_of_the_bytes_that_were_parsed(
    folder: Path, tmp_path: Path, readings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes while it is read twice, because keys might be repeated."""
    monkeypatch.setattr(file_reading, "mark_of", len)
    monkeypatch.setattr("batchctl.rows.key_marks.mark_of", len)
    path = written(tmp_path / "rows.jsonl", "one", "two")
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    real = line_blocks.HashedBytes.begin_again

    def begin_again(content: line_blocks.HashedBytes) -> None:
        written(path, "six", "ten")
        real(content)

    monkeypatch.setattr(line_blocks.HashedBytes, "begin_again", begin_again)
    found = summary(folder, path)
    assert len(readings) == 2
    assert summary(folder, path) == found, "found by the bytes of the second reading"
    assert len(readings) == 2
    assert found == RowFiles().fingerprint(path, Kind.BATCH_JOB, rules=RULES)


def test_settings_do_not_depend_on_the_order_of_members() -> None:
    defaults = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    one, other = (settings_of(Kind.BATCH_JOB, 5, RowRules(Api.GEMINI, given)) for given in defaults)
    assert one == other


def test_where_no_summary_can_be_kept_none_is_looked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "rows.jsonl", "one", "two")
    expected = summary(folder, path)
    monkeypatch.setattr("batchctl.rows.whole_files.HashedBytes", None)
    blocked = tmp_path / "file"
    blocked.touch()
    assert summary(blocked / "cache", path) == expected
    monkeypatch.setattr("os.access", lambda *_: False)
    assert summary(folder, path) == expected
