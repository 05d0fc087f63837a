"""Runs a command line of batchctl whose accounts show the jobs of the state, without a call.

    python benchmarks/offline.py STATE plan -C FOLDER

The benchmarks of plans and of `status` leave out the list of remote jobs, because most of its time is the service's.
The client of the API is not loaded, either. The jobs are read from a file that was written with the state.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from batchctl.cli import main as run

gc.set_threshold(50_000)  # as the command does before it imports click
from batchctl.cli.lazy_group import without_garbage_collection  # noqa: E402 - see above

with without_garbage_collection():  # as the command imports them
    import msgspec

    from batchctl.cli import engine_tools
    from batchctl.engine.providers import Providers
    from batchctl.model.keys import Account
    from batchctl.model.observed import RemoteJob


class Listed:
    """An account that shows the jobs of the state."""

    lists_foreign = True
    identity = ""

    def __init__(self, account: Account, state: Path) -> None:
        self.account = account
        self._state = state

    def now(self) -> datetime:
        return datetime.now(UTC)

    def confirm_clock(self) -> bool:
        return True

    def list_jobs(self, *, foreign: bool = False) -> Iterator[RemoteJob]:
        del foreign
        return remote_jobs(self._state)

    def calls_of_list(self, jobs: int) -> int:
        return -(-jobs // 1000)

    def close(self) -> None:
        pass


def remote_jobs(state: Path) -> Iterator[RemoteJob]:
    """The remote jobs of all attempts, as they were written with the state."""
    decode = msgspec.msgpack.Decoder(list[RemoteJob]).decode
    with (state.parent.parent / "listed.msgpack").open("rb") as pages:  # see many_jobs.py
        while length := pages.read(4):
            yield from decode(pages.read(int.from_bytes(length)))


def main(state: Path, *arguments: str) -> None:
    """Run the command."""
    os.environ["GEMINI_API_KEY"] = "bench"
    sys.argv[:] = ["batchctl", *arguments]
    engine_tools.Providers = lambda _: Providers(lambda account: Listed(account, state))  # type: ignore[assignment, misc, arg-type, return-value]
    run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
