"""Commands whose replies are mutated on their way, at stacks that have come to different points; and the verdict.

Whatever one command was told: it ends in time, with an exit code of its own and without a traceback; when the
mutation is over, one more run comes to the rest that it would have come to without it.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from tests.support.apis import STACK, UID
from tests.support.audit import Rest, audit
from tests.support.mutating_proxy import KINDS, MutatingProxy, Trouble
from tests.support.patience import PATIENCE
from tests.support.processes import Ended
from tests.support.reply_mutations import ENDLESS, LARGE, MUTATIONS
from tests.support.values import replace
from tests.support.workplace import LIMITS, Moment, Site

EXIT_CODES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 64, 65, 130})
FLAGS = ("--yes", "--allow-empty", "--max-delete", "99", "--new-state")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("plan", "--allow-empty"),
    ("apply", *FLAGS),
    ("apply", *FLAGS),
    ("watch", *FLAGS, "--once"),
    ("watch", *FLAGS, "--once"),
    ("status",),
    ("drift", "--unmanaged"),
    ("describe", "a"),
    ("doctor",),
    ("results", "a"),
    ("state", "rebuild", "--force"),
    ("import", "REMOTE", "--as", "taken"),
)
LOOKS = frozenset({"plan", "status", "drift", "describe", "doctor", "results"})
"""Commands that change nothing at all, whatever they are told."""
SHORT = {"concurrency": 1, "createTimeout": "1s", "settleGrace": "2s", "readTimeout": "1s"}
"""What the mutated command has: a drip takes a second in place of minutes. Large replies are given time to come."""
A_MINUTE = {"pending": "0s", "running": "1m"}
LONGEST = PATIENCE
"""Seconds that a mutated command may take: a few reads of a second each, on a machine with other work."""
MOST_MEMORY = 800 * 2**20
"""Bytes that one may need, the interpreter and a reply of 60 MB among it."""
BOTH = Rest({"a": (1, "ab"), "b": (1, "cd")})
ONE = Rest({"a": (1, "ab")})
MOST_RUNS = 6
_SLOW = 5.0
"""Seconds from which on a command is printed."""


@dataclass(frozen=True)
class Stage:
    """A point that a stack has come to, and what it comes to rest with."""

    name: str
    moment: Moment
    rest: Rest


@dataclass(frozen=True)
class Case:
    """What is drawn from a seed."""

    seed: int
    stage: Stage
    command: tuple[str, ...]
    trouble: Trouble

    def __str__(self) -> str:
        return f"seed {self.seed}: `{' '.join(self.command)}` on a stack that is {self.stage.name}; {self.trouble}"


@dataclass
class Figures:
    """What the cases of one run came to."""

    cases: int = 0
    mutated: int = 0
    replies: int = 0
    longest: float = 0.0
    memory: int = 0

    def __str__(self) -> str:
        return (
            f"{self.cases} cases, {self.mutated} with {self.replies:,} mutated replies; longest command"
            f" {self.longest:.1f} s, most memory {self.memory / 2**20:.0f} MiB"
        )


class MutatedSite:
    """A site whose stages were made once, and are come back to for each case."""

    def __init__(self, site: Site, proxy: MutatingProxy) -> None:
        self.site = site
        self.figures = Figures()
        self._proxy = proxy
        self._direct = site.env["BATCHCTL_EMULATOR"]
        self._stages = self._make_stages()

    def draw(self, seed: int) -> Case:
        """The case of a seed."""
        dice = random.Random(f"{seed} {self.site.api.name}")
        names = (*MUTATIONS, *ENDLESS)
        # So that a run comes to all of them.
        mutation = names[seed % len(names)]
        kind = "list" if mutation in ENDLESS else dice.choice(("", "", "list", *KINDS))
        most = 10**9 if mutation in ENDLESS else dice.choice((1, 1, 1, 3, 10**9))
        trouble = Trouble(str(seed), mutation, kind, dice.choice((0, 0, 0, 1, 2, 5)), most)
        stage, command = dice.choice(self._stages), dice.choice(COMMANDS)
        if stage.rest is ONE and command[:2] == ("state", "rebuild"):
            # By design, a job that no manifest names is an orphan then: it does not come to this rest.
            command = ("plan", "--allow-empty")
        return Case(seed, stage, command, trouble)

    def play(self, case: Case) -> None:
        """Run the mutated command, then what makes all well, and look. Raises AssertionError with the case."""
        try:
            self._play(case)
            if not case.trouble.done and case.trouble.mutation not in ENDLESS:
                # The command makes no such call: then it is any call.
                case = replace(
                    case, trouble=Trouble(f"{case.seed} again", case.trouble.mutation, most=case.trouble.most)
                )
                self._play(case)
        except AssertionError as error:
            error.add_note(str(case))
            raise
        self.figures.cases += 1
        self.figures.mutated += bool(case.trouble.done)
        self.figures.replies += len(case.trouble.done)

    def _play(self, case: Case) -> None:
        self.site.restore(case.stage.moment)
        self._write_stack(SHORT if case.trouble.mutation not in LARGE else {**SHORT, "readTimeout": "20s"})
        before, calls = self.site.recorded(), self.site.changing_calls()
        self._proxy.trouble = case.trouble
        self.site.env["BATCHCTL_EMULATOR"] = self._proxy.url
        begun = time.monotonic()
        ended = self.site.run(*self._words(case.command))
        took = time.monotonic() - begun
        self._proxy.trouble = None
        self.site.env["BATCHCTL_EMULATOR"] = self._direct
        if took > _SLOW:
            print(f"{took:.1f} s, {ended.memory / 2**20:.0f} MiB: {case}", flush=True)
        self.figures.longest = max(self.figures.longest, took)
        self.figures.memory = max(self.figures.memory, ended.memory)
        assert ended.code in EXIT_CODES, ended
        assert took < LONGEST, (took, ended)
        assert ended.memory < MOST_MEMORY, (ended.memory / 2**20, ended)
        if case.command[0] in LOOKS:
            assert (self.site.recorded(), self.site.changing_calls()) == (before, calls), f"a look changed it: {ended}"
        elif case.trouble.done:
            self._settle(case, ended)

    def _settle(self, case: Case, ended: Ended) -> None:
        self._write_stack(LIMITS)
        self._let_go_of_import()
        runs = [ended]
        for _ in range(MOST_RUNS):
            # The longest wait that an API may ask for is a day.
            runs.append(self.site.run("watch", *FLAGS, "--poll-max", "1h", "--timeout", "30h"))
            runs.append(self.site.run("plan", "--allow-empty", "--detailed-exitcode"))
            if runs[-1].code == runs[-2].code == 0:
                break
        try:
            assert runs[-1].code == runs[-2].code == 0, "it does not come to rest"
            audit(self.site, case.stage.rest)
        except AssertionError as error:
            error.add_note(
                "\n".join(f"{run.code}: {run.out[-1500:]}\n{run.err[-1500:]}" for run in (runs[0], *runs[-2:]))
            )
            raise

    def _let_go_of_import(self) -> None:
        """What was imported is no job of the stages."""
        if self.site.folder.job_path("taken").exists():
            self.site.drop_job("taken")
        if "taken" in self.site.recorded().jobs:
            assert self.site.run("state", "rm", "taken", "--yes").code == 0

    def _words(self, command: tuple[str, ...]) -> tuple[str, ...]:
        foreign = next(job.name for job in self.site.jobs() if job.attempt is None)
        return tuple(foreign if word == "REMOTE" else word for word in command)

    def _write_stack(self, limits: dict[str, Any]) -> None:
        providers = {"main": dict(self.site.api.provider)}
        self.site.folder.write_stack(name=STACK, uid=UID, providers=providers, state="state.db", limits=limits)

    def _make_stages(self) -> tuple[Stage, ...]:
        site = self.site
        site.empty_service()
        site.service.rules(A_MINUTE)
        site.write_job("a", "ab")
        site.write_job("b", "cd", as_file=True)
        found: list[Stage] = []

        def keep(name: str, rest: Rest = BOTH) -> None:
            found.append(Stage(name, site.keep(name.replace(" ", "-")), rest))

        keep("new")
        self._run("apply", *FLAGS)
        keep("at work")
        site.drop_job("b")
        keep("at work with a job removed", ONE)
        site.write_job("b", "cd", as_file=True)
        site.service.advance("10m")
        keep("ended")
        site.drop_job("b")
        keep("ended with a job removed", ONE)
        site.write_job("b", "cd", as_file=True)
        self._run("watch", *FLAGS)
        keep("collected")
        return tuple(found)

    def _run(self, *words: str) -> None:
        ended = self.site.run(*words)
        assert ended.code == 0, ended
