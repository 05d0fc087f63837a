"""The input of the benchmarks: a stack with one job over a file of rows, and a served emulator."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, "-c", "from batchctl.cli import main; main()")
JOB = "rows"
MODEL = "gemini-2.5-flash"
DEFAULTS = {"systemInstruction": {"parts": [{"text": "Answer in one sentence."}]}}
"""`request` of the job: batchctl and the plain loops merge it into each row."""
_WORDS = (  # noqa: SIM905 - 80 words read better as a text
    "a about after all also an and any as at be because batch but by can come could day do even first for from get "
    "give go good have he her him his how I if in into it its job just know like look make me most my new no not now "
    "of on one only or other our out over people prompt request row say see she so some take than that the their"
).split()
_SEED = 1


def write_rows(path: Path, rows: int, row_bytes: int) -> None:
    """Write rows of about `row_bytes` bytes, as a program of a user writes them; the same ones each time."""
    draw = random.Random(_SEED)
    texts = [_text(draw, row_bytes) for _ in range(1000)]
    with path.open("w", encoding="utf-8") as stream:
        for number in range(rows):
            text = f"Ticket {number}: {texts[number % len(texts)]}"
            request = {
                "contents": [{"role": "user", "parts": [{"text": text}]}],
                "generationConfig": {"temperature": 0.2, "maxOutputTokens": 512},
            }
            stream.write(json.dumps({"key": f"ticket-{number:07}", "request": request}) + "\n")


def _text(draw: random.Random, row_bytes: int) -> str:
    """Words, with the quotes and line ends that texts have."""
    text = ""
    while len(text) < row_bytes - 190:
        text += draw.choice(_WORDS) + draw.choice((" ",) * 12 + (", ", ".\n", ' "quoted" '))
    return text


@dataclass(frozen=True)
class Stack:
    """A folder with a stack file and the manifest of one job."""

    folder: Path
    rows: Path

    def command(self, *words: str) -> list[str]:
        """A command line of batchctl in this folder."""
        return [*PROGRAM, *words, "-C", str(self.folder)]


def make_stack(folder: Path, rows: Path, url: str) -> Stack:
    """Create a stack whose job reads a file of rows; the file is linked, not copied."""
    folder.mkdir(parents=True)
    linked = folder / "rows.jsonl"
    os.link(rows, linked)
    stack = {"apiVersion": "batchctl.dev/v1", "kind": "Stack", "metadata": {"name": folder.name, "uid": "bench1"}}
    providers = {"local": {"type": "gemini", "endpoint": url}}
    settings = {"providers": providers, "defaults": {"provider": "local"}}
    (folder / "batchctl.yaml").write_text(json.dumps({**stack, "spec": settings}))
    spec = {"model": MODEL, "src": {"file": linked.name}, "request": DEFAULTS}
    job = {"apiVersion": "batchctl.dev/v1", "kind": "BatchJob", "metadata": {"name": JOB}, "spec": spec}
    (folder / "job.yaml").write_text(json.dumps(job))
    return Stack(folder, linked)


@contextmanager
def serve_emulator(folder: Path, port: int) -> Iterator[str]:
    """A served emulator, as a process of its own; gives its URL."""
    with start_emulator(folder, port) as (url, _):
        yield url


@contextmanager
def start_emulator(folder: Path, port: int) -> Iterator[tuple[str, int]]:
    """The same; gives its URL and the id of its process."""
    command = [*PROGRAM, "emulator", "serve", "--port", str(port), "--data", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            lines = (line.partition("=")[2].strip() for line in server.stdout if "BATCHCTL_EMULATOR=" in line)
            yield next(lines), server.pid
        finally:
            server.terminate()


def control(url: str, call: str, body: object = None) -> object:
    """A control call of the emulator."""
    data = None if body is None else json.dumps(body).encode()
    method = "GET" if body is None else "PUT" if call in {"rules", "settings"} else "POST"
    request = urllib.request.Request(
        f"{url}/_emulator/{call}", data, {"content-type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=600) as reply:
        return json.loads(reply.read() or b"null")
