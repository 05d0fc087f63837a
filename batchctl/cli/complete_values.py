"""The values that completions offer, from the stack file, the manifests and a local state.

No API is called, nothing is written, and rows are not read. What cannot be read has no completions, because a message
would appear in the middle of the line that somebody types.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click

from batchctl.manifests.fault_list import Faults
from batchctl.manifests.manifest_files import STANDARD_INPUT, find_stack_file
from batchctl.manifests.names import names_and_labels
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.stack import StackReading, read_stack, read_target_names
from batchctl.manifests.trust import Trust
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import JOB_NAME
from batchctl.model.stack import SharedPlace

_PLAIN = re.compile(r"[\w./-]*", re.ASCII)
"""Texts without a meaning for any shell or terminal. Manifests may be somebody else's."""


def job_names(context: click.Context) -> list[str]:
    """The names of all jobs, in the manifests and in the state, sorted."""
    found: set[str] = set()
    with suppress(BatchctlError, OSError, sqlite3.Error):
        reading, trust = _reading(context)
        found.update(name for name, _ in names_and_labels(reading, _filenames(context), trust))
        found.update(_recorded(reading))
    return sorted(name for name in found if JOB_NAME.fullmatch(name))


def label_terms(context: click.Context, term: str) -> list[str]:
    """`key=value` for each label; with the operator of the term, if it has one."""
    operator = "!=" if "!=" in term else "="
    terms: set[str] = set()
    with suppress(BatchctlError, OSError):
        reading, trust = _reading(context)
        for _, labels in names_and_labels(reading, _filenames(context), trust):
            terms.update(
                f"{key}{operator}{value}" for key, value in labels.items() if _PLAIN.fullmatch(key + value) and value
            )
    return sorted(terms)


def provider_names(context: click.Context) -> list[str]:
    """The providers of the stack file."""
    with suppress(BatchctlError, OSError):
        reading, _ = _reading(context)
        return sorted(name for name in reading.providers or () if _PLAIN.fullmatch(name))
    return []


def target_names(context: click.Context) -> list[str]:
    """The targets of the stack file."""
    with suppress(BatchctlError, OSError):
        return [name for name in read_target_names(_file(context), _trust()) if _PLAIN.fullmatch(name)]
    return []


def variable_settings(context: click.Context) -> list[str]:
    """`key=value` for each variable of the stack file; only `key=` if it has no plain value."""
    with suppress(BatchctlError, OSError):
        found = _reading(context)[0].variables
        values = {name: str(found.values.get(name, "")) for name in sorted(found.known) if _PLAIN.fullmatch(name)}
        return [f"{name}={value if _PLAIN.fullmatch(value) else ''}" for name, value in values.items()]
    return []


def _trust() -> Trust:
    return Trust.from_env(os.environ)


def _file(context: click.Context) -> Path:
    """The stack file of the command line. Raises ManifestError."""
    folder = Path(_option(context, "chdir") or "")
    return find_stack_file(_option(context, "config"), os.environ, _filenames(context), folder)


def _reading(context: click.Context) -> tuple[StackReading, Trust]:
    """The content of the stack file. Raises ManifestError and UsageError."""
    trust = _trust()
    overrides = Overrides(state=_option(context, "state"), target=_option(context, "target"))
    return read_stack(_file(context), overrides=overrides, env=os.environ, trust=trust, faults=Faults()), trust


def _option(context: click.Context, name: str) -> str | None:
    """A common option, after the name of the command or before it."""
    while True:
        value = context.params.get(name)
        if value or context.parent is None:
            return str(value) if value else None
        context = context.parent


def _filenames(context: click.Context) -> list[str]:
    folder = _option(context, "chdir") or ""
    given = context.params.get("filenames") or ()
    return [str(Path(folder) / name) for name in given if name != STANDARD_INPUT]


def _recorded(reading: StackReading) -> Iterator[str]:
    """The names in a local state: jobs without a manifest have results, too."""
    state = None if reading.stack is None else reading.stack.state
    if state is None or isinstance(state, SharedPlace) or not state.is_file():
        return
    from batchctl.state.connection import read_snapshot

    yield from read_snapshot(state, lambda db: [row[0] for row in db.execute("SELECT name FROM jobs").fetchall()])
