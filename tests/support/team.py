"""Eight processes on one shared state, with signals, and with a store that fails under them.

`Store` is where the state is; each kind knows how it goes away for a moment. What happens is drawn from a seed; when
exactly it strikes is the machine's affair.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchctl.engine.clock import SystemClock
from batchctl.state.migrations import Identity
from batchctl.state.shared.store import SharedState
from batchctl.state.stack_state import StackState
from tests.support.apis import STACK, UID
from tests.support.audit import Rest, audit
from tests.support.patience import PATIENCE
from tests.support.processes import Ended, Process
from tests.support.scenes import SOON
from tests.support.workplace import LIMITS, Site

PROCESSES = 8
HAPPENINGS = ("trouble", "kill", "stop", "trouble", "more", "kill")
LEASE = 2.0
"""The lease of the harness in seconds, so that a stop past it does not take long."""
WAITS = ("--lock-timeout", f"{PATIENCE}s")
COMMANDS = (
    ("apply", "--yes", *WAITS),
    ("apply", "--yes", *WAITS),
    ("watch", "--yes", "--once", *WAITS),
    ("watch", "--yes", "--timeout", "20s", "--poll-max", "1s", *WAITS),
)
MESSAGES = ("StateUnreachable", "LockLost", "StateLocked", "StateBusy", "NotYet")
"""The errors with which a process may end when the store fails, another process took the lock, or the call of a killed
one is not settled yet."""


@dataclass
class Store:
    """Where the state of a team is."""

    url: str
    open: Callable[[], StackState] | None = None
    """Opens the state; None: it is the file of the site."""
    troubles: Sequence[Callable[[], None]] = ()
    """Each lets the store fail in a way of its own."""
    heal: Callable[[], None] = lambda: None
    """Ends the troubles."""


class TeamSite(Site):
    """A site whose state is in a store."""

    store: Store

    def state(self) -> Any:
        return super().state() if self.store.open is None else self.store.open()


def shared_state(place: Any) -> SharedState:
    """The state at a place, as the team's stack sees it."""
    return SharedState(place, Identity(STACK, UID), SystemClock(), "tester")


@dataclass
class Figures:
    """What the rounds came to."""

    processes: int = 0
    signals: Counter[str] = field(default_factory=Counter)
    troubles: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    twice: int = 0
    """Attempts that were bought twice after a stop, and cancelled once."""

    def __str__(self) -> str:
        struck = ", ".join(f"{count} {name}" for name, count in sorted(self.signals.items()))
        ends = ", ".join(f"{count} {name}" for name, count in sorted(self.ends.items()))
        return (
            f"{self.processes} processes, {struck}, {self.troubles} troubles of the store; ends: {ends};"
            f" {self.jobs} jobs, {self.twice} bought twice"
        )


class Team:
    """Rounds of eight processes, each with new work."""

    def __init__(self, site: TeamSite, seed: int) -> None:
        self.site = site
        self.chance = random.Random(seed)
        self.figures = Figures()
        self._rounds = 0
        self._names: list[str] = []

    def round(self, events: int) -> None:
        """New jobs, eight processes, so many events, and an audit when all has come to rest."""
        self._rounds += 1
        for number in range(2):
            name = f"job{self._rounds}-{number}"
            self._names.append(name)
            self.site.write_job(name)
        running = [self._start() for _ in range(PROCESSES)]
        stopped: list[Process] = []
        killed: list[Process] = []
        happenings = [HAPPENINGS[number % len(HAPPENINGS)] for number in range(events)]
        self.chance.shuffle(happenings)
        for happening in happenings:
            time.sleep(self.chance.uniform(0.1, 0.6))
            if happening == "trouble" and self.site.store.troubles:
                self.chance.choice(self.site.store.troubles)()
                self.figures.troubles += 1
            elif happening == "more":
                running.append(self._start())
            elif running:
                process = running.pop(self.chance.randrange(len(running)))
                number = signal.SIGSTOP if happening == "stop" else signal.SIGKILL
                process.send(number)
                self.figures.signals[number.name] += 1
                (stopped if happening == "stop" else killed).append(process)
        if stopped:
            time.sleep(LEASE + 0.5)
        self.site.store.heal()
        for process in stopped:
            process.send(signal.SIGCONT)
        for process in [*running, *stopped]:
            self._note(process.wait())
        for process in killed:
            process.wait()
        self._settle(stops=len(stopped))

    def _start(self) -> Process:
        self.figures.processes += 1
        return self.site.start(*self.chance.choice(COMMANDS), clock=None, quick_leases=True)

    def _note(self, ended: Ended) -> None:
        """An error has one of the messages for a store that fails, and a way out."""
        if ended.code == 0:
            self.figures.ends["well"] += 1
            return
        found = [name for name in MESSAGES if name in ended.err]
        assert found, (ended.code, ended.err[-2000:])
        assert "hint: " in ended.err, ended.err
        self.figures.ends[found[0]] += 1

    def _settle(self, stops: int) -> None:
        """The next run settles everything: each job was made, recorded and collected once."""
        # Nobody sleeps through this lease, and a busy machine may be late with it.
        ran = self.site.run("watch", "--yes", *WAITS, "--timeout", f"{PATIENCE}s", "--poll-max", "1s", clock=None)
        assert ran.code == 0, ran
        made = Counter(job.attempt for job in self.site.jobs() if job.attempt is not None)
        twice = {attempt for attempt, count in made.items() if count > 1}
        # A process that is suspended between its last look at the lease and its call sends that call when it goes on.
        assert len(twice) <= self.figures.signals["SIGSTOP"], twice
        self.figures.twice = len(twice)
        self.figures.jobs = sum(made.values())
        audit(self.site, Rest(dict.fromkeys(self._names, (1, "ab"))), twice=twice)
        self._audit_history(twice)

    def _audit_history(self, twice: set[str]) -> None:
        """No update is lost: what was done for a job is in its history, and once."""
        noted = Counter((event.job, event.what) for event in self.site.state().events(None, 10_000))
        for name in self._names:
            if f"{name}@1.0" not in twice:
                # A call that never left, as no list shows its job once the grace is over, is sent once more.
                assert noted[name, "create"] == 1 + noted[name, "not found"], (name, noted)
                assert noted[name, "created"] <= 1, (name, noted)
                assert noted[name, "collected"] == 1, (name, noted)


def begin(make_site: Callable[..., Any], served: Any, api: Any, store: Store) -> TeamSite:
    """A site for a team, with an empty service."""
    site: TeamSite = make_site(served, api, kind=TeamSite, state=store.url, limits={**LIMITS, "concurrency": 4})
    site.store = store
    site.empty_service()
    site.service.rules(SOON)
    return site
