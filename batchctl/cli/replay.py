"""`batchctl replay BUNDLE`: decide again, offline."""

from __future__ import annotations

import click

from batchctl import __version__
from batchctl.cli import complete
from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.exits import Exit
from batchctl.cli.given_file import read_given
from batchctl.cli.notes import warn
from batchctl.cli.output import Shown, emit, emit_each
from batchctl.cli.why_not_answer import answer_why_not
from batchctl.cli.why_not_option import why_not_option
from batchctl.engine.bundles.bundle import Bundle, from_bundle
from batchctl.engine.bundles.bundle import replay as decide_again
from batchctl.model.actions import Action
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, UsageError
from batchctl.model.suggest import did_you_mean
from batchctl.report.replay import Replayed, replay_document, write_replay

_MOST_BYTES = 1024 * 2**20
_A_BUNDLE = "give a file of the folder that --record names"


@click.command()
@click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, shell_complete=complete.files)
@why_not_option
@click.option("--job", metavar="NAME", help="With --why-not: the job, if the bundle has several.")
@output_option("json", "yaml")
@common_options
def replay(*, common: Common, bundles: tuple[str, ...], why_not: Action | None, job: str | None, output: str) -> int:
    """Decide again from a bundle of `--record`, and compare the plans.

    Needs no stack, no state and no network. Exit 2 if the plans differ. With --why-not, it answers as `explain` does,
    from the input in the bundle.
    """
    if why_not is None and job is not None:
        raise UsageError("--job is for --why-not", hint="leave it out: all jobs are compared")
    read = [(name, _read(name)) for name in bundles]
    if why_not is not None:
        shown = [_why_not(bundle, job, why_not) for _, bundle in read]
        emit_each(common, output, shown, alone=len(bundles) == 1)
        return Exit.DONE
    replayed = [_replay(name, bundle) for name, bundle in read]
    emit(
        common,
        output,
        text=lambda console: write_replay(replayed, console, verbose=common.verbose),
        document=lambda: replay_document(replayed),
    )
    return Exit.DONE if all(one.is_same for one in replayed) else Exit.CHANGES


def _read(name: str) -> Bundle:
    """Read a bundle, and warn if another version made it. Raises UsageError."""
    bundle = from_bundle(read_given(name, "bundle", _MOST_BYTES, _A_BUNDLE), name)
    if bundle.version != __version__:
        words = f"{name}: batchctl {bundle.version} made this decision, and this is {__version__}"
        warn(words)
    return bundle


def _replay(name: str, bundle: Bundle) -> Replayed:
    question = bundle.question
    jobs = len({job.name for job in question.desired.jobs} | question.recorded.jobs.keys())
    differences = tuple((one.path, one.recorded, one.now) for one in decide_again(bundle))
    stack = question.desired.stack.name
    return Replayed(name, stack, jobs, question.now, bundle.version, differences, had_plan=bundle.plan is not None)


def _why_not(bundle: Bundle, job: str | None, asked: Action) -> Shown:
    names = [one.job for one in bundle.question.answer().jobs]
    if job is None:
        if len(names) != 1:
            raise UsageError(f"the bundle has {len(names)} jobs", hint="name one of them with --job")
        job = names[0]
    if job not in names:
        hint = did_you_mean(job, names, "`batchctl replay -o json` counts the jobs of a bundle")
        raise BatchctlError(f"there is no job {job} in the bundle", code=ErrorCode.JOB_NOT_FOUND, hint=hint)
    return answer_why_not(bundle.question, job, asked)
