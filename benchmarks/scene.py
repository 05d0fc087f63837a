"""What the cases run on, and what they give."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outcome import Table
from timing import Measure, alternate
from world import Stack, make_stack

PEERS = Path(__file__).resolve().parent / "peers.py"
OURS, AGAIN = "batchctl", "batchctl, again"


@dataclass(frozen=True)
class Scene:
    """What the cases run on: a folder of their own, the rows, and the emulator."""

    folder: Path
    rows: Path
    row_count: int
    url: str
    rounds: int
    skipped: frozenset[str] = frozenset()
    jobs: int = 1000
    """The jobs of the case `plan`."""

    def run(self, measures: Sequence[Measure]) -> Sequence[Measure]:
        """Run the competitors in turn, without those that are skipped."""
        chosen = [measure for measure in measures if measure.name not in self.skipped]
        alternate(chosen, self.rounds)
        return chosen

    def with_cache(self, command: Sequence[str]) -> list[str]:
        """A command line that keeps and finds summaries of rows, as users' commands do."""
        return ["env", f"XDG_CACHE_HOME={self.folder / 'cache'}", *command]

    def stack(self, name: str) -> Stack:
        """A new stack with these rows. No other one at the emulator has its name."""
        return make_stack(self.folder / f"{name}-{self.row_count}", self.rows, self.url)


@dataclass(frozen=True)
class Outcome:
    """The measures of one case, batchctl's first, and the bytes that each of them worked on."""

    size: int
    measures: Sequence[Measure]

    @property
    def table(self) -> Table:
        """The series of all competitors."""
        return {one.name: one.series for one in self.measures}


def peer(name: str, *arguments: str) -> list[str]:
    """The command line of a peer."""
    return [sys.executable, str(PEERS), name, *arguments]
