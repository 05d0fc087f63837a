"""The stack of a storm: manifests that change, each with work that nobody has bought before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apis import STACK, UID, ApiCase
from cli_kit import StackFolder

LIMITS = {"concurrency": 4, "createTimeout": "2s", "settleGrace": "4s"}


@dataclass
class Wanted:
    """What a manifest says, and the names under which its work may have been bought."""

    version: int
    names: set[str]
    """Its own, and those that `spec.moved` led here."""


class StormStack:
    """Its folder, and what its manifests ask for by now."""

    def __init__(self, folder: Path, api: ApiCase) -> None:
        self.path = folder / "stack"
        self.wanted: dict[str, Wanted] = {}
        self.moved: list[dict[str, str]] = []
        self._folder = StackFolder(self.path)
        self._draft = StackFolder(folder / "draft")
        self._api = api
        self._versions = 0

    def remove(self, name: str) -> None:
        """Take a manifest away, and the entries of `spec.moved` that lead to it: without it they are an error."""
        names = self.wanted.pop(name).names
        self._folder.job_path(name).unlink()
        if any(entry["to"] in names for entry in self.moved):
            self.moved = [entry for entry in self.moved if entry["to"] not in names]
            self.write_stack()

    def rename(self, name: str, new: str, *, is_told: bool) -> None:
        """With an entry in `spec.moved` the work goes on under the new name; without one it is other work."""
        if not is_told:
            self.remove(name)
            self.write(new)
            return
        # A process that reads in between finds a stack that it refuses, in this order, and no manifest removed.
        self.moved.append({"from": name, "to": new})
        self.write_stack()
        self._folder.job_path(name).unlink()
        before = self.wanted.pop(name)
        self.wanted[new] = Wanted(before.version, {*before.names, new})
        self.put(new)

    def write(self, name: str) -> None:
        """A manifest with work that nobody has bought before."""
        self._versions += 1
        known = self.wanted.get(name)
        self.wanted[name] = Wanted(self._versions, {name} if known is None else known.names)
        self.put(name)

    def put(self, name: str, labels: dict[str, str] | None = None) -> None:
        """Write the manifest of what is wanted under a name."""
        version = self.wanted[name].version
        rows = [{"key": f"v{version}-{row}", "text": f"say {row} for {version}"} for row in "ab"]
        src: Any = rows
        if not self._api.takes_rows:
            src = {"file": f"v{version}.jsonl"}
            self._replace(self.path / "jobs" / src["file"], "".join(json.dumps(row) + "\n" for row in rows))
        draft = self._draft.write_job(name, labels=labels, src=src, **self._api.spec(name))
        self._replace(self._folder.job_path(name), draft.read_text())

    def write_stack(self) -> None:
        """Write the stack file."""
        draft = self._draft
        spec: dict[str, Any] = {"providers": {"main": dict(self._api.provider)}, "state": "state.db", "limits": LIMITS}
        if self.moved:
            spec["moved"] = self.moved
        draft.write_stack(name=STACK, uid=UID, **spec)
        self._replace(self.path / "batchctl.yaml", (draft.path / "batchctl.yaml").read_text())

    def _replace(self, path: Path, text: str) -> None:
        """As an editor saves: the file is whole at every moment."""
        path.parent.mkdir(exist_ok=True)
        new = self._draft.path / "saved"
        new.write_text(text)
        new.replace(path)
