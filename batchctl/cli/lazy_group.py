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
        super().__init__(**options)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in self._places:
            return None
        module, _, attribute = self._places[cmd_name].partition(":")
        with leaving_while_importing(), _without_garbage_collection():
            command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Imported modules stay in memory: garbage collections would take a tenth of the start."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
