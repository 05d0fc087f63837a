"""`status -w` and `wait`: they only look."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

import pytest

from batchctl.cli.main import run
from batchctl.engine.clock import SystemClock
from tests.support.closed_schemas import check_closed
from tests.support.command_line import LONG, SOON, Cli, Service, StackFolder

_OF_SQLITE = {".db-shm", ".db-wal"}
"""Files that every reader makes."""
Act = Callable[[], object]


@pytest.fixture
def meanwhile(quick: list[float], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what happens during the pauses of a command, one act in each; Ctrl-C in the one after the last."""

    def plan(*acts: Act) -> None:
        left, sleep = list(acts), SystemClock.sleep

        def act(clock: SystemClock, seconds: float) -> None:
            if not left:
                monkeypatch.setattr(SystemClock, "sleep", sleep)
                raise KeyboardInterrupt
            with monkeypatch.context() as other:
                other.setattr(SystemClock, "sleep", sleep)
                left.pop(0)()
            # The acts of other processes have taken no time for this one.
            sleep(clock, seconds)

        monkeypatch.setattr(SystemClock, "sleep", act)

    return plan


def elsewhere(*arguments: str) -> Act:
    """A command line that another process runs."""

    def act() -> None:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as errors:
            assert run(arguments) == 0, errors.getvalue()

    return act


def nothing() -> None:
    """Only time passes."""


def files(stack: StackFolder) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in stack.path.rglob("*")
        if path.is_file() and path.suffix not in _OF_SQLITE
    }


class TestStatusWatch:
    def test_a_line_for_each_change_and_nothing_else_happens(
        self, stack: StackFolder, cli: Cli, service: Service, meanwhile: Callable[..., None]
    ) -> None:
        service.rules({"pending": "2s", "running": "1000h"})
        stack.write_job("a")
        stack.write_job("b")
        cli.ok("apply", "--yes")
        before = files(stack)
        remote = service.of("a")[0]["name"]
        meanwhile(nothing, nothing, nothing, lambda: service.cancel(remote), nothing)
        ran = cli("status", "-w")
        assert ran.code == 130
        assert ran.err == ""
        lines = [line.split("Z ", 1)[1] for line in ran.out.splitlines()]
        assert lines[:2] == ["a: Active, PENDING, ?/3: pending", "b: Active, PENDING, ?/3: pending"]
        assert "a: Active, RUNNING, ?/3: running" in lines
        assert lines[-1].startswith("a: Cancelled, CANCELLED")
        assert len(lines) == len(set(lines)) == 5
        assert files(stack) == before
        assert service.creates == 2

    def test_manifests_are_read_again_and_a_broken_one_ends_nothing(
        self, stack: StackFolder, cli: Cli, meanwhile: Callable[..., None]
    ) -> None:
        stack.write_job("a")
        acts = [
            lambda: stack.write_job("b"),
            lambda: stack.write_job("broken", modle="x"),
            lambda: stack.job_path("broken").unlink(),
            lambda: stack.job_path("b").unlink(),
        ]
        meanwhile(*acts, nothing, nothing)
        ran = cli("status", "--watch")
        assert ran.code == 130
        assert "UnknownField" in ran.err
        lines = [line.split("Z ", 1)[1] for line in ran.out.splitlines()]
        assert [line.partition(":")[0] for line in lines] == ["a", "b", "b"]
        assert lines[-1] == "b: removed"

    def test_an_account_that_cannot_be_read_is_warned_of_once(
        self, stack: StackFolder, cli: Cli, service: Service, meanwhile: Callable[..., None]
    ) -> None:
        service.rules(LONG)
        stack.write_job("a")
        cli.ok("apply", "--yes")
        fault = {"method": "batches.list", "kind": "status", "status": 403}
        meanwhile(lambda: service.faults(fault), nothing, nothing, service.faults, nothing)
        ran = cli("status", "-w")
        assert len([line for line in ran.err.splitlines() if "403" in line]) == 1
        assert "it can be read again" in ran.err
        assert "a: Active" in ran.out.splitlines()[-1]

    def test_it_has_text_alone(self, stack: StackFolder, cli: Cli) -> None:
        ran = cli("status", "-w", "-o", "json")
        assert (ran.code, ran.json["error"]["message"]) == (64, "--watch shows text")


class TestWait:
    def test_for_a_phase_that_others_bring_about(
        self, stack: StackFolder, cli: Cli, service: Service, meanwhile: Callable[..., None]
    ) -> None:
        service.rules(SOON)
        stack.write_job("a")
        stack.write_job("b")
        meanwhile(elsewhere("apply", "--yes", "-f", "jobs/a.yaml"), nothing, elsewhere("apply", "--yes"), nothing)
        ran = cli.ok("wait", "b", "a")
        assert ran.out.splitlines() == ["a: Succeeded", "b: Succeeded"]
        assert service.calls("batches.delete") == 0

    def test_it_looks_and_writes_nothing(
        self, stack: StackFolder, cli: Cli, service: Service, meanwhile: Callable[..., None]
    ) -> None:
        service.rules(SOON)
        stack.write_job("a")
        cli.ok("apply", "--yes")
        before = files(stack)
        meanwhile(nothing, nothing, nothing)
        assert cli.ok("wait", "a", "--for=succeeded").out == "a: Succeeded\n"
        assert files(stack) == before
        ran = cli("wait", "a", "--for", "results", "--timeout", "0s")
        assert (ran.code, "not collected yet: a is Succeeded" in ran.err) == (7, True)
        cli.ok("apply", "--yes")
        assert cli.ok("wait", "a", "--for", "results").out == "a: collected\n"

    def test_what_cannot_come_ends_with_4(
        self, stack: StackFolder, cli: Cli, service: Service, quick: list[float]
    ) -> None:
        service.rules({"match": {"displayName": "*/bad@*"}, "pending": "0s", "running": "1s", "fate": "fail"}, SOON)
        stack.write_job("bad")
        stack.write_job("next", dependsOn=["bad"])
        stack.write_job("good")
        cli("apply", "--yes", "--wait")
        ran = cli("wait", "--all")
        assert ran.code == 4
        assert ran.out == "good: Succeeded\n"
        assert "not Succeeded: bad is Failed (failed: " in ran.err
        assert "next is Blocked" in ran.err
        assert cli("wait", "bad", "--for", "phase=Failed").code == 0
        assert cli("wait", "good", "--for", "Active").code == 0, "it surely was active"
        assert cli("wait", "good", "--for", "Failed").code == 4

    def test_a_retry_that_is_due_is_waited_for(
        self, stack: StackFolder, cli: Cli, service: Service, meanwhile: Callable[..., None]
    ) -> None:
        service.rules({"match": {"nth": 1}, "pending": "0s", "running": "1s", "fate": "fail"}, SOON)
        stack.write_job("a", lifecycle={"backoffLimit": 1})
        cli.ok("apply", "--yes")
        meanwhile(nothing, nothing, elsewhere("watch"), nothing)
        assert cli.ok("wait", "a").out == "a: Succeeded\n"
        assert service.creates == 2

    def test_time_is_up(self, stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
        service.rules(LONG)
        for name in "abcde":
            stack.write_job(name, labels={"team": "search"})
        cli.ok("apply", "--yes")
        ran = cli("wait", "-l", "team=search", "--timeout", "30s", "-o", "json")
        assert ran.code == 7
        assert "a is Active (running), b is Active (running), c is Active (running), and 2 more jobs" in ran.err
        check_closed("status", ran.json)
        assert ran.phases() == dict.fromkeys("abcde", "Active")
        assert 1 < service.calls("batches.list") < 30, "it looks less than once a second"

    def test_for_deletion(self, stack: StackFolder, cli: Cli, service: Service, meanwhile: Callable[..., None]) -> None:
        service.rules(SOON)
        stack.write_job("a")
        stack.write_job("b")
        cli.ok("apply", "--yes", "--wait")
        meanwhile(nothing, elsewhere("destroy", "a", "--yes", "--wait"), nothing)
        assert cli.ok("wait", "a", "--for=delete").out == "a: deleted\n"
        gone = cli.ok("wait", "nobody", "--for=delete")
        assert (gone.out, gone.err) == ("nobody: deleted\n", "warning: there is no job nobody\n")
        assert cli("wait", "--all", "--for=delete", "--timeout=0s").code == 7

    def test_a_job_that_is_removed_meanwhile_does_not_come(
        self, stack: StackFolder, cli: Cli, meanwhile: Callable[..., None]
    ) -> None:
        stack.write_job("a")
        stack.write_job("b")
        meanwhile(lambda: stack.job_path("a").unlink(), nothing, nothing)
        ran = cli("wait", "a")
        assert (ran.code, "a is gone" in ran.err) == (4, True)

    def test_ctrl_c(self, stack: StackFolder, cli: Cli, meanwhile: Callable[..., None]) -> None:
        stack.write_job("a")
        meanwhile(nothing)
        assert cli("wait", "a").code == 130

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (["nobody"], 1, "there is no job nobody"),
            (["-l", "team=none"], 1, "there is no job to wait for"),
            ([], 64, "name the jobs, or select them with -f or -l, or use --all"),
            (["a", "--for", "Suceeded"], 64, "did you mean Succeeded?"),
            (["a", "--for", "condition=Complete"], 64, "condition=Complete is --for=Succeeded here"),
            (["a", "--for", "running"], 64, "running is --for=Active here"),
            (["a", "--for", "x"], 64, "one of: Waiting, Blocked"),
            (["a", "--timeout", "soon"], 64, "is not a duration"),
        ],
    )
    def test_wrong_usage(self, stack: StackFolder, cli: Cli, words: list[str], code: int, said: str) -> None:
        stack.write_job("a")
        ran = cli("wait", *words)
        assert (ran.code, said in ran.err) == (code, True), ran.err

    def test_an_account_that_cannot_be_read_ends_it(self, stack: StackFolder, cli: Cli, service: Service) -> None:
        stack.write_job("a")
        cli.ok("apply", "--yes")
        service.faults({"method": "batches.list", "kind": "status", "status": 403})
        ran = cli("wait", "a")
        assert (ran.code, "403" in ran.err) == (1, True)
