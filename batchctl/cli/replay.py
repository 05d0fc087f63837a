"""`batchctl replay BUNDLE`: decide again, offline."""

from __future__ import annotations

import json
from pathlib import Path

import click

from batchctl import __version__
from batchctl.cli import complete
from batchctl.cli.common import Common, common_options
from batchctl.cli.exits import Exit, weightiest
from batchctl.cli.notes import warn
from batchctl.engine.bundles.bundle import Bundle, from_bundle
from batchctl.engine.bundles.bundle import replay as decide_again
from batchctl.model.desired import Json
from batchctl.model.errors import UsageError
from batchctl.model.quoting import cut
from batchctl.model.times import rfc3339_seconds
from batchctl.report.escape import terminal

_MOST_BYTES = 1024 * 2**20
_MOST_SHOWN = 20


@click.command()
@click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, shell_complete=complete.files)
@common_options
def replay(*, common: Common, bundles: tuple[str, ...]) -> int:
    """Decide again from a bundle of `--record`, and compare the plans.

    Needs no stack, no state and no network. Exit 2 if the plans differ.
    """
    return weightiest([_replay(bundle, common) for bundle in bundles])


def _replay(name: str, common: Common) -> int:
    """Replay one bundle, and give its exit code. Raises UsageError."""
    bundle = from_bundle(_content(name), name)
    if bundle.version != __version__:
        words = f"{name}: batchctl {bundle.version} made this decision, and this is {__version__}"
        warn(words)
    differences = decide_again(bundle)
    if not differences:
        click.echo(f"The same plan: {_subject(bundle)}")
        return Exit.DONE
    if bundle.plan is None:
        click.echo(f"A plan now, and an error then: {_subject(bundle)}")
        return Exit.CHANGES
    click.echo(f"Another plan: {_subject(bundle)}")
    shown = differences if common.verbose else differences[:_MOST_SHOWN]
    for one in shown:
        click.echo(terminal(f"  {one.path}: recorded {_words(one.recorded)}, now {_words(one.now)}"))
    if len(shown) < len(differences):
        click.echo(f"  and {len(differences) - len(shown):,} more places, which -v shows")
    return Exit.CHANGES


def _content(name: str) -> bytes:
    try:
        with Path(name).open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        hint = "give a file of the folder that --record names"
        raise UsageError(f"cannot read the bundle {name}: {error.strerror}", hint=hint) from error
    if len(content) > _MOST_BYTES:
        raise UsageError(f"{name} is too large for a bundle", hint="give a file of the folder that --record names")
    return content


def _subject(bundle: Bundle) -> str:
    question = bundle.question
    jobs = len({job.name for job in question.desired.jobs} | question.recorded.jobs.keys())
    noun = "job" if jobs == 1 else "jobs"
    return terminal(f"stack {question.desired.stack.name}, {jobs:,} {noun}, {rfc3339_seconds(question.now)}")


def _words(value: Json) -> str:
    return "nothing" if value is None else cut(json.dumps(value, ensure_ascii=False))
