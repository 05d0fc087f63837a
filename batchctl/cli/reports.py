"""`--report FORMAT=FILE`: further formats of the same result, each in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import click

from batchctl.cli.common import F
from batchctl.cli.out_file import open_out

Reports: TypeAlias = tuple[tuple[str, str], ...]
"""The formats with their files."""


def report_option(*formats: str) -> Callable[[F], F]:
    """`--report`, with the formats of the command."""

    def parse(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> Reports:
        return tuple(_parse(text, formats) for text in given)

    return click.option(
        "--report",
        "reports",
        metavar="FORMAT=FILE",
        multiple=True,
        callback=parse,
        help=f"Also write the result to a file: {', '.join(formats)}. Repeatable.",
    )


def _parse(text: str, formats: tuple[str, ...]) -> tuple[str, str]:
    form, _, file = text.partition("=")
    if form not in formats or not file:
        raise click.BadParameter(f"{text!r} is not FORMAT=FILE with a format of {', '.join(formats)}")
    return form, file


def write_reports(reports: Reports, writers: Mapping[str, Callable[[], str]]) -> None:
    """Write each report. Raises BatchctlError."""
    for form, file in reports:
        with open_out(Path(file)) as stream:
            stream.write(writers[form]().encode())
