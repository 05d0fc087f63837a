"""The list of the rows of an input at Cloud Storage."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from batchctl.model.ports.inputs import InputRow, SourceFile
from batchctl.rows.input_list import InputList, listed_rows, read_input_list, write_input_list
from batchctl.rows.whole_input import WholeInput

DIGEST = "d1:" + "0123456789abcdef" * 4
FILES = (SourceFile("gs://b/in.jsonl", 120, "7"),)
ROWS = [
    InputRow("k1", None, {"team": "é\n"}, fingerprint=b"1" * 16),
    InputRow(None, None, {}, fingerprint=b"\n" * 16),
    InputRow("k1", None, {}, fingerprint=b"1" * 16),
]


def write(root: Path, *rows: InputRow) -> Path:
    whole = WholeInput(io.BytesIO())
    for row in rows:
        whole.add(row)
    write_input_list(root, "translate", DIGEST, whole, FILES)
    return root / "translate" / "sent" / "01234567.input"


def found(root: Path) -> InputList | None:
    return read_input_list(root, "translate", DIGEST)


def test_rows_come_back_in_their_order(tmp_path: Path) -> None:
    write(tmp_path, *ROWS)
    assert list(listed_rows(tmp_path, "translate", DIGEST) or ()) == ROWS
    assert found(tmp_path) == found(tmp_path)


def test_other_rows_have_another_sum(tmp_path: Path) -> None:
    sums = set()
    for rows in (ROWS, ROWS[:2], ROWS[::-1], [ROWS[0], InputRow("k9", None, {}, fingerprint=b"\n" * 16), ROWS[2]]):
        write(tmp_path, *rows)
        listed = found(tmp_path)
        assert listed is not None
        sums.add(listed.sha256)
    assert len(sums) == 4


def test_without_a_list_nothing_is_known(tmp_path: Path) -> None:
    assert found(tmp_path) is None
    assert listed_rows(tmp_path, "translate", DIGEST) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"k1", b"k2"), (b"input-rows/v1", b"input-rows/v2"), (DIGEST.encode(), b"d1:0123456700"), (b"{", b"")],
    ids=["a row", "format", "digest", "no JSON"],
)
def test_a_damaged_list_is_none(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = write(tmp_path, *ROWS)
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    assert found(tmp_path) is None


def test_it_is_private(tmp_path: Path) -> None:
    assert write(tmp_path, *ROWS).stat().st_mode & 0o777 == 0o600
