"""`watch` as a service: a process that is let run while the world around it changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from batchctl.cli.known_rows import KnownRows
from batchctl.cli.start_signals import INTERRUPTED
from batchctl.engine.clock import SystemClock
from batchctl.model.errors import RowsError
from batchctl.model.kinds import Kind
from batchctl.state.store import open_state
from tests.support.command_line import LONG, PROGRAM, Cli, Service, StackFolder, manifest
from tests.support.json_logs import check_log
from tests.support.patience import PATIENCE


class Watcher:
    """`batchctl watch --forever`, or another command, in a process of its own, its news as JSON lines."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        command: Sequence[str] = ("watch", "--forever", "--yes", "--poll-max", "1s"),
    ) -> None:
        words = [*command, "--log-format", "json", *arguments]
        # As a shell does after `cd`, links and all.
        env = {**os.environ, "PWD": str(folder)}
        self._child = subprocess.Popen(
            [*PROGRAM, *words], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.told: list[str] = []

    def wait_for(self, words: str) -> str:
        assert self._child.stderr is not None
        deadline = time.monotonic() + PATIENCE
        # An unchanged wait is told every minute, so there is always another line to look at the clock by.
        for line in self._child.stderr:
            assert "Traceback" not in line
            assert time.monotonic() < deadline, f"{words!r} was not told: {self.told}"
            (read,) = check_log(line)
            text: str = read["message"]
            self.told.append(text)
            if words in text:
                return text
        raise AssertionError(f"it ended without {words!r}: {self.told}")

    def end(self) -> int:
        self._child.send_signal(signal.SIGTERM)
        _, rest = self._child.communicate(timeout=PATIENCE)
        assert "Traceback" not in rest
        lines = check_log(rest)
        if self._child.returncode == INTERRUPTED:
            assert {"stopping", "error"} <= {line["event"] for line in lines}
        return self._child.returncode

    def kill(self) -> None:
        self._child.kill()
        self._child.communicate()


@pytest.fixture
def watchers() -> Iterator[list[Watcher]]:
    started: list[Watcher] = []
    yield started
    for one in started:
        one.kill()


@pytest.fixture
def checkout(tmp_path: Path, service: Service) -> Path:
    """A folder as git-sync makes it: `current` is a link to a revision; state and results lie outside."""
    root = tmp_path / "sync"
    root.mkdir()
    folder = StackFolder(root / "rev1")
    folder.write_stack(results=str(tmp_path / "kept" / "results"))
    folder.write_job("a")
    (root / "current").symlink_to("rev1")
    return root


def switch(root: Path, revision: str) -> None:
    new = root / "new"
    new.symlink_to(revision)
    new.replace(root / "current")


def test_a_service_keeps_its_jobs_through_all_that_happens_to_its_folder_and_recovers(
    checkout: Path, tmp_path: Path, service: Service, watchers: list[Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCHCTL_ALLOW_OUTSIDE", "1")
    state = tmp_path / "kept" / "state.db"
    watch = Watcher(checkout / "current", "--state", str(state))
    watchers.append(watch)
    watch.wait_for("created batches/")
    # Emptied, invalid, gone.
    path = checkout / "rev1" / "jobs" / "a.yaml"
    text = path.read_text()
    path.unlink()
    watch.wait_for("no manifest is left")
    path.write_text("kind: [")
    watch.wait_for("InvalidYaml")
    (checkout / "current").rename(checkout / "away")
    watch.wait_for("No such file or directory")
    (checkout / "away").rename(checkout / "current")
    path.write_text(text)
    watch.wait_for("the manifests can be used again")
    # Switched: another job is there, and the first revision is cleaned up.
    shutil.copytree(checkout / "rev1", checkout / "rev2")
    (checkout / "rev2" / "jobs" / "b.yaml").write_text(manifest("b"))
    switch(checkout, "rev2")
    shutil.rmtree(checkout / "rev1")
    assert watch.wait_for("created batches/").startswith("created")
    # Locked by another.
    with open_state(state, stack="shop", uid="a1b2c3", clock=SystemClock(), who="other", lock_timeout=PATIENCE).lock():
        watch.wait_for("is locked by")
    watch.wait_for("a pass could be made again")
    service.advance("11m")
    watch.wait_for("results collected")
    assert watch.end() == 130
    assert service.creates == 2
    assert [len(service.of(name)) for name in "ab"] == [1, 1]
    assert not any(job["deleted"] for job in service.jobs())
    assert not (checkout / "rev1").exists()


@pytest.fixture
def until_stopped(monkeypatch: pytest.MonkeyPatch, quick: list[float]) -> dict[int, object]:
    """Things to do in the middle of a sleep, by its number; after the last one the command is stopped."""
    happenings: dict[int, object] = {}
    passing = SystemClock.sleep

    def sleep(clock: SystemClock, seconds: float) -> None:
        passing(clock, seconds)
        happening = happenings.get(len(quick))
        if callable(happening):
            happening()
        if len(quick) > max(happenings):
            clock.stop()

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    return happenings


def test_a_fault_is_told_once_and_not_for_each_pass(
    stack: StackFolder, cli: Cli, until_stopped: dict[int, object]
) -> None:
    stack.write_job("a")
    until_stopped |= {2: lambda: stack.job_path("a").write_text("kind: ["), 12: lambda: stack.write_job("a")}
    until_stopped[14] = None
    ran = cli("watch", "--forever", "--yes")
    assert ran.code == 130
    assert ran.err.count("InvalidYaml") == 1
    assert ran.err.count("the manifests can be used again") == 1


def test_what_has_come_into_the_stack_file_counts(
    stack: StackFolder, cli: Cli, until_stopped: dict[int, object], service: Service
) -> None:
    stack.write_job("a")

    def change() -> None:
        providers = {
            "gemini": {"type": "gemini", "endpoint": "emulator"},
            "two": {"type": "gemini", "endpoint": service.url},
        }
        stack.write_stack(providers=providers)
        stack.write_job("a", provider="gemini")
        stack.write_job("b", provider="two")

    os.environ["GEMINI_API_KEY"] = "key"
    until_stopped |= {2: change, 30: None}
    cli("watch", "--forever", "--yes")
    assert cli.ok("status", "-o", "json").phases() == {"a": "Succeeded", "b": "Succeeded"}


def test_a_link_that_may_be_switched_is_told_of(
    checkout: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, until_stopped: dict[int, object]
) -> None:
    monkeypatch.setenv("BATCHCTL_ALLOW_OUTSIDE", "1")
    monkeypatch.chdir(checkout / "current")
    monkeypatch.setenv("PWD", str(checkout / "current"))
    until_stopped[1] = None
    told = cli("watch", "--forever", "--yes").err
    assert f"warning: {checkout / 'current'} is reached through a symbolic link" in told
    assert str(checkout / "rev1" / ".batchctl" / "state.db") in told
    assert "kept/results" not in told
    monkeypatch.chdir(checkout / "rev1")
    monkeypatch.setenv("PWD", str(checkout / "rev1"))
    until_stopped[200] = None
    monkeypatch.setattr(SystemClock, "sleep", lambda clock, seconds: clock.stop())
    assert "link" not in cli("watch", "--forever", "--yes").err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--until", "a"], "'a' is not NAME=PHASE"),
        (["--until", "=Active"], "there is no job"),
        (["--until", "b=Succeeded"], "there is no job b in scope"),
        (["--until", "a=succeeded"], "unknown phase 'succeeded'"),
        (["--until", "a=Active", "--until", "a=Failed"], "two phases"),
        (["--until", "a=Active", "--forever"], "--until and --forever exclude each other"),
        (["--until", "a=Active", "--once"], "--until and --once exclude each other"),
        (["--forever", "--once"], "--forever and --once exclude each other"),
        (["--forever", "-f", "-"], "standard input can be read once"),
        (["--poll-min", "2m"], "at most --poll-max"),
        (["--poll-min", "0s"], "must be more than 0"),
        (["--poll-max", "soon"], "--poll-max: 'soon' is not a duration"),
    ],
)
def test_wrong_usage(stack: StackFolder, cli: Cli, service: Service, words: list[str], message: str) -> None:
    stack.write_job("a")
    ran = cli("watch", *words)
    assert (ran.code, message in ran.err) == (64, True), ran
    assert service.creates == 0


def test_until_names_only_jobs_in_scope(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    stack.write_job("b")
    assert cli("watch", "a", "--until", "b=Succeeded").code == 64


def test_until_a_phase(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules({"match": {"displayName": "*/slow@*"}, **LONG}, {"match": {"displayName": "*/bad@*"}, "fate": "fail"})
    for name in ("fine", "slow", "bad"):
        stack.write_job(name)
    cli.ok("watch", "--yes", "--until", "fine=Succeeded", "--until", "bad=Failed")
    assert cli.ok("status", "-o", "json").phases()["slow"] == "Active"
    assert cli("watch", "--until", "bad=Succeeded").code == 4
    assert cli("watch", "--until", "slow=Succeeded", "--timeout", "1m").code == 7
    cli.ok("watch", "--until", "slow=Succeeded")


def test_the_poll_interval_keeps_to_its_bounds(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules({"pending": "0s", "running": "1h"})
    stack.write_job("a")
    cli.ok("watch", "--yes", "--poll-min", "10s", "--poll-max", "5m")
    assert min(quick) >= 9
    assert 200 < max(quick) <= 330


def rows(path: Path, *keys: str) -> Path:
    path.write_text("".join(json.dumps({"key": key, "text": "x"}) + "\n" for key in keys))
    return path


def test_rows_are_read_again_only_where_they_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, known = rows(tmp_path / "a.jsonl", "a", "b"), KnownRows()
    reads: list[Path] = []
    real = known._files.fingerprint

    def reading(path: Path, kind: Kind, *rest: object) -> object:
        reads.append(path)
        return real(path, kind)

    monkeypatch.setattr(known._files, "fingerprint", reading)
    first = known.fingerprint(path, Kind.BATCH_JOB)
    known.begin()
    assert (known.fingerprint(path, Kind.BATCH_JOB), len(reads)) == (first, 1)
    rows(path, "a", "c")
    os.utime(path, ns=(1, 1))
    assert known.fingerprint(path, Kind.BATCH_JOB) != first
    assert len(reads) == 2
    known.begin()
    known.begin()
    known.fingerprint(path, Kind.BATCH_JOB)
    assert len(reads) == 3, "what a reading did not use is forgotten"
    path.unlink()
    for _ in range(2):
        with pytest.raises(RowsError):
            known.fingerprint(path, Kind.BATCH_JOB)
    assert len(reads) == 5


def test_a_second_signal_leaves_at_once_in_the_middle_of_a_sleep(
    stack: StackFolder, service: Service, watchers: list[Watcher]
) -> None:
    stack.write_job("a")
    watch = Watcher(stack.path, "--poll-max", "1h", "--poll-min", "1h")
    watchers.append(watch)
    watch.wait_for("1 Active")
    assert watch.end() == 130
