"""`batchctl` as a program on PATH that starts at once: a process that has everything imported forks for each call.

The child has the caller's arguments, environment, folder and streams, and gives its exit code, like a process of its
own. For tests of programs and scripts that call batchctl many times.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from batchctl.cli.main import run  # noqa: E402 - this file also runs as a script
from tests.support.whole_program import import_whole_program  # noqa: E402

CLIENT = """\
#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({place!r})
call = {{"arguments": sys.argv[1:], "env": dict(os.environ), "folder": os.getcwd()}}
socket.send_fds(server, [json.dumps(call).encode() + b"\\n"], [0, 1, 2])
sys.exit(server.recv(1)[0])
"""


@contextmanager
def warm_program(folder: Path) -> Iterator[Path]:
    """Start the process; gives the file of the program."""
    place = folder / "s"
    command = [sys.executable, __file__, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        client = folder / "batchctl"
        client.write_text(CLIENT.format(python=sys.executable, place=str(place)))
        client.chmod(0o755)
        try:
            yield client
        finally:
            server.terminate()


def _serve(place: str) -> None:
    import_whole_program()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen()
    os.write(1, b"ready\n")
    while True:
        caller, _ = listener.accept()
        with caller:
            data, streams, _, _ = socket.recv_fds(caller, 1 << 20, 3)
            while not data.endswith(b"\n"):
                data += caller.recv(1 << 20)
            child = os.fork()
            if child == 0:
                _call(json.loads(data), streams)
            for stream in streams:
                os.close(stream)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            caller.sendall(bytes([code if code >= 0 else 128 - code]))


def _call(given: dict[str, object], streams: list[int]) -> None:
    """Run one call to its end, in the child."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(given["env"])  # type: ignore[call-overload]
    os.chdir(str(given["folder"]))
    code = 70
    try:
        code = run([str(word) for word in given["arguments"]])  # type: ignore[attr-defined]
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - the caller sees it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1])
