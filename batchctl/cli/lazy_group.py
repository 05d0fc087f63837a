"""A group of commands that imports a command when it runs: lists and completions need only the table of commands."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from batchctl.cli.start_signals import leaving_while_importing


class Entry:
    """One row of a table of commands."""

    def __init__(self, place: str, help_text: str) -> None:
        self.place = place
        """The module and the attribute of the command: `batchctl.cli.plan:plan`."""
        self.help = help_text
        """The first line of its help, for lists and completions."""

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.place.partition(":")
        with leaving_while_importing(), without_garbage_collection():
            command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


class LazyGroup(click.Group):
    """A group with the commands of a table, in its order."""

    def __init__(self, *, table: Mapping[str, Entry], **options: Any) -> None:  # noqa: ANN401 - the options of click
        super().__init__(commands=_Imported(table), **options)  # type: ignore[arg-type] # click only reads it
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.table)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        fitting = [(name, entry) for name, entry in self.table.items() if name.startswith(incomplete)]
        names = [CompletionItem(name, help=entry.help) for name, entry in fitting]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


class _Imported(Mapping[str, click.Command]):
    """Commands by name. Names are known without an import, also to click's "did you mean"."""

    def __init__(self, table: Mapping[str, Entry]) -> None:
        self._table = table

    def __getitem__(self, name: str) -> click.Command:
        return self._table[name].load()

    def __contains__(self, name: object) -> bool:
        return name in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """No garbage collection during an import, and none of what it has made: modules and classes stay to the end.

    Collections take a tenth of the start, and the first one after it would examine all that was imported. Only the
    first import of a process is set aside: later ones would keep the garbage of earlier commands, and its open files.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not _IMPORTED_BEFORE:
            gc.freeze()
            _IMPORTED_BEFORE.append(True)
        gc.enable()


_IMPORTED_BEFORE: list[bool] = []
"""Not empty once a command of this process was imported. The collector would walk through all values to tell."""
