"""How often a command reads what it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchctl.rows import file_blocks, line_blocks, line_forms
from batchctl.state import store
from tests.support.command_line import LONG, Cli, Service, StackFolder

READ_ONLY = [
    ["plan"],
    ["plan", "translate", "--rerun", "translate"],
    ["status"],
    ["drift"],
    ["diff", "translate"],
    ["describe", "translate"],
    ["explain", "translate"],
]


@pytest.mark.parametrize("command", READ_ONLY, ids=" ".join)
def test_a_command_without_lock_reads_the_state_once(
    stack: StackFolder, cli: Cli, service: Service, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.rules(LONG)
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    read: list[Path] = []

    def counting(db: object, path: Path, like: object = ()) -> object:
        read.append(path)
        return read_recorded(db, path, like)

    read_recorded = store.read_recorded
    monkeypatch.setattr(store, "read_recorded", counting)
    assert cli(*command).code in {0, 6}
    assert len(read) == 1


def test_an_apply_proves_the_texts_of_its_input_once(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It checks them, and needs no second proof to send the same bytes."""
    for module in (line_blocks, file_blocks):
        monkeypatch.setattr(module, "BLOCK", 1000)
    service.rules(LONG)
    rows = "".join(json.dumps({"key": f"k{number:03}", "text": "Hello."}) + "\n" for number in range(100))
    (stack.path / "jobs" / "rows.jsonl").write_text(rows)
    stack.write_job("translate", src={"file": "rows.jsonl"})
    proven: list[int] = []
    prove = line_forms.prove

    def counting(gaps: object, columns: list[list[bytes]]) -> object:
        proven.append(len(columns[0]))
        return prove(gaps, columns)

    monkeypatch.setattr(line_forms, "prove", counting)
    cli.ok("apply", "--yes")
    assert service.creates == 1
    assert 60 < sum(proven) < 100, "all rows but those of the first block, whose lines show the form"
