"""What several rooms' tests need."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def served_emulator(tmp_path: Path) -> Iterator[str]:
    """The base URL of an emulator that really listens, on a port of its own, over an empty store."""
    from batchctl.emulator.core import Emulator
    from batchctl.emulator.serve import EmulatorServer

    emulator = Emulator(tmp_path / "served-emulator" / "emulator.db")
    listening = threading.Event()
    server = EmulatorServer(emulator, "127.0.0.1", 0, lambda _line: listening.set())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert listening.wait(20)
        yield server.url
    finally:
        server.stop()
        thread.join(20)
        server.close()
        emulator.close()
