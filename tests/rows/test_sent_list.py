"""Lists of sent rows are read as they were written, also those of earlier releases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchctl.model.keys import AttemptKey
from batchctl.model.ports.inputs import InputRow
from batchctl.rows.packed_file import packed
from batchctl.rows.sent_list import FORMAT, SentList, read_sent, write_sent

KEY, DIGEST = AttemptKey("a", 1), "d1:" + "ab" * 32
NAMES = [{"key": "a"}, {"key": 'é "x", {\\}\u2028'}, {"custom_id": "c", "key": "\x7f"}]


def sent_list(names: list[dict[str, str]]) -> SentList:
    found = SentList("token", total=9)
    for number, one in enumerate(names):
        found.add(number * 3, InputRow(None, None, sent=one, fingerprint=bytes([number]) * 16))
    return found


@pytest.mark.parametrize("names", [NAMES, NAMES[:1], []])
@pytest.mark.parametrize("is_of_earlier_release", [False, True])
def test_names_come_back(names: list[dict[str, str]], is_of_earlier_release: bool, tmp_path: Path) -> None:
    sent = sent_list(names)
    write_sent(tmp_path, KEY, DIGEST, sent)
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
    assert (found.places, found.prints, found.total) == (sent.places, sent.prints, 9)
    assert [row.sent for row in found.rows()] == names


def test_a_list_that_lacks_a_name_is_none(tmp_path: Path) -> None:
    write_sent(tmp_path, KEY, DIGEST, sent_list(NAMES))
    (file,) = tmp_path.rglob("*.rows")
    head, _, body = file.read_bytes().partition(b"\n")
    assert json.loads(head)["format"] == FORMAT
    with file.open("wb") as stream:
        stream.writelines(packed(json.loads(head), body[:72] + b'[{"key":"a"},\n{"key":"b"}]')[1])
    assert read_sent(tmp_path, KEY, DIGEST, "token") is None
