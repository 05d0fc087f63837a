"""Lists of sent rows are read as they were written, also those of earlier releases."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batchctl.model.errors import ResultsError
from batchctl.model.keys import AttemptKey
from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_work import MOST_LISTED, RowChoice
from batchctl.rows import aside, new_list
from batchctl.rows.new_list import NewList, keep_list, write_list
from batchctl.rows.packed_file import packed
from batchctl.rows.sent_list import FORMAT, find_list, read_sent
from batchctl.state.row_verdicts import read_sent as read_cell
from batchctl.state.row_verdicts import sent_cell

KEY, DIGEST = AttemptKey("a", 1), "d1:" + "ab" * 32
NAMES = [{"key": "a"}, {"key": 'é "x", {\\}\u2028'}, {"custom_id": "c", "key": "\x7f"}]


def new(total: int) -> NewList:
    found = NewList("token", RowChoice())
    found.total = total
    return found


def sent_list(names: list[dict[str, str]], *, step: int = 3) -> NewList:
    found = new(9)
    for number, one in enumerate(names):
        found.add(number * step, InputRow(None, None, sent=one, fingerprint=bytes([number]) * 16))
    return found


@pytest.fixture(params=[1, 20, 10**6])
def _in_memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a part of a list that are in memory; others are in a temporary file."""
    monkeypatch.setattr(aside, "_IN_MEMORY", request.param)
    monkeypatch.setattr(new_list, "_AT_ONCE", request.param)


@pytest.mark.usefixtures("_in_memory")
@pytest.mark.parametrize("names", [NAMES, NAMES[:1], []])
@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("is_of_earlier_release", [False, True])
def test_names_come_back(names: list[dict[str, str]], step: int, is_of_earlier_release: bool, tmp_path: Path) -> None:
    sent = sent_list(names, step=step)
    write_list(tmp_path, KEY, DIGEST, sent)
    (file,) = tmp_path.rglob("*.rows")
    head, _, body = file.read_bytes().partition(b"\n")
    listed = json.loads(body[24 * len(names) :])
    assert listed == names
    if is_of_earlier_release:
        text = json.dumps(listed, separators=(",", ":")).encode()
        with file.open("wb") as stream:
            stream.writelines(packed(json.loads(head), body[: 24 * len(names)] + text)[1])
    found = read_sent(tmp_path, KEY, DIGEST, "token")
    assert found is not None
    assert list(found.places) == list(sent.places) == [number * step for number in range(len(names))]
    assert (found.prints, found.total) == (prints(names), 9)
    assert [row.sent for row in found.rows()] == names
    sent.close()


def prints(names: list[dict[str, str]]) -> bytes:
    return b"".join(bytes([number]) * 16 for number in range(len(names)))


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_a_short_list_of_all_rows_is_a_part_of_the_record(names: list[dict[str, str]], tmp_path: Path) -> None:
    sent = whole_list(names)
    facts = keep_list(tmp_path, KEY, DIGEST, sent)
    assert list(tmp_path.iterdir()) == []
    assert (facts.rows, facts.total, facts.sha256) == (len(names), len(names), "")
    recorded = read_cell(sent_cell(facts))
    assert recorded == facts
    found = find_list(tmp_path, KEY, DIGEST, "token", recorded)
    assert found is not None
    assert (found.token, found.total, found.again) == ("token", len(names), True)
    assert (list(found.places), found.prints) == (list(sent.places), prints(names))
    assert [row.sent for row in found.rows()] == names


def test_nothing_is_sent_whose_results_could_not_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "deep" / "results"
    keep_list(results, KEY, DIGEST, whole_list(NAMES))
    asked = []

    def deny(path: str, mode: int, *, dir_fd: int, effective_ids: bool) -> bool:
        assert effective_ids
        asked.append((Path(f"/proc/self/fd/{dir_fd}").resolve() / path, mode))
        return False

    monkeypatch.setattr(os, "access", deny)
    with pytest.raises(ResultsError, match="cannot be read or written: permission denied") as caught:
        keep_list(results, KEY, DIGEST, whole_list(NAMES))
    assert caught.value.code == "ResultsPermission"
    assert asked == [(tmp_path, os.W_OK | os.X_OK)]
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(ResultsError, match="the file system is read-only"):
        keep_list(results, KEY, DIGEST, whole_list(NAMES))


@pytest.mark.parametrize(
    "changes",
    [
        {"total": 4},
        {"shards": 2},
        {"renews": True},
        {"key": "n" * MOST_LISTED},
        {"key": "n" * (MOST_LISTED - 50)},
    ],
    ids=["a part", "a shard", "an order", "a long name", "with the rest too long"],
)
def test_any_other_list_is_a_file(changes: dict[str, Any], tmp_path: Path) -> None:
    sent = whole_list([{"key": changes["key"]}] if "key" in changes else NAMES[:1])
    for name, value in changes.items():
        setattr(sent, name, value)
    require_file(sent, tmp_path)


def test_a_long_list_is_a_file(tmp_path: Path) -> None:
    require_file(whole_list(NAMES * 12), tmp_path)


def require_file(sent: NewList, tmp_path: Path) -> None:
    facts = keep_list(tmp_path, KEY, DIGEST, sent)
    assert facts.listed == ""
    assert facts.sha256
    found = find_list(tmp_path, KEY, DIGEST, "token", facts)
    assert found is not None
    assert (found.renews, found.shards, found.total) == (sent.renews, sent.shards, sent.total)


def whole_list(names: list[dict[str, str]]) -> NewList:
    found = new(len(names))
    found.again = True
    for number, one in enumerate(names):
        found.add(number, InputRow(None, None, sent=one, fingerprint=bytes([number]) * 16))
    return found


def test_a_list_that_lacks_a_name_is_none(tmp_path: Path) -> None:
    write_list(tmp_path, KEY, DIGEST, sent_list(NAMES))
    (file,) = tmp_path.rglob("*.rows")
    head, _, body = file.read_bytes().partition(b"\n")
    assert json.loads(head)["format"] == FORMAT
    with file.open("wb") as stream:
        stream.writelines(packed(json.loads(head), body[:72] + b'[{"key":"a"},\n{"key":"b"}]')[1])
    assert read_sent(tmp_path, KEY, DIGEST, "token") is None
