"""How often a command reads what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

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
