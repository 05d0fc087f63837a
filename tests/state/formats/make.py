"""Makes a state file by the code of any checkout: `PYTHONPATH=CHECKOUT python tests/state/formats/make.py OUT.db`.

Runs that checkout's own command against its own emulator, in a folder that is thrown away: one job that is done and
collected, one that works, one with every member of `lifecycle`, one with an uploaded file, one that was refused, and
one whose create call got no answer before the process was killed. See README.md beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

COMMAND = [sys.executable, "-c", "import sys; from batchctl.cli import main; sys.exit(main())"]
STACK = """\
apiVersion: batchctl.dev/v1
kind: Stack
metadata: {name: formats, uid: abc123}
spec:
  providers: {main: {type: gemini, endpoint: emulator}}
"""
JOB = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata: {{name: {name}{labels}}}
spec:
  model: gemini-2.5-flash
  displayName: {title}
  src: {src}
{more}"""
ROWS = "[{key: k1, text: say one}, {key: k2, text: say two}]"
LIFECYCLE = """\
  lifecycle:
    backoffLimit: 2
    retryOn: [EXPIRED]
    pendingDeadline: 12h
    activeDeadline: 1d
    ttlAfterFinished: 7d
    onChange: keep
    onRemove: cancel
    onMissing: recreate
    suspend: true
    protect: true
"""


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as name, served() as url:
        folder = Path(name)
        (folder / "batchctl.yaml").write_text(STACK)
        (folder / "rows.jsonl").write_text('{"key": "k1", "text": "say one"}\n')
        call(url, "rules", [{"match": {"displayName": "slow*"}, "fate": "stuck"}])
        write(folder, "done")
        # It reads the same file, which goes with the last job that needs it.
        write(folder, "working", title="slow work", src="{file: rows.jsonl}")
        write(folder, "uploaded", src="{file: rows.jsonl}")
        write(folder, "ruled", labels=", labels: {team: search}", title="slow rules")
        write(folder, "gone", src="[{key: k1, text: say goodbye}]")
        run(folder, url, "apply", "--yes")
        call(url, "clock", {"advance": "60s"}, "POST")
        # Its lifecycle comes after its create call, which `suspend` would hold back.
        write(folder, "ruled", labels=", labels: {team: search}", title="slow rules", more=LIFECYCLE)
        run(folder, url, "apply", "--yes")
        (folder / "gone.yaml").unlink()
        run(folder, url, "apply", "--yes")
        call(
            url, "faults", [{"method": "batches.create", "kind": "status", "status": 400, "when": "before", "count": 1}]
        )
        # Other work than that of `done`, whose results would be used again.
        write(folder, "refused", src="[{key: k1, text: say no}]")
        run(folder, url, "apply", "--yes", ends=None)
        call(url, "faults", [{"method": "batches.create", "kind": "cut", "when": "before", "count": 1}])
        write(folder, "lost", src="[{key: k1, text: say nothing}]")
        kill_after(folder, url, "lost")
        keep(folder / ".batchctl" / "state.db", out)


def write(folder: Path, name: str, labels: str = "", title: str = "", src: str = ROWS, more: str = "") -> None:
    text = JOB.format(name=name, labels=labels, title=title or name, src=src, more=more)
    (folder / f"{name}.yaml").write_text(text)


def run(folder: Path, url: str, *args: str, ends: int | None = 0) -> None:
    command = [*COMMAND, "-C", str(folder), *args]
    done = subprocess.run(command, check=False, env=environment(url), capture_output=True, text=True)
    if ends is not None and done.returncode != ends:
        raise SystemExit(f"{args} ended with {done.returncode}\n{done.stdout}{done.stderr}")


def kill_after(folder: Path, url: str, job: str) -> None:
    """Start `apply`, and kill it as soon as the state has the job's open intent and the call got no answer."""
    process = subprocess.Popen(
        [*COMMAND, "-C", str(folder), "apply", "--yes"],
        env=environment(url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    state = folder / ".batchctl" / "state.db"
    until(lambda: has_row(state, "select 1 from events where job = ? and what = 'unanswered'", job))
    process.send_signal(signal.SIGKILL)
    process.wait()


def has_row(state: Path, query: str, *values: str) -> bool:
    with closing(sqlite3.connect(f"{state.as_uri()}?mode=ro", uri=True)) as conn:
        return conn.execute(query, values).fetchone() is not None


def until(is_so: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():  # type: ignore[operator]
        if time.monotonic() > end:
            raise SystemExit("it did not come to that")
        time.sleep(0.1)


def keep(state: Path, out: Path) -> None:
    """Fold the log that the killed process left into the file, and take the file as it is."""
    with closing(sqlite3.connect(state)) as conn:
        conn.execute("pragma wal_checkpoint(truncate)")
    shutil.copyfile(state, out)


@contextmanager
def served() -> object:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*COMMAND, "emulator", "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: answers(url))
        yield url
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_emulator/jobs"):
            return True
    except OSError:
        return False


def call(url: str, what: str, body: object, method: str = "PUT") -> None:
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_emulator/{what}", data, headers, method=method)):
        pass


def environment(url: str) -> dict[str, str]:
    return {**os.environ, "BATCHCTL_EMULATOR": url, "LOGNAME": "maker"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
