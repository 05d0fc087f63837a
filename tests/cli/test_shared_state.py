"""Commands on a state in a bucket, over HTTP: folders that come and go, and processes side by side."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from batchctl.engine.clock import SystemClock
from batchctl.model.errors import ServerFailed
from batchctl.model.state_objects import Version
from batchctl.providers.cloud.state_objects import BucketObjects
from batchctl.state.lockfile import this_process
from batchctl.state.shared.lease import Lease
from batchctl.state.shared.lock import HeldLock, take
from batchctl.state.shared.session import SharedSession
from tests.support.command_line import PROGRAM, Cli, Service, StackFolder, check_schema
from tests.support.held_calls import held
from tests.support.patience import PATIENCE

URL = "gs://team/prod/state.db"
_SHORT_LEASE = "from batchctl.state.shared import bucket, lease; bucket.Lease = lambda: lease.Lease(5.0)"
SHORT = (sys.executable, "-c", f"{_SHORT_LEASE}; from batchctl.cli import main; main()")
"""The program with a lease of five seconds, for a process that sleeps through it or is killed."""
PATIENTLY = ("--lock-timeout", f"{PATIENCE}s")


@pytest.fixture
def shared(stack: StackFolder, service: Service) -> StackFolder:
    """A stack with one job, whose state is in a bucket."""
    service.seed(buckets={"team": {}})
    stack.write_stack(state=URL)
    stack.write_job("translate")
    return stack


@pytest.fixture
def start(tmp_path: Path, shared: StackFolder) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts commands as processes, each in a new checkout of the stack."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, program: Sequence[str] = PROGRAM) -> subprocess.Popen[str]:
        folder = tmp_path / f"checkout-{len(started)}"
        shutil.copytree(shared.path, folder)
        begun = subprocess.Popen(
            [*program, *arguments], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(begun)
        return begun

    yield begin
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code and standard error."""
    _, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    return process.returncode, err


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


def test_a_new_checkout_goes_on_where_another_ended(
    shared: StackFolder, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = service.calls("storage.objects.insert")
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "create"}
    assert service.calls("storage.objects.insert") == before, "a plan writes nothing"
    cli.ok("apply", "--yes")
    other = tmp_path / "other"
    shutil.copytree(shared.path, other)
    assert not (other / ".batchctl" / "state.db").exists()
    monkeypatch.chdir(other)
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "wait"}
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert service.creates == 1
    assert not list(Path(os.environ["TMPDIR"]).glob("batchctl-state-*/*/*.part"))


def test_state_commands_work_on_the_bucket(shared: StackFolder, cli: Cli, service: Service, tmp_path: Path) -> None:
    cli.ok("apply", "--yes")
    service.advance("1h")
    cli.ok("apply", "--yes")
    copy = tmp_path / "copy.db"
    cli.ok("state", "pull", str(copy))
    assert cli.ok("state", "list", "--state", str(copy)).out == cli.ok("state", "list").out
    assert "translate" in cli.ok("state", "show", "translate").out
    shown = cli.ok("state", "lock", "show", "-o", "json").json
    check_schema("state-lock", shown)
    assert shown["holder"] is None
    cli.ok("state", "mv", "translate", "french")
    assert cli("state", "push", str(copy)).code == 6
    assert f"kept as {URL}.backup-" in cli.ok("state", "push", "--force", str(copy)).err
    assert [job["job"] for job in cli.ok("state", "list", "-o", "json").json["jobs"]] == ["translate"]
    assert URL in cli.ok("doctor").out
    cli.ok("state", "rm", "translate", "--yes")
    assert cli.ok("state", "list", "-o", "json").json["jobs"] == []
    service.put_object("team", "prod/state.db", "damaged")
    ran = cli("status")
    assert (ran.code, f"the state {URL} is corrupt" in ran.err) == (1, True)
    assert f"{URL}.corrupt-" in cli.ok("state", "rebuild").out
    assert [job["job"] for job in cli.ok("state", "list", "-o", "json").json["jobs"]] == ["translate"]


def test_a_missing_bucket_has_a_way_out(shared: StackFolder, cli: Cli, service: Service) -> None:
    ran = cli("apply", "--yes", "--state", "gs://nowhere/state.db")
    assert ran.code == 1
    assert "StateUnreachable" in ran.err
    assert "check that the bucket nowhere" in ran.err
    assert service.creates == 0


def test_another_storage_server_is_used_if_the_environment_names_one(
    shared: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.write_stack(state=URL, providers={"main": {"type": "gemini"}})
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", service.url.removeprefix("http://"))
    cli.ok("state", "list")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.setattr("batchctl.providers.retry.Retry.pause", lambda *_arguments: None)
    ran = cli("state", "list")
    assert (ran.code, "StateUnreachable" in ran.err, URL in ran.err) == (1, True, True), ran


def test_a_bucket_at_google_needs_credentials(
    shared: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shared.write_stack(state=URL, providers={"main": {"type": "gemini"}})
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    ran = cli("state", "list")
    assert ran.code == 1
    assert "none.json" in ran.err


def test_processes_side_by_side_create_each_job_once(
    shared: StackFolder, service: Service, start: Callable[..., subprocess.Popen[str]]
) -> None:
    for number in range(3):
        shared.write_job(f"job{number}")
    ended = [end(process) for process in [start("apply", "--yes", *PATIENTLY) for _ in range(3)]]
    assert [code for code, _ in ended] == [0, 0, 0], ended
    assert service.creates == len(service.live()) == 4


def test_a_holder_that_is_stopped_past_its_lease_sends_nothing(
    shared: StackFolder, service: Service, cli: Cli, start: Callable[..., subprocess.Popen[str]]
) -> None:
    service.faults(held("batches.list"))
    before = service.calls("batches.list")
    stopped = start("apply", "--yes", program=SHORT)
    wait_until(lambda: service.calls("batches.list") > before)
    stopped.send_signal(signal.SIGSTOP)
    holder = cli.ok("state", "lock", "show", "-o", "json").json["holder"]
    assert holder["pid"] == stopped.pid
    code, err = end(start("apply", "--yes", *PATIENTLY))
    assert code == 0, err
    assert service.creates == 1
    stopped.send_signal(signal.SIGCONT)
    service.let_go()
    code, err = end(stopped)
    assert (code, "LockLost" in err) == (1, True), err
    assert service.creates == 1
    assert cli.ok("state", "lock", "show", "-o", "json").json["holder"] is None


def test_a_killed_holder_leaves_a_state_that_the_next_run_settles(
    shared: StackFolder, service: Service, cli: Cli, start: Callable[..., subprocess.Popen[str]]
) -> None:
    service.faults(held("batches.create", "after"))
    killed = start("apply", "--yes", program=SHORT)
    wait_until(lambda: service.creates == 1)
    killed.kill()
    assert end(killed)[0] == -signal.SIGKILL
    code, err = end(start("apply", "--yes", *PATIENTLY))
    assert code == 0, err
    assert service.creates == len(service.live()) == 1
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "wait"}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cut", "when": "after", "count": 1},
        {"kind": "cut", "when": "before", "count": 1},
        {"kind": "status", "status": 503, "when": "after", "count": 1},
        {"kind": "status", "status": 429, "count": 1},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')} {fault.get('when', '')}",
)
@pytest.mark.usefixtures("quick")
def test_a_write_that_fails_for_a_moment_changes_nothing(
    shared: StackFolder, cli: Cli, service: Service, fault: dict[str, object]
) -> None:
    cli.ok("apply", "--yes")
    shared.write_job("more")
    service.faults({"method": "storage.objects.insert", **fault})
    cli.ok("apply", "--yes")
    assert service.creates == 2
    assert len(cli.ok("state", "list", "-o", "json").json["jobs"]) == 2


@pytest.mark.usefixtures("quick")
def test_no_call_is_sent_if_its_intent_does_not_get_into_the_bucket(
    shared: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("apply", "--yes")
    shared.write_job("more")
    real = BucketObjects.put

    def put(objects: BucketObjects, suffix: str, content: BinaryIO, expected: str) -> Version | None:
        if suffix == "":
            raise ServerFailed("storage.objects.insert: HTTP 503", http=503)
        return real(objects, suffix, content, expected)

    with monkeypatch.context() as patched:
        patched.setattr(BucketObjects, "put", put)
        ran = cli("apply", "--yes")
    assert (ran.code, "StateUnreachable" in ran.err) == (1, True), ran
    assert service.creates == 1
    held = cli.ok("state", "lock", "show", "-o", "json").json["holder"]
    assert held["pid"] == os.getpid(), "the write may still arrive"
    service.advance("21s")
    cli.ok("apply", "--yes")
    assert service.creates == 2


@pytest.mark.usefixtures("quick")
def test_a_process_that_sleeps_between_intent_and_call_sends_nothing(
    shared: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("plan")
    real = SharedSession.check
    taken: list[int] = []

    def check(session: SharedSession) -> None:
        if not taken:
            # The lease ends for the bucket and for this process, and another one takes the lock.
            service.advance("30s")
            session._lock._sent -= 30
            objects = session._lock._objects
            holder = this_process("other", SystemClock().now())
            other = take(objects, holder, Lease())
            assert isinstance(other, HeldLock)
            taken.append(other.epoch)
            other.release()
        real(session)

    monkeypatch.setattr(SharedSession, "check", check)
    ran = cli("apply", "--yes")
    assert (ran.code, "LockLost" in ran.err) == (1, True), ran
    assert (taken, service.creates) == ([2], 0)
    cli.ok("apply", "--yes")
    assert service.creates == 1


def test_results_that_another_machine_collected_are_collected_here_too(
    shared: StackFolder, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("apply", "--yes")
    other = tmp_path / "other"
    shutil.copytree(shared.path, other)
    service.advance("1h")
    cli.ok("apply", "--yes")
    monkeypatch.chdir(other)
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "collect"}
    cli.ok("apply", "--yes")
    assert (other / "results" / "translate" / "current").exists()
    assert service.creates == 1


@pytest.mark.usefixtures("quick")
def test_watch_follows_a_shared_state_to_the_end(shared: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes")
    cli.ok("watch")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert (service.creates, service.calls("storage.objects.insert") < 40) == (1, True)
