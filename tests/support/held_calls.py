"""Calls that a served emulator holds until a test lets them go: nothing ends by itself in the middle of a test."""

from __future__ import annotations

import threading
from typing import Any

from batchctl.emulator.serve import EmulatorServer

FOR_EVER = "12h"
"""The delay of a fault that holds calls."""


class HoldingServer(EmulatorServer):
    """A served emulator whose longest delays last until somebody ends them."""

    def __init__(self, *arguments: Any) -> None:
        self._may_go = threading.Event()
        super().__init__(*arguments)

    def let_go(self) -> None:
        """End the delays that are held now. Until `hold`, none begins."""
        self._may_go.set()

    def hold(self) -> None:
        """Let delays begin again."""
        self._may_go.clear()

    def stop(self) -> None:
        self._may_go.set()
        super().stop()

    def _wait(self, seconds: float) -> None:
        self._may_go.wait(seconds)


def held(method: str, when: str = "before", count: int = 1) -> dict[str, Any]:
    """A fault that holds the next calls of a method, before or after their effect."""
    return {"method": method, "kind": "delay", "delay": FOR_EVER, "when": when, "count": count}
