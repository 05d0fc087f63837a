"""GitHub Actions: annotations, groups, the summary of a step, and its outputs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from batchctl.cli.notes import json_log, warn
from batchctl.report.escape import terminal

if TYPE_CHECKING:
    from batchctl.model.errors import BatchctlError


def in_actions() -> bool:
    """Whether this is a step of a workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotate(lines: Iterable[str]) -> None:
    """Print annotations, in a workflow; a log in JSON has nothing else."""
    if in_actions() and json_log() is None:
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()


def annotate_error(error: BatchctlError) -> None:
    """Print the annotations of an error, in a workflow."""
    if in_actions():
        from batchctl.cli.repository import place_in_repository  # both are loaded before, see `batchctl.cli.common`
        from batchctl.report.workflow import error_annotations

        annotate(error_annotations(error, place_in_repository(os.environ)))


@contextmanager
def group(title: str) -> Iterator[None]:
    """Fold the lines of the block, in a workflow."""
    if not in_actions():
        yield
        return
    from batchctl.report.workflow import GROUP_END, group_start

    annotate([group_start(title)])
    try:
        yield
    finally:
        annotate([GROUP_END])


def summarise(text: str) -> None:
    """Add Markdown to the summary of the step, if there is one and the text is not empty."""
    if in_actions() and text:
        _append("GITHUB_STEP_SUMMARY", f"{text}\n")


def set_outputs(values: Mapping[str, str | int | bool]) -> None:
    """Set outputs of the step, if there is one. Values have one line."""
    if in_actions():
        _append("GITHUB_OUTPUT", "".join(f"{name}={_output(value)}\n" for name, value in values.items()))


def _output(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else terminal(str(value))


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8") as stream:  # noqa: PTH123  the runner's own file, which may be a link
            stream.write(text)
    except OSError as error:
        warn(f"cannot write {variable} ({path}): {error.strerror}")
