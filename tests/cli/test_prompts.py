"""Questions are asked only where somebody sits: on a terminal, without `--yes`."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from select import select

import pytest

from tests.support.command_line import SOON, Cli, Service, StackFolder
from tests.support.patience import PATIENCE

_INTERRUPT = "\x03"
_AT_THE_TERMINAL = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that ^C at this terminal is a signal
from batchctl.cli import main
main()
"""


@dataclass(frozen=True)
class Session:
    """A command on a terminal, to its end."""

    code: int
    screen: str


def on_a_terminal(
    arguments: Sequence[str], answer: str, *, asked: str = "[y/N]", meanwhile: Callable[[], object] = lambda: None
) -> Session:
    """Run a command on a pseudo-terminal, and type the answer when the question stands there."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", _AT_THE_TERMINAL, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen, typed = "", False
    try:
        for _ in range(PATIENCE * 2):
            if not select([ours], [], [], 1)[0]:
                if typed and answer == _INTERRUPT:
                    # Python can miss a signal that comes just before it begins to read a line; a person repeats it.
                    os.write(ours, answer.encode())
                continue
            try:
                screen += os.read(ours, 4096).decode(errors="replace")
            except OSError:  # Linux says EIO when the other side has closed the terminal
                break
            if asked in screen and not typed:
                typed = True
                meanwhile()
                os.write(ours, answer.encode())
        code = child.wait(PATIENCE)
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    assert "Traceback" not in screen
    return Session(code, screen)


def test_yes_applies(stack: StackFolder, service: Service) -> None:
    stack.write_job("translate")
    session = on_a_terminal(["apply"], "y\n")
    assert session.code == 0
    assert "Plan: 1 to create." in session.screen
    assert "Do you want to apply these changes?" in session.screen
    assert service.creates == 1


@pytest.mark.parametrize(("answer", "code"), [("n\n", 6), ("\n", 6), (_INTERRUPT, 130), ("\x04", 130)])
def test_anything_else_does_nothing(stack: StackFolder, service: Service, answer: str, code: int) -> None:
    stack.write_job("translate")
    session = on_a_terminal(["apply"], answer)
    assert session.code == code
    assert service.creates == 0


@pytest.mark.parametrize("answer", ["n\n", "y\n", "\n", "sho\n"])
def test_destroy_asks_for_the_name_of_the_stack(stack: StackFolder, cli: Cli, service: Service, answer: str) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    session = on_a_terminal(["destroy"], answer, asked="to agree")
    assert session.code == 6
    assert "Do you want to remove these jobs? Type shop to agree" in session.screen
    assert "translate" in session.screen
    assert not service.of("translate")[0]["deleted"]


def test_the_name_of_the_stack_stands_for_any_number(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(limits={"maxDelete": 1})
    for name in ("a", "b"):
        stack.write_job(name)
    cli.ok("apply", "--yes")
    session = on_a_terminal(["destroy"], "shop\n", asked="to agree")
    assert session.code == 0, session.screen
    assert {job["state"] for job in service.jobs()} == {"BATCH_STATE_CANCELLED"}


def test_nothing_is_asked_when_there_is_nothing_to_agree_to(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    session = on_a_terminal(["apply"], "y\n", asked="no question comes")
    assert session.code == 0
    assert "Do you want" not in session.screen


@pytest.mark.parametrize("flags", [["--yes"], ["--no-input"]], ids=" ".join)
def test_flags_answer_beforehand(stack: StackFolder, service: Service, flags: list[str]) -> None:
    stack.write_job("translate")
    session = on_a_terminal(["apply", *flags], "", asked="no question comes")
    assert "Do you want" not in session.screen
    assert session.code == (0 if flags == ["--yes"] else 6)
    assert service.creates == (1 if flags == ["--yes"] else 0)


def test_a_watcher_never_asks(stack: StackFolder, service: Service) -> None:
    stack.write_job("translate")
    session = on_a_terminal(["watch"], "y\n")
    assert session.code == 6
    assert "Do you want" not in session.screen
    assert service.creates == 0


def test_without_a_terminal_nobody_is_asked(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    ran = cli("apply")
    assert ran.code == 6
    assert "--yes" in ran.out
    assert "Do you want" not in ran.err
    assert service.creates == 0


def test_what_changed_while_the_question_stood_there_is_not_agreed_to(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    stack.write_job("translate")
    session = on_a_terminal(["apply"], "y\n", meanwhile=lambda: cli.ok("apply", "--yes"))
    assert session.code == 6
    assert "PlanChanged" in session.screen
    assert "(translate)" in session.screen
    assert service.creates == 1


def test_another_change_of_the_same_job_is_not_agreed_to(stack: StackFolder, cli: Cli, service: Service) -> None:
    """The action is the same, and so is the manifest: what it is changed from is not what was shown."""

    def write(temperature: float) -> None:
        stack.write_job("translate", request={"generationConfig": {"temperature": temperature}})

    def replace_it_by_another_one() -> None:
        write(0.9)
        cli.ok("apply", "--yes", "--wait")
        write(0.5)

    service.rules(SOON)
    write(0.1)
    cli.ok("apply", "--yes", "--wait")
    write(0.5)
    session = on_a_terminal(["apply"], "y\n", meanwhile=replace_it_by_another_one)
    assert session.code == 6, session.screen
    assert "0.1" in session.screen
    assert "PlanChanged" in session.screen
    assert service.creates == 2
