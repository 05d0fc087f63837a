"""An upload that is written while rows are chosen is the one that is encoded from the input."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.keys import AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.row_work import RowChoice, ShardLimits
from batchctl.model.sent_with import SentWith
from batchctl.model.sources import LocalFile
from batchctl.rows import encoded_ahead, file_blocks, job_rows, line_blocks
from batchctl.rows.encode import RowEncoder
from batchctl.rows.ledger import ResultsLedger
from batchctl.rows.reader import RowFiles
from tests.support.decisions import job
from tests.support.row_files import content
from tests.support.values import replace


class Input:
    """A job over a file of rows, and the number of times that its rows were read."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.reads = 0
        self.write(range(100))
        summary = RowFiles().fingerprint(path, Kind.BATCH_JOB)
        source = LocalFile(path, summary.sha256, summary.rows, path.stat().st_size)
        self.job = replace(job(work="1", model="gemini-2.5-flash"), source=source, sharding=ShardLimits())
        real = job_rows.read_blocks

        def read_blocks(*args: Any) -> Iterator[Any]:
            self.reads += 1
            return real(*args)

        monkeypatch.setattr(job_rows, "read_blocks", read_blocks)

    def write(self, numbers: Any) -> None:
        rows = [{"key": f"k{number}", "request": {"contents": [content(f"hi {number}")]}} for number in numbers]
        self.path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Input:
    monkeypatch.setattr(line_blocks, "BLOCK", 1000)
    monkeypatch.setattr(file_blocks, "BLOCK", 1000)
    monkeypatch.setattr(encoded_ahead, "LEAST_BYTES", 1)
    return Input(tmp_path / "rows.jsonl", monkeypatch)


def choose(inputs: RowEncoder, wanted: DesiredJob, folder: Path, choice: RowChoice | None = None) -> Any:
    ledger = ResultsLedger(folder, "abc123", inputs)
    return ledger.choose(wanted, AttemptKey(wanted.name, 1), "token", choice or RowChoice(), lambda: "other")


def upload(inputs: RowEncoder, wanted: DesiredJob, chosen: Any) -> tuple[str, bytes]:
    found = inputs.encode_file(wanted, chosen.positions, chosen.files)
    with found.content as content:
        content.seek(0)
        return found.sha256, content.read()


def test_an_input_that_is_sent_as_a_whole_is_read_once(given: Input, tmp_path: Path) -> None:
    inputs = RowEncoder()
    chosen = choose(inputs, given.job, tmp_path / "out")
    found = upload(inputs, given.job, chosen)
    assert given.reads == 1
    assert found == upload(RowEncoder(), given.job, chosen)
    assert found == upload(inputs, given.job, chosen), "a second upload is encoded from the input"
    assert given.reads == 3


@pytest.mark.parametrize(
    ("changes", "choice", "reads"),
    [
        ({"sharding": ShardLimits(rows=30, is_asked=True)}, RowChoice(), 2),
        ({"sharding": ShardLimits(rows=30)}, RowChoice(), 2),
        ({}, RowChoice(most=5), 2),
    ],
)
def test_a_part_of_an_input_is_encoded_from_it(
    changes: dict[str, Any], choice: RowChoice, reads: int, given: Input, tmp_path: Path
) -> None:
    inputs, wanted = RowEncoder(), replace(given.job, **changes)
    chosen = choose(inputs, wanted, tmp_path / "out", choice)
    found = upload(inputs, wanted, chosen)
    assert given.reads == reads
    assert found == upload(RowEncoder(), wanted, chosen)
    assert len(found[1].splitlines()) == chosen.sent.rows < 100
    assert not inputs._ahead._found


def test_another_change_of_the_job_is_another_upload(given: Input, tmp_path: Path) -> None:
    inputs = RowEncoder()
    chosen = choose(inputs, given.job, tmp_path / "out")
    changed = given.job.changed_by(SentWith(request={"generationConfig": {"temperature": 1}}))
    assert upload(inputs, changed, chosen) == upload(RowEncoder(), changed, chosen)
    assert b"temperature" in upload(inputs, changed, chosen)[1]


def test_an_input_that_changed_before_it_was_read_has_no_upload(given: Input, tmp_path: Path) -> None:
    given.write(range(99))
    inputs = RowEncoder()
    with pytest.raises(ResultsError, match="its rows are others"):
        choose(inputs, given.job, tmp_path / "out")
    assert not inputs._ahead._found


def test_an_input_that_changes_after_its_choice_is_sent_as_it_was_chosen(given: Input, tmp_path: Path) -> None:
    inputs = RowEncoder()
    chosen = choose(inputs, given.job, tmp_path / "out")
    _, before = upload(RowEncoder(), given.job, chosen)
    given.write(range(5))
    assert upload(inputs, given.job, chosen)[1] == before


class FullDisk(io.BytesIO):
    """A temporary file on a disk without space."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 3000:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_does_not_disturb_the_choice(given: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, made = RowEncoder(), []
    monkeypatch.setattr(encoded_ahead.tempfile, "TemporaryFile", lambda **_: made.append(FullDisk()) or made[-1])
    chosen = choose(inputs, given.job, tmp_path / "out")
    assert chosen.sent.rows == 100
    assert made[0].closed
    monkeypatch.undo()
    assert upload(inputs, given.job, chosen) == upload(RowEncoder(), given.job, chosen)


def test_an_upload_is_not_copied(given: Input, tmp_path: Path) -> None:
    inputs = RowEncoder()
    chosen = choose(inputs, given.job, tmp_path / "out")
    ((_, kept),) = inputs._ahead._found.values()
    assert inputs.encode_file(given.job, chosen.positions) is kept
    inputs.release()
    assert kept.content.closed, "its caller broke off"


def test_what_is_not_taken_is_released(given: Input, tmp_path: Path) -> None:
    inputs = RowEncoder()
    choose(inputs, given.job, tmp_path / "out")
    ((_, kept),) = inputs._ahead._found.values()
    inputs.release()
    assert kept.content.closed
    rows = inputs.rows(given.job, ahead=True)
    assert rows is not None
    next(rows)
    rows.close()
    assert not inputs._ahead._found


def test_small_inputs_are_not_encoded_ahead(given: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded_ahead, "LEAST_BYTES", given.path.stat().st_size + 1)
    inputs = RowEncoder()
    choose(inputs, given.job, tmp_path / "out")
    assert not inputs._ahead._found
