"""Rows that were checked are read again without the same proofs, and only if their bytes are the same."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.forms import gap_texts
from batchctl.model.kinds import Kind
from batchctl.model.sources import LocalFile
from batchctl.rows import encoded_ahead, file_blocks, line_blocks, line_forms
from batchctl.rows.checked_files import CheckedFile, CheckedFiles, OtherBytes
from batchctl.rows.encode import RowEncoder
from batchctl.rows.job_rows import JobRows
from batchctl.rows.whole_files import summarize
from tests.support.decisions import job
from tests.support.row_files import EMBEDDING, FORMS, content, file_of
from tests.support.values import replace

LINE_BYTES = 2**20
DEFAULTS: list[dict[str, Any]] = [{}, {"systemInstruction": "Be “brief” \x7f."}, {"labels": {"team": "a"}}]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    set_block(monkeypatch, 1000)
    monkeypatch.setattr(encoded_ahead, "LEAST_BYTES", 0)


def set_block(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK", size)
    monkeypatch.setattr(file_blocks, "BLOCK", size)


def checked_job(path: Path, checked: CheckedFiles | None, kind: Kind = Kind.BATCH_JOB, **changes: Any) -> DesiredJob:
    """A job over a file that is checked now."""
    summary = summarize(path, kind, LINE_BYTES, checked=checked)
    source = LocalFile(path, summary.sha256, summary.rows, path.stat().st_size)
    return replace(job(work="1", model="gemini-2.5-flash"), source=source, kind=kind, **changes)


def read(wanted: DesiredJob, checked: CheckedFiles | None) -> tuple[object, ...]:
    """The rows as they are chosen, and their upload."""
    encoder = RowEncoder(LINE_BYTES, checked=checked)
    rows = list(encoder.rows(wanted, ahead=True) or ())
    with encoder.encode_file(wanted).content as file:
        file.seek(0)
        return rows, file.read()


def write(path: Path, texts: list[str], *, ascii_: bool = False) -> None:
    rows = [{"key": f"k{number:03}", "request": {"contents": [content(text)]}} for number, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row, ensure_ascii=ascii_) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize("seed", range(80))
def test_the_rows_are_the_same(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    set_block(monkeypatch, draw.choice([200, 500, 3000]))
    path, checked = tmp_path / "rows.jsonl", CheckedFiles()
    kind = draw.choice([Kind.BATCH_JOB, Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB])
    others = [form for form in FORMS if form is not EMBEDDING]
    path.write_bytes(file_of(draw, others if kind is Kind.BATCH_JOB else [FORMS[0], EMBEDDING], is_sound=True))
    defaults = draw.choice(DEFAULTS) if kind is Kind.BATCH_JOB else {}
    wanted = checked_job(path, checked, kind, request=defaults)
    assert read(wanted, checked) == read(wanted, None)


@pytest.mark.parametrize(
    ("texts", "ascii_", "proofs"),
    [
        (["hi", 'a "b"\n', "x" * 50], False, 0),
        (["é Ж 😀", "hi", "\\"], False, 0),
        # These escapes are not the ones that uploads have.
        (["é Ж 😀", "hi"], True, 1),
    ],
)
def test_texts_are_proven_once(
    texts: list[str], ascii_: bool, proofs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, checked = tmp_path / "rows.jsonl", CheckedFiles()
    write(path, texts * 100, ascii_=ascii_)
    wanted = checked_job(path, checked)
    expected = read(wanted, None)
    proven: list[int] = []
    real = gap_texts.prove
    monkeypatch.setattr(line_forms, "prove", lambda *given: proven.append(1) or real(*given))
    assert read(wanted, checked) == expected
    assert bool(proven) == bool(proofs)


def _other_text(whole: bytes) -> bytes:
    return whole.replace(b"text 250.", b"text 999.")


def _broken(whole: bytes) -> bytes:
    return whole.replace(b'"k250", ', b'"k250" ')


def _longer(whole: bytes) -> bytes:
    return whole + whole.splitlines(keepends=True)[-1].replace(b"k299", b"k300")


def _shorter(whole: bytes) -> bytes:
    return b"".join(whole.splitlines(keepends=True)[:-40])


def _swapped(whole: bytes) -> bytes:
    lines = whole.splitlines(keepends=True)
    return b"".join([*lines[:100], lines[200], *lines[101:200], lines[100], *lines[201:]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_other_text, "its rows are others"),
        (_broken, "line 251"),
        (_longer, "its rows are others"),
        (_shorter, "its rows are others"),
        (_swapped, "its rows are others"),
        (lambda _: b"", "has no rows"),
    ],
)
def test_a_file_that_changed_is_refused(change: Callable[[bytes], bytes], words: str, tmp_path: Path) -> None:
    path, checked = tmp_path / "rows.jsonl", CheckedFiles()
    write(path, [f"This is text {number}." for number in range(300)])
    wanted = checked_job(path, checked)
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert path.read_bytes() != before
    with pytest.raises(ResultsError, match=f"changed while the command ran: .*{words}") as found:
        read(wanted, checked)
    assert found.value.code == "InputChanged"
    path.write_bytes(before)
    assert read(wanted, checked) == read(wanted, None)


@pytest.mark.parametrize("key", ["k000", "k005", "k250", "k299"])
def test_other_spaces_are_no_other_rows(key: str, tmp_path: Path) -> None:
    path, checked = tmp_path / "rows.jsonl", CheckedFiles()
    write(path, [f"This is text {number}." for number in range(300)])
    wanted = checked_job(path, checked)
    expected = read(wanted, None)
    path.write_bytes(path.read_bytes().replace(f'"{key}", '.encode(), f'"{key}",'.encode()))
    assert read(wanted, checked) == expected
    path.write_bytes(path.read_bytes().replace(b'"k299",', b'"k299" '))
    with pytest.raises(ResultsError, match="line 300"):
        read(wanted, checked)


def test_a_file_that_changes_all_the_time(tmp_path: Path) -> None:
    """Rows that came before a change are not sent with others after it."""
    path, checked = tmp_path / "rows.jsonl", CheckedFiles()
    write(path, [f"This is text {number}." for number in range(300)])
    wanted = checked_job(path, checked)
    blocks = JobRows(wanted, LINE_BYTES, checked).blocks(wanted.source)  # type: ignore[arg-type]
    first = [next(blocks) for _ in range(3)]
    path.write_bytes(path.read_bytes().replace(b'", "', b'",%b"' % (b" " * 40)))
    with pytest.raises(ResultsError, match="its rows are others"):
        list(blocks)
    assert sum(map(len, first)) < 40


def test_a_file_that_was_checked_again_has_other_rows(tmp_path: Path) -> None:
    """What was shown belongs to the rows that it was shown of, whatever job reads the file."""
    path, checked = tmp_path / "rows.jsonl", CheckedFiles()
    write(path, [f"This is text {number}." for number in range(300)])
    wanted = checked_job(path, checked)
    path.write_bytes(_other_text(path.read_bytes()))
    other = checked_job(path, checked)
    assert read(other, checked) == read(other, None)
    with pytest.raises(ResultsError, match="its rows are others"):
        read(wanted, checked)


def test_a_key_that_has_a_suspicious_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is read twice to be checked, and what the second reading has shown counts."""
    monkeypatch.setattr("batchctl.rows.key_marks.mark_of", lambda key: int(key[1:]) % 7)
    path, checked = tmp_path / "rows.jsonl", CheckedFiles()
    write(path, [f"This is text {number}." for number in range(300)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(reversed(lines)))
    wanted = checked_job(path, checked)
    assert isinstance(wanted.source, LocalFile)
    assert checked.find(path, Kind.BATCH_JOB, LINE_BYTES, wanted.source.sha256) is not None
    assert read(wanted, checked) == read(wanted, None)


@pytest.mark.parametrize(
    ("texts", "is_kept"),
    [
        (["hi"] * 100, True),
        (["hi"] * 3, False),
        (["hi"] * 60 + ["a line that is longer than a block " * 100] + ["hi"] * 60, False),
    ],
)
def test_what_saves_nothing_is_not_kept(texts: list[str], is_kept: bool, tmp_path: Path) -> None:
    path, checked = tmp_path / "rows.jsonl", CheckedFiles()
    write(path, texts)
    wanted = checked_job(path, checked)
    assert isinstance(wanted.source, LocalFile)
    assert (checked.find(path, Kind.BATCH_JOB, LINE_BYTES, wanted.source.sha256) is not None) == is_kept
    assert checked.find(path, Kind.BATCH_JOB, LINE_BYTES, "other rows") is None
    assert read(wanted, checked) == read(wanted, None)


def test_blocks_of_very_many_forms() -> None:
    found = CheckedFile()
    for number in range(300):
        found.add(b"%d" % number, (b"%d" % number, b"\n"))
    assert found.around(254, b"254") == (b"254", b"\n")
    assert found.around(255, b"255") is None
    found.require_end(300)
    for number, block in ((0, b"1"), (300, b"300")):
        with pytest.raises(OtherBytes):
            found.around(number, block)
    with pytest.raises(OtherBytes):
        found.require_end(299)
