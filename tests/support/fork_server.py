"""A process that has batchctl imported and forks one child for each command line: a case costs no start-up.

Talks in JSON lines with `processes.py`: a request on standard input, its reply on standard output. What is tested runs
in the children, which are like processes of their own in all that counts here: memory, descriptors, locks, signals.
"""

from __future__ import annotations

import gc
import http.client
import json
import math
import os
import random
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from batchctl.providers.http.direct_line import DirectLine

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from batchctl.cli.main import run
from batchctl.engine.clock import SystemClock
from batchctl.state.postgres import place
from batchctl.state.postgres.held_row import Leases
from batchctl.state.shared import bucket
from batchctl.state.shared.lease import Lease
from tests.support.boundaries import Boundaries, install
from tests.support.whole_program import import_whole_program

WAYS_OUT = {
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
    "subprocess.Popen",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
}
CRASHED = 99
"""The exit code of a command that ended with a traceback."""
_WATCHDOG = 120
"""Seconds after which a child that hangs is killed."""
_MOST_SLEEPS = 400


def main() -> None:
    import_whole_program()
    gc.freeze()
    for line in sys.stdin:
        what, given = json.loads(line)
        reply = {"run": _run, "wait": _wait, "send": _send}[what](given)
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


def _run(case: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        code = _play(case)
    except BaseException:  # noqa: BLE001  a traceback is a finding, and this process must not go on as a second server
        traceback.print_exc()
        code = CRASHED
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _wait(pid: int) -> dict[str, int]:
    """Wait until a child has stopped or ended."""
    _, status, used = os.wait4(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"stopped": os.WSTOPSIG(status)}
    end = {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"code": os.WEXITSTATUS(status)}
    return {**end, "memory": used.ru_maxrss * 1024}


def _send(given: list[int]) -> None:
    os.kill(*given)


def _play(case: dict[str, Any]) -> int:
    signal.alarm(_WATCHDOG)
    for number, (path, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), (case["out"], os.O_WRONLY | os.O_CREAT), (case["err"], os.O_WRONLY | os.O_CREAT)]
    ):
        handle = os.open(path, flags, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(case["cwd"])
    os.environ.clear()
    os.environ.update(case["env"])
    sys.argv = ["batchctl", *case["args"]]
    if case["log"]:
        _log_ways_out(os.open(case["log"], os.O_WRONLY | os.O_CREAT, 0o600))
    if case["clock"]:
        _follow_clock(case["clock"], case["pace"])
    # Jitter would make one run differ from the next.
    random.SystemRandom.random = lambda _self: 0.5  # type: ignore[assignment]
    if case["trace"]:
        trace = os.open(case["trace"], os.O_WRONLY | os.O_CREAT, 0o600)
        install(Boundaries(trace, case["at"], case["how"]))
    if case["bug"]:
        _break_calls()
    if case["quickLeases"]:
        _shorten_leases()
    return run(case["args"])


def _shorten_leases() -> None:
    bucket.Lease = lambda: Lease(2.0)  # type: ignore[assignment,misc]
    place.Leases = lambda clock: Leases(clock, 2.0, Lease(1.0))  # type: ignore[assignment,misc]


def _break_calls() -> None:
    """Let a call that has credentials raise what nobody expects."""
    send = DirectLine.handle_request

    def fail(transport: DirectLine, request: httpx.Request) -> httpx.Response:
        if {"x-goog-api-key", "authorization"} & request.headers.keys():
            raise ZeroDivisionError("a bug in the transport")
        return send(transport, request)

    DirectLine.handle_request = fail  # type: ignore[method-assign]


def _log_ways_out(log: int) -> None:
    """Write down whom this process calls, and which processes it starts. It cannot be undone: audit hooks stay."""

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            values = values[1:]
        if event in WAYS_OUT:
            os.write(log, (json.dumps([event, repr(values)]) + "\n").encode())

    sys.addaudithook(hook)


def _follow_clock(url: str, pace: float) -> None:
    """Let the emulator's clock be the only one: a sleep moves it, and takes `pace` seconds of the real time."""
    address = urlsplit(url)
    now = _ask(address.netloc, "GET", None)
    sleeps = 0
    real_sleep = SystemClock.sleep

    def sleep(clock: SystemClock, seconds: float) -> None:
        nonlocal now, sleeps
        sleeps += 1
        assert sleeps < _MOST_SLEEPS, "it waits for ever"
        if pace:
            real_sleep(clock, pace)
        if not clock.is_stopped():
            now = _ask(address.netloc, "POST", {"advance": f"{math.ceil(seconds)}s"})

    SystemClock.sleep = sleep  # type: ignore[method-assign]
    SystemClock.now = lambda _clock: now  # type: ignore[method-assign]
    SystemClock.elapsed = lambda _clock: now.timestamp()  # type: ignore[method-assign]


def _ask(netloc: str, verb: str, body: dict[str, str] | None) -> datetime:
    # Not by httpx, whose calls are boundaries.
    connection = http.client.HTTPConnection(netloc, timeout=60)
    connection.request(verb, "/_emulator/clock", json.dumps(body) if body else None)
    told = json.loads(connection.getresponse().read())["now"]
    connection.close()
    return datetime.fromisoformat(told).astimezone(UTC)


if __name__ == "__main__":
    main()
