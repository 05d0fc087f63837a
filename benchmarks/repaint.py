"""Measures the live screen over 100 and over 10,000 jobs: taking in a plan, and a painting.

    python benchmarks/repaint.py [--jobs N] [--few N] [--rounds N] [--json FILE]

Both sizes are measured in turn, in one process, in processor time. A painting is what an event costs: the lines of the
screen are made and those that differ are written. Every event is painted here; the screen itself paints at most ten
times a second. A tenth of the jobs has failed, and the others run.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from timing import machine

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RowCounts
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.report.console import make_console
from batchctl.report.screen import live

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
_ACCOUNT = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
_FAILED = 10
"""One of so many jobs has failed."""


class Terminal(io.StringIO):
    """A stream that says that it is a terminal, and keeps nothing."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Count the characters."""
        self.written = getattr(self, "written", 0) + len(text)
        return len(text)


class MovingClock:
    """A second passes with each look at it, so that every age changes."""

    def __init__(self) -> None:
        self.seconds = 0

    def now(self) -> datetime:
        """The next second."""
        self.seconds += 1
        return NOW + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        """Nothing waits here."""


def plan_of(number: int) -> Plan:
    """A plan of so many jobs."""
    return Plan("bench", tuple(_job(place) for place in range(number)))


def _job(place: int) -> JobPlan:
    name, has_failed = f"job-{place:05}", place % _FAILED == 0
    state = "JOB_STATE_FAILED" if has_failed else "JOB_STATE_RUNNING"
    attempt = RecordedAttempt(
        AttemptKey(name, 1),
        _ACCOUNT,
        "d1:" + "0" * 64,
        "token",
        tree={"model": f"gemini-{place % 3}"},
        remote=f"batches/{place}",
        state=state,
        create_time=NOW - timedelta(minutes=place % 500),
        start_time=NOW - timedelta(minutes=place % 400),
        rows=RowCounts(1000, place % 1000, place % 7),
    )
    phase, reason = (Phase.FAILED, "failed: quota exceeded") if has_failed else (Phase.ACTIVE, "running")
    action = Action.NONE if has_failed else Action.WAIT
    return JobPlan(name, Decision(action, phase, Reason.ACTIVE, reason), attempt=attempt)


class Case:
    """A screen over so many jobs, and what its steps cost in seconds of the processor."""

    def __init__(self, number: int) -> None:
        self.plan = plan_of(number)
        env = {"TERM": "xterm-256color", "COLUMNS": "140", "LINES": "50"}
        self.terminal = Terminal()
        self.screen = live.Screen(make_console(self.terminal, "always", env), MovingClock())
        self.costs: dict[str, list[float]] = {"take in a plan": [], "paint after an event": []}

    def run(self, paintings: int) -> None:
        """One round."""
        self._measure("take in a plan", lambda: self.screen.planned(self.plan), 1)
        self._measure("paint after an event", lambda: self.screen.step("job-00001", "JOB_STATE_RUNNING"), paintings)

    def _measure(self, name: str, act: Callable[[], None], times: int) -> None:
        begun = time.process_time()
        for _ in range(times):
            act()
        self.costs[name].append((time.process_time() - begun) / times)


def main() -> int:
    """Measure both sizes in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000, help="jobs of the large plan (default: %(default)s)")
    parser.add_argument("--few", type=int, default=100, help="jobs of the small plan (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    asked = parser.parse_args()
    live.LEAST_PAUSE = 0.0
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    few, many = Case(asked.few), Case(asked.jobs)
    for _ in range(asked.rounds):
        for case in (few, many):
            case.run(paintings=20)
    figures = {}
    print(f"\n| | {asked.few:,} jobs, ms | {asked.jobs:,} jobs, ms | ratio |\n| --- | --- | --- | --- |")
    for name in few.costs:
        small, large = (1000 * statistics.median(case.costs[name]) for case in (few, many))
        figures[name] = {"few": small, "many": large, "ratio": large / small}
        print(f"| {name} | {small:.2f} | {large:.2f} | {large / small:.1f} |")
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
