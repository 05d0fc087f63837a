"""Commands as hooks: their input, the meaning of their exit status, and their time limit."""

from __future__ import annotations

import json
import os
import select
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchctl.model.errors import HookUnusable, NotDelivered
from batchctl.model.notices import CommandHook, Notice, NoticeType, Webhook
from batchctl.providers.notify.command import CommandRunner
from batchctl.providers.notify.notifier import HookNotifier
from batchctl.providers.notify.webhook import WebhookSender
from tests.support.hook_receiver import SECRET, HookReceiver
from tests.support.patience import PATIENCE

BODY = json.dumps({"id": "evt_1", "reason": "$(touch oops) `touch oops`; touch oops"})
NOTICE = Notice("evt_1", "log", "a", 1, NoticeType.FAILED, datetime(2026, 11, 22, tzinfo=UTC), BODY)
ALL = "import pathlib, sys; pathlib.Path('got').write_text(sys.stdin.read() + '|' + '|'.join(sys.argv[1:]))"


def run(folder: Path, *command: str, allowed=True, total=20.0):
    CommandRunner(folder, allowed, total).send(CommandHook("log", command), NOTICE)


def problem_of(folder, *command, **options):
    with pytest.raises(NotDelivered) as caught:
        run(folder, *command, **options)
    return caught.value


def python(script: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script, *arguments)


def test_a_command_gets_the_event_and_its_arguments_as_they_are(tmp_path):
    words = ("a b", "", "*", "$HOME", "; touch oops")
    run(tmp_path, *python(ALL, *words))
    assert (tmp_path / "got").read_text() == "|".join([BODY, *words])
    assert not (tmp_path / "oops").exists()


def test_a_script_of_the_stack_is_found_from_its_folder(tmp_path):
    script = tmp_path / "hooks" / "tell"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\ncat > got\necho much; echo more >&2\n")
    script.chmod(0o755)
    run(tmp_path, "hooks/tell")
    assert (tmp_path / "got").read_text() == BODY


def test_what_it_prints_goes_nowhere(tmp_path, capfd):
    run(tmp_path, *python("import sys; print('::error::x'); print('y', file=sys.stderr)"))
    assert capfd.readouterr() == ("", "")


def test_a_command_need_not_read(tmp_path):
    long = Notice("evt_1", "log", "a", 1, NoticeType.FAILED, NOTICE.time, "x" * 1_000_000)
    CommandRunner(tmp_path, is_allowed=True).send(CommandHook("log", ("true",)), long)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("raise SystemExit(3)", "ended with status 3"),
        ("import os; os.kill(os.getpid(), 9)", "ended with signal 9"),
    ],
)
def test_a_failing_command_is_a_failed_delivery(tmp_path, script, says):
    problem = problem_of(tmp_path, *python(script))
    assert (problem.code, problem.message) == ("NotDelivered", f"the command {sys.executable} {says}")
    assert not isinstance(problem, HookUnusable)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("no-such-program-anywhere", "No such file or directory"),
        ("./folder", "Permission denied"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_a_command_that_cannot_be_started(tmp_path, command, says):
    (tmp_path / "folder").mkdir()
    problem = problem_of(tmp_path, command)
    assert problem.message == f"the command {command} cannot be started: {says}"
    assert not isinstance(problem, HookUnusable)


STARTS_ANOTHER = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; out = open('alive', 'w', 1); out.write('yes'); time.sleep(60)"])
time.sleep(60)
"""


def test_a_command_that_never_ends_is_killed_with_all_that_it_started(tmp_path):
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    problem = problem_of(tmp_path, *python(STARTS_ANOTHER), total=1.0)
    assert problem.message == f"the command {sys.executable} did not end within 1 seconds"
    # The pipe ends when no process has it open any more. On a busy machine none had it open yet.
    os.close(os.open(tmp_path / "alive", os.O_WRONLY | os.O_NONBLOCK))
    while select.select([reader], [], [], PATIENCE)[0]:
        if not os.read(reader, 10):
            os.close(reader)
            return
    pytest.fail("what the command started goes on")


def test_no_command_runs_unless_the_operator_allows_it(tmp_path):
    problem = problem_of(tmp_path, *python(ALL), allowed=False)
    assert isinstance(problem, HookUnusable)
    assert (problem.code, problem.hint) == (
        "CommandsNotAllowed",
        "if you trust the stack file, set BATCHCTL_ALLOW_COMMANDS=1",
    )
    assert not (tmp_path / "got").exists()


class NoClock:
    def now(self):
        return NOTICE.time

    def sleep(self, seconds):
        raise AssertionError("nobody sleeps here")


def test_each_kind_of_hook_has_its_way(tmp_path):
    sender = WebhookSender({"SECRET": SECRET}, lambda place: True, NoClock())
    notifier = HookNotifier(sender, CommandRunner(tmp_path, is_allowed=True))
    with HookReceiver() as receiver:
        notifier.check(Webhook("ops", receiver.url, "SECRET"))
        notifier.check(CommandHook("log", python(ALL)))
        assert (receiver.got, list(tmp_path.iterdir())) == ([], [])
        notifier.send(Webhook("ops", receiver.url, "SECRET"), NOTICE)
        notifier.send(CommandHook("log", python(ALL)), NOTICE)
    assert receiver.got[0].body.decode() == BODY
    assert (tmp_path / "got").read_text() == f"{BODY}|"


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        (Webhook("ops", "https://127.0.0.1/", "UNSET"), "UNSET is not set"),
        (Webhook("ops", "https://127.0.0.1/", "SECRET"), "not on the public Internet"),
        (CommandHook("log", ("no-such-program",)), "no-such-program cannot be started"),
        (CommandHook("log", ("./script.sh",)), "./script.sh cannot be started"),
    ],
)
def test_an_undeliverable_hook_is_found_without_a_delivery(tmp_path, hook, words):
    (tmp_path / "script.sh").write_text("#!/bin/sh\n")  # nobody may run it
    notifier = HookNotifier(
        WebhookSender({"SECRET": SECRET}, lambda place: False, NoClock()), CommandRunner(tmp_path, is_allowed=True)
    )
    with pytest.raises(NotDelivered, match=words):
        notifier.check(hook)
    (tmp_path / "script.sh").chmod(0o700)
    notifier.check(CommandHook("log", ("./script.sh",)))


def test_a_command_that_is_not_allowed_is_found_without_running_it(tmp_path):
    with pytest.raises(HookUnusable, match="not allowed"):
        CommandRunner(tmp_path, is_allowed=False).check(CommandHook("log", python(ALL)))


CREDENTIALS = {
    "GEMINI_API_KEY": "AIza-secret",
    "GOOGLE_API_KEY": "AIza-secret",
    "GOOGLE_APPLICATION_CREDENTIALS": "/home/ada/key.json",
    "HTTPS_PROXY": "http://ada:secret@proxy",
    "GITHUB_TOKEN": "secret",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "ANYTHING_ELSE": "secret",
}
TELL = "import json, os, pathlib; pathlib.Path('got').write_text(json.dumps(dict(os.environ)))"


def test_a_command_gets_no_credentials_unless_named(tmp_path):
    plain = {"PATH": os.environ["PATH"], "HOME": "/home/ada", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    runner = CommandRunner(tmp_path, is_allowed=True, env={**plain, **CREDENTIALS})
    runner.send(CommandHook("log", python(TELL)), NOTICE)
    assert json.loads((tmp_path / "got").read_text()) == plain
    hook = CommandHook("log", python(TELL), variables=("ANYTHING_ELSE", "GITHUB_TOKEN"))
    runner.check(hook)
    runner.send(hook, NOTICE)
    named = dict.fromkeys(hook.variables, "secret")
    assert json.loads((tmp_path / "got").read_text()) == {**plain, **named}


def test_a_variable_that_is_not_set_holds_the_command_back(tmp_path):
    runner = CommandRunner(tmp_path, is_allowed=True, env={"PATH": os.environ["PATH"]})
    hook = CommandHook("log", python(TELL), variables=("SLACK_TOKEN", "PATH"))
    for attempt in (lambda: runner.check(hook), lambda: runner.send(hook, NOTICE)):
        with pytest.raises(HookUnusable) as caught:
            attempt()
        assert (caught.value.code, "SLACK_TOKEN is not set" in caught.value.message) == ("NoHookVariable", True)
    assert not (tmp_path / "got").exists()
