"""The stack of a storm: a checkout whose manifests change, each with work that nobody has bought before.

Each change is a revision of its own, and the checkout a link that is switched, as deployments do it: a process that reads
while a rename goes on sees all of it or nothing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.apis import STACK, UID, ApiCase
from tests.support.command_line import StackFolder

LIMITS = {"concurrency": 4, "createTimeout": "2s", "settleGrace": "4s"}


@dataclass
class Wanted:
    """What a manifest says, and the names under which its work may have been bought."""

    version: int
    names: set[str]
    """Its own, and those that `spec.moved` led here."""


class StormStack:
    """The checkout, and what its manifests ask for by now. State and results lie outside of it."""

    def __init__(self, folder: Path, api: ApiCase) -> None:
        self.path = folder / "current"
        self.results = folder / "kept" / "results"
        self.wanted: dict[str, Wanted] = {}
        self.moved: list[dict[str, str]] = []
        self._folder = folder
        self._api = api
        self._versions = 0
        self._revisions = 0

    def begin(self, names: tuple[str, ...]) -> None:
        """A checkout with manifests of these names."""
        with self._revision() as revision:
            for name in names:
                self._write_new(revision, name)

    def write(self, name: str) -> None:
        """A manifest with work that nobody has bought before."""
        with self._revision() as revision:
            self._write_new(revision, name)

    def label(self, name: str, labels: dict[str, str]) -> None:
        """The same work with other labels."""
        with self._revision() as revision:
            self._write(revision, name, labels)

    def remove(self, name: str) -> None:
        """Take a manifest away."""
        with self._revision() as revision:
            self._drop(revision, name)

    def rename(self, name: str, new: str, *, is_told: bool) -> None:
        """With an entry in `spec.moved` the work goes on under the new name; without one it is other work."""
        with self._revision() as revision:
            if not is_told:
                self._drop(revision, name)
                self._write_new(revision, new)
                return
            self.moved.append({"from": name, "to": new})
            before = self.wanted.pop(name)
            revision.job_path(name).unlink()
            self.wanted[new] = Wanted(before.version, {*before.names, new})
            self._write(revision, new)

    def _drop(self, revision: StackFolder, name: str) -> None:
        """Without a manifest the entries of `spec.moved` that lead to it are an error: they go with it."""
        names = self.wanted.pop(name).names
        revision.job_path(name).unlink()
        self.moved = [entry for entry in self.moved if entry["to"] not in names]

    def _write_new(self, revision: StackFolder, name: str) -> None:
        self._versions += 1
        known = self.wanted.get(name)
        self.wanted[name] = Wanted(self._versions, {name} if known is None else known.names)
        self._write(revision, name)

    def _write(self, revision: StackFolder, name: str, labels: dict[str, str] | None = None) -> None:
        version = self.wanted[name].version
        rows = [{"key": f"v{version}-{row}", "text": f"say {row} for {version}"} for row in "ab"]
        src: Any = rows
        if not self._api.takes_rows:
            src = {"file": f"v{version}.jsonl"}
            (revision.path / "jobs" / src["file"]).write_text("".join(json.dumps(row) + "\n" for row in rows))
        revision.write_job(name, labels=labels, src=src, **self._api.spec(name))

    @contextmanager
    def _revision(self) -> Iterator[StackFolder]:
        """A new revision to change; then the checkout is switched to it."""
        self._revisions += 1
        place = self._folder / f"revision{self._revisions}"
        if self.path.exists():
            shutil.copytree(self.path, place)
        revision = StackFolder(place)
        (place / "jobs").mkdir(exist_ok=True)
        yield revision
        spec: dict[str, Any] = {
            "providers": {"main": dict(self._api.provider)},
            "state": str(self._folder / "kept" / "state.db"),
            "results": str(self.results),
            "limits": LIMITS,
        }
        revision.write_stack(name=STACK, uid=UID, **spec, **({"moved": self.moved} if self.moved else {}))
        link = self._folder / "next"
        link.symlink_to(place.name)
        link.replace(self.path)
