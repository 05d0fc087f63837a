"""A team's repository at a code host: what a person pushes and merges, and the thrown-away machines of its CI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.code_hosts import CodeHost
from tests.support.command_line import StackFolder

STATE = "gs://team/prod/state.db"


def git(folder: Path, *words: str) -> str:
    """Run git as a person."""
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def programs(folder: Path, batchctl: Path) -> Path:
    """A folder `bin` with `batchctl` and `python`, as after an installation."""
    found = folder / "bin"
    found.mkdir(parents=True)
    (found / "batchctl").symlink_to(batchctl)
    (found / "python").symlink_to(sys.executable)
    return found


class Repository:
    """The repository, with a person's clone of it."""

    def __init__(self, folder: Path, host: CodeHost, batchctl: Path) -> None:
        self._folder, self._host, self._batchctl, self._runs = folder, host, batchctl, 0
        self._origin = folder / "origin.git"
        git(folder, "init", "-q", "--bare", str(self._origin))
        self.person = folder / "person"
        git(folder, "clone", "-q", str(self._origin), str(self.person))
        self.stack = StackFolder(self.person)
        self.stack.write_stack(state=STATE)

    def push(self, branch: str) -> None:
        """Commit all, on a branch, and push it."""
        git(self.person, "checkout", "-q", "-B", branch)
        git(self.person, "add", "-A")
        git(self.person, "commit", "-q", "--allow-empty", "-m", branch)
        git(self.person, "push", "-q", "-f", "origin", branch)

    def merge(self, branch: str, request: int) -> str:
        """Merge a request; gives the commit of the merge."""
        git(self.person, "checkout", "-q", "main")
        git(self.person, "merge", "-q", "--no-ff", "-m", f"merge {branch}", branch)
        git(self.person, "push", "-q", "origin", "main")
        commit = git(self.person, "rev-parse", "HEAD")
        self._host.merged[commit] = request
        return commit

    def machine(self, branch: str) -> tuple[Path, Path]:
        """A new machine of CI: its folder, and the checkout in it. batchctl is installed there already."""
        self._runs += 1
        folder = self._folder / f"machine-{self._runs}"
        programs(folder / "batchctl", self._batchctl)
        git(folder, "clone", "-q", "-b", branch, str(self._origin), "checkout")
        return folder, folder / "checkout"
