"""Installs a client once, in a folder of its own outside the checkout, and returns the command for its program.

The folders are below `~/.cache/batchctl-clients`, or below `BATCHCTL_CLIENTS`. Packages come from the indexes that
`pip` and `npm` are configured for.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.client_registry import PROGRAMS, Client

CACHE = Path(os.environ.get("BATCHCTL_CLIENTS", Path.home() / ".cache" / "batchctl-clients"))
_DONE = ".installed"
_TIMEOUT = 600
_PYTHON_VERSION = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


class NotInstalledError(Exception):
    """The reason why a client cannot be installed or run."""


@dataclass(frozen=True)
class Installed:
    """A client that is ready to run."""

    command: list[str]
    version: str


def install(client: Client, *, renew: bool = False) -> Installed:
    """The client, installed now if necessary; `renew` installs the current versions of the indexes.

    Raises NotInstalledError with the reason.
    """
    return {"python": _python, "node": _node, "shell": _shell}[client.runtime](client, renew)


def _python(client: Client, renew: bool) -> Installed:
    python = sys.executable
    if client.packages:
        folder = _folder(client, sys.version.split()[0], renew)
        python = str(folder / "bin" / "python")
        if not (folder / _DONE).exists():
            _run(sys.executable, "-m", "venv", "--clear", str(folder))
            _run(python, "-m", "pip", "install", "-q", *client.packages)
            (folder / _DONE).touch()
    version = _run(python, "-c", _PYTHON_VERSION, client.version).strip()
    return Installed([python, str(PROGRAMS / client.program)], version)


def _node(client: Client, renew: bool) -> Installed:
    node = _tool("node")
    folder = _folder(client, _run(node, "--version").strip(), renew)
    if not (folder / _DONE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run(_tool("npm"), "install", "--prefix", str(folder), "--no-audit", "--no-fund", *client.packages)
        (folder / _DONE).touch()
    # Node looks for packages beside the program, and in no other folder.
    for program in PROGRAMS.glob("*.mjs"):
        shutil.copy(program, folder)
    package = json.loads((folder / "node_modules" / client.version / "package.json").read_text(encoding="utf-8"))
    return Installed([node, str(folder / client.program)], package["version"])


def _shell(client: Client, _renew: bool) -> Installed:
    # Such as "curl 7.88.1 (x86_64-pc-linux-gnu) ...".
    version = _run(_tool(client.version), "--version").split()[1]
    return Installed([_tool("bash"), str(PROGRAMS / client.program)], version)


def _folder(client: Client, runtime: str, renew: bool) -> Path:
    """The client's own folder: one for each set of packages and each version of the runtime."""
    digest = hashlib.sha256(json.dumps([client.packages, runtime]).encode()).hexdigest()[:8]
    folder = CACHE / f"{client.name.replace('/', '-').replace(' ', '-')}-{digest}"
    if renew:
        shutil.rmtree(folder, ignore_errors=True)
    return folder


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotInstalledError(f"there is no {name} here")
    return found


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT)
    except subprocess.CalledProcessError as error:
        raise NotInstalledError(f"{' '.join(command)}: {error.stderr.strip()[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalledError(f"{' '.join(command)} took over {_TIMEOUT} s") from error
    return done.stdout
