"""The embedded emulator is one for all accounts of a command, whichever thread asks first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from batchctl.cli.connect import Connections
from batchctl.emulator import embedded
from batchctl.engine.clock import SystemClock
from batchctl.manifests.accounts import resolve_account
from batchctl.manifests.load import load_stack
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.trust import Trust


def test_accounts_that_are_opened_at_once_share_one_emulator(examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    open_embedded = embedded.open_embedded
    monkeypatch.setattr(embedded, "open_embedded", lambda path: (opened.append(path), open_embedded(path))[1])
    stack = load_stack(examples / "batchctl.yaml", overrides=Overrides(), env={}, trust=Trust())
    connections = Connections(stack, {}, Trust(), SystemClock())
    accounts = [resolve_account(config, {}) for config in stack.providers.values()]
    gate = Barrier(len(accounts))

    def connect(number: int) -> None:
        gate.wait()
        connections(accounts[number]).close()

    with ThreadPoolExecutor(len(accounts)) as pool:
        list(pool.map(connect, range(len(accounts))))
    assert len(accounts) == 2
    assert len(opened) == 1
