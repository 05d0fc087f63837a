"""A group of commands that imports a command when it is used: each command needs only some of the packages."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from batchctl.cli.start_signals import leaving_while_importing


class LazyGroup(click.Group):
    """Lists its commands in the order of `places`, which has the module and the attribute of each name."""

    def __init__(self, *, places: Mapping[str, str], **options: Any) -> None:  # noqa: ANN401 - the options of click
        super().__init__(commands=_Imported(places), **options)  # type: ignore[arg-type] # click only reads it

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


class _Imported(Mapping[str, click.Command]):
    """Commands by name. Names are known without an import, also to click's "did you mean"."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> click.Command:
        module, _, attribute = self._places[name].partition(":")
        with leaving_while_importing(), _without_garbage_collection():
            command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """No garbage collection during an import: imported objects stay, and collections take a tenth of the start."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
