"""Completions of values: names of jobs, files, selectors, phases. What finds them is imported when a key is pressed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files and folders, by the shell."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def folders(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders, by the shell."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def jobs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of jobs in the manifests and in a local state, except those that the line has already."""
    from batchctl.cli.complete_values import job_names

    given = context.params.get(parameter.name or "")
    taken = given if isinstance(given, tuple | list) else ()
    return _items((name for name in job_names(context) if name not in taken), incomplete)


def jobs_or_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of jobs; files if no name fits."""
    return jobs(context, parameter, incomplete) or files(context, parameter, incomplete)


def selectors(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The last term of a selector: labels of the manifests."""
    from batchctl.cli.complete_values import label_terms

    before, comma, term = incomplete.rpartition(",")
    return _items((f"{before}{comma}{one}" for one in label_terms(context, term)), incomplete)


def job_phases(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`NAME=PHASE`: all phases once the name is written, and before that the usual one."""
    from batchctl.cli.complete_values import job_names
    from batchctl.model.states import Phase

    some = list(Phase) if "=" in incomplete else [Phase.SUCCEEDED]
    return _items((f"{name}={phase}" for name in job_names(context) for phase in some), incomplete)


def goals(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The values of `wait --for`."""
    from batchctl.cli.wait_goal import WORDS

    return _items(map(str, WORDS), incomplete)


def schemas(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of JSON Schemas."""
    from batchctl.manifests.schema import schema_names

    return _items(schema_names(), incomplete)


def providers(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Providers of the stack file."""
    from batchctl.cli.complete_values import provider_names

    return _items(provider_names(context), incomplete)


def targets(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Targets of the stack file."""
    from batchctl.cli.complete_values import target_names

    return _items(target_names(context), incomplete)


def variables(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`KEY=VALUE`: variables of the stack file, with their present values."""
    from batchctl.cli.complete_values import variable_settings

    return _items(variable_settings(context), incomplete)


def _items(values: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(value) for value in values if value.startswith(incomplete)]
