"""Machines that are thrown away: each has the manifests of a stack, and nothing of the runs before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.command_line import Cli, Ran, Service, StackFolder

STATE, RESULTS = "gs://team/prod/state.db", "gs://team/prod/results/"
_AT = RESULTS.removeprefix("gs://team/")


class Machines:
    """Runs each command on a new machine. State and results are in a bucket, so that nothing may stay behind."""

    def __init__(
        self, stack: StackFolder, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.seed(buckets={"team": {}, "demo-out": {}, "demo-in": {}, "demo-staging": {}})
        stack.write_stack(state=STATE, results=RESULTS)
        self.stack, self.service = stack, service
        self._cli, self._folder, self._monkeypatch, self._count = cli, tmp_path, monkeypatch, 0

    def __call__(self, *arguments: str) -> Ran:
        self._count += 1
        folder = self._folder / f"machine-{self._count}"
        shutil.copytree(self.stack.path, folder)
        with self._monkeypatch.context() as patch:
            patch.chdir(folder)
            ran = self._cli(*arguments)
        left = {path.relative_to(folder) for path in folder.rglob("*")}
        assert left == {path.relative_to(self.stack.path) for path in self.stack.path.rglob("*")}
        shutil.rmtree(folder)
        return ran

    def ok(self, *arguments: str) -> Ran:
        ran = self(*arguments)
        assert ran.code == 0, ran
        return ran

    def objects(self) -> dict[str, bytes]:
        """The objects of the results, by name."""
        found = self.service.objects("team")
        return {name.removeprefix(_AT): content for name, content in found.items() if name.startswith(_AT)}

    def put(self, name: str, content: bytes | str) -> None:
        """Overwrite an object of the results, as another program does."""
        self.service.put_object("team", f"{_AT}{name}", content)

    def remove(self, name: str) -> None:
        self.service.remove_object("team", f"{_AT}{name}".replace("/", "%2F"))
