"""SIGINT, SIGTERM and SIGHUP end the work in an orderly way: exit 130, a sound state, and a rerun that finishes."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from batchctl.cli.signals import orderly_stop
from batchctl.engine.clock import SystemClock
from batchctl.report.progress import QuietProgress
from tests.support.command_line import PROGRAM, SOON, Cli, Service, StackFolder
from tests.support.held_calls import held
from tests.support.patience import PATIENCE


class Running:
    """A command in a process of its own."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self.err = ""

    def wait_for(self, word: str) -> None:
        """Read standard error until a line has the word."""
        assert self._child.stderr is not None
        for line in self._child.stderr:
            self.err += line
            if word in line:
                return
        raise AssertionError(f"it ended without {word!r}: {self.err}")

    def send(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def end(self) -> int:
        """The exit code; what was left on standard error is read."""
        _, rest = self._child.communicate(timeout=PATIENCE)
        self.err += rest
        assert "Traceback" not in self.err
        return self._child.returncode


@contextmanager
def running(*arguments: str, hangup: signal.Handlers = signal.SIG_DFL) -> Iterator[Running]:
    """A command; `hangup` is what it inherits for SIGHUP."""
    before = signal.signal(signal.SIGHUP, hangup)
    child = subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGHUP, before)
    try:
        yield Running(child)
    finally:
        child.kill()
        child.communicate()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds at the service."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def looks(service: Service) -> int:
    return service.calls("batches.list") + service.calls("batches.get")


def check_state(stack: StackFolder) -> None:
    database = sqlite3.connect(stack.path / ".batchctl" / "state.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_130_while_it_waits(stack: StackFolder, cli: Cli, service: Service, number: signal.Signals) -> None:
    service.rules({"pending": "10m", "running": "0s"})
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    with running("watch") as watch:
        watch.wait_for("waiting:")
        watch.send(number)
        assert watch.end() == 130
        assert "run the same command again" in watch.err
    check_state(stack)
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Active"}
    service.advance("1h")
    cli.ok("watch", "--once")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert len(cli.ok("results", "translate").rows) == 3
    assert service.creates == 1


def test_under_nohup_it_outlives_the_terminal(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.rules({"pending": "10m", "running": "0s"})
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    with running("watch", "--poll-min", "1s", "--poll-max", "1s", hangup=signal.SIG_IGN) as watch:
        watch.wait_for("waiting:")
        watch.send(signal.SIGHUP)
        before = looks(service)
        until(lambda: looks(service) > before)
        watch.send(signal.SIGTERM)
        assert watch.end() == 130


def test_130_in_the_middle_of_a_create_call_lets_it_finish(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(limits={"concurrency": 1})
    for name in ("first", "second"):
        stack.write_job(name)
    service.faults(held("batches.create", "after"))
    with running("apply", "--yes") as apply:
        until(lambda: len(service.jobs()) == 1)
        apply.send(signal.SIGINT)
        apply.wait_for("again to leave at once")
        service.let_go()
        assert apply.end() == 130
    check_state(stack)
    assert service.creates == 1, "nothing more was begun"
    assert cli.ok("plan", "-o", "json").actions() == {"first": "wait", "second": "create"}
    cli.ok("apply", "--yes")
    assert service.creates == 2
    assert len(service.jobs()) == 2


def test_a_second_signal_leaves_at_once_and_loses_nothing(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.rules(SOON)
    stack.write_job("translate")
    service.faults(held("batches.create", "after"))
    with running("apply", "--yes") as apply:
        until(lambda: len(service.jobs()) == 1)
        apply.send(signal.SIGINT)
        apply.wait_for("again to leave at once")
        apply.send(signal.SIGINT)
        assert apply.end() == 130
    service.faults()
    check_state(stack)
    cli.ok("apply", "--yes")
    assert service.creates == 1, "the job was found by its mark"
    assert len(service.jobs()) == 1


def test_sigint_ends_the_served_emulator_cleanly() -> None:
    command = [*PROGRAM, "emulator", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(4)]
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=PATIENCE)
    assert all(line.startswith("export ") for line in lines), lines
    assert "Traceback" not in err
    assert child.returncode == 0


def test_a_signal_in_the_middle_of_a_write_to_standard_error_is_no_harm(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A handler that wrote by `sys.stderr` would enter it a second time, which Python refuses with a traceback."""
    clock = SystemClock()
    with orderly_stop(clock, QuietProgress(io.StringIO())):
        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr", None)
            os.kill(os.getpid(), signal.SIGTERM)
        assert clock.is_stopped()
    assert "stopping: finishing what is in flight" in capfd.readouterr().err


_READING = """
import os, signal, sys
class Now:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{number})
sys.meta_path.insert(0, Now())
sys.argv = ["batchctl", "watch", "--help"]
from batchctl.cli import main
main()
"""
"""A process that gets a signal while it reads a module of the program."""


@pytest.mark.parametrize(
    "module", ["batchctl.cli.main", "batchctl.engine.loop.drive", "batchctl.report.console", "batchctl.cli.watch"]
)
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_130_while_the_program_is_read(module: str, number: str) -> None:
    code = _READING.format(module=module, number=number)
    done = subprocess.run([PROGRAM[0], "-c", code], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.strip() == "interrupted; the state is consistent: run the same command again"


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_130_while_a_command_reads_its_manifests(stack: StackFolder, number: str) -> None:
    """Between the program's start and its work. More than a pipe holds was written: so it reads."""
    child = subprocess.Popen(
        [*PROGRAM, "validate", "-f", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdin is not None
        child.stdin.write("# a long manifest\n" * 20_000)
        child.send_signal(signal.Signals[number])
        _, words = child.communicate(timeout=PATIENCE)
    finally:
        child.kill()
    assert child.returncode == 130
    assert "interrupted" in words
    assert "Traceback" not in words


def test_what_the_parent_ignores_stays_ignored() -> None:
    code = _READING.format(module="batchctl.engine.loop.drive", number="SIGHUP")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = subprocess.run([PROGRAM[0], "-c", code], capture_output=True, text=True, check=False, timeout=PATIENCE)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (done.returncode, done.stdout.split()[0]) == (0, "Usage:")
