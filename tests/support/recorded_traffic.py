"""A stack over an embedded emulator, with every call that the command line makes on record."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchctl.emulator import embedded
from batchctl.engine.clock import SystemClock
from tests.support.command_line import Cli, StackFolder
from tests.support.discovery import Exchange, method_of
from tests.support.discovery_traffic import Traffic

embedded_before = embedded.open_embedded


class World:
    """The stack, the command line, and the calls so far."""

    def __init__(self, stack: StackFolder, cli: Cli) -> None:
        self.stack = stack
        self.cli = cli
        self.exchanges: list[Exchange] = []

    def begin(self, patch: pytest.MonkeyPatch) -> None:
        """From now on calls are recorded, waiting moves the emulator's clock, and the stack is the working folder."""

        def sleep(_clock: SystemClock, seconds: float) -> None:
            self.control("POST", "clock", {"advance": f"{math.ceil(seconds)}s"})

        patch.setattr(SystemClock, "sleep", sleep)
        patch.setattr(embedded, "open_embedded", self.open)
        patch.chdir(self.stack.path)

    def open(self, db: Path) -> httpx.BaseTransport:
        """What the command line opens in place of the embedded emulator: the same, with ears."""
        return Traffic(embedded_before(db), self.exchanges)

    @property
    def db(self) -> Path:
        return self.stack.path / ".batchctl" / "emulator.db"

    def control(self, method: str, path: str, body: Any = None) -> Any:
        with httpx.Client(transport=embedded_before(self.db)) as client:
            answer = client.request(method, f"http://emulator/_emulator/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rules(self, *rules: dict[str, Any]) -> None:
        self.control("PUT", "rules", list(rules))

    def faults(self, *faults: dict[str, Any]) -> None:
        self.control("PUT", "faults", list(faults))

    def phases(self) -> dict[str, str]:
        return self.cli("status", "-o", "json").phases()

    def calls(self) -> Counter[str]:
        """How often each call was made."""
        return Counter(map(method_of, self.exchanges))

    def bodies(self, method: str) -> list[Any]:
        """The bodies that were sent with calls of a method."""
        return [json.loads(one.body) for one in self.exchanges if method_of(one).endswith(method)]
