"""`batchctl watch`: drive all jobs to their end, or run as a service."""

from __future__ import annotations

from collections.abc import Sequence

import click
from msgspec.structs import replace

from batchctl.cli import complete
from batchctl.cli.common import (
    Common,
    common_options,
    consent_options,
    failed_option,
    guard_options,
    lock_option,
    output_option,
)
from batchctl.cli.consent import Consent
from batchctl.cli.events_file import events_option
from batchctl.cli.guard_options import Flag, guarded_options
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs, selected_names
from batchctl.cli.manifest_reload import warn_of_links
from batchctl.cli.preview import warn_of_manifests
from batchctl.cli.record_option import record_option
from batchctl.cli.run_plan import Request, carry_out
from batchctl.cli.serve_options import ServeOptions, serve_options
from batchctl.cli.workspace import duration, time_limit
from batchctl.engine.loop.drive import Until
from batchctl.engine.loop.polling import Pace
from batchctl.engine.loop.verdict import Measure
from batchctl.engine.tools import BlackBox
from batchctl.model.errors import UsageError
from batchctl.model.states import Phase
from batchctl.model.suggest import did_you_mean
from batchctl.report.run_events import RunEvents


@click.command()
@select_jobs()
@output_option("json", "yaml", "markdown", "name")
@consent_options
@click.option("--forever", is_flag=True, help="Run as a service; follow changes of the manifests.")
@click.option("--once", is_flag=True, help="Make one pass.")
@click.option(
    "--until",
    "awaited",
    shell_complete=complete.job_phases,
    metavar="NAME=PHASE",
    multiple=True,
    help="End when the job reaches this phase, or cannot (exit 4). Repeatable.",
)
@click.option("--timeout", metavar="TIME", help="Stop after this time (exit 7).")
@click.option(
    "--poll-min", metavar="TIME", default="1s", show_default=True, help="Shortest time from one check to the next."
)
@click.option(
    "--poll-max", metavar="TIME", default="1m", show_default=True, help="Longest time from one check to the next."
)
@failed_option
@guard_options
@lock_option
@record_option
@serve_options()
@events_option("watch")
@common_options
def watch(
    *,
    common: Common,
    selection: JobSelection,
    output: str,
    yes: bool,
    no_input: bool,
    forever: bool,
    once: bool,
    awaited: tuple[str, ...],
    timeout: str | None,
    poll_min: str,
    poll_max: str,
    allow_failed: bool,
    lock_timeout: str,
    events: RunEvents,
    black_box: BlackBox,
    serving: ServeOptions | None,
    **guards: Flag,
) -> int:
    """Follow jobs to their end: collect, retry, apply deadlines.

    Without --yes, creates, replaces and removals are reported and not made. Each pass reads the manifests again; if
    they have changed since the start, the run ends (exit 6, `ManifestsChanged`). --forever follows changes.
    """
    _check_usage(selection.filenames, forever=forever, once=once, awaited=awaited)
    pace = _pace(poll_min, poll_max)
    workspace = open_selected(common, selection, lock_timeout)
    phases = _phases(awaited, selected_names(workspace, selection, workspace.recorded))
    until = Until(ended=True, timeout=time_limit(timeout), once=once, forever=forever, phases=phases)
    # A watcher runs unattended, so it never asks.
    consent = Consent(yes, no_input=True)
    measure = Measure(jobs=True, waited=True, allow_failed=allow_failed)
    options = replace(guarded_options(workspace, guards), waits_for_budget=True)
    request = Request(
        options, until, consent, output, "watch", measure=measure, pace=pace, events=events, black_box=black_box
    )
    if serving is not None:
        from batchctl.cli.web_passes import beside_passes

        request = replace(request, company=beside_passes(workspace, serving, replace(options, consent=yes), pace))
    warn_of_manifests(workspace)
    if forever:
        warn_of_links(workspace)
    return carry_out(workspace, request)


def _check_usage(filenames: Sequence[str], *, forever: bool, once: bool, awaited: Sequence[str]) -> None:
    if forever and once:
        raise UsageError("--forever and --once exclude each other", hint="choose one")
    if awaited and (forever or once):
        raise UsageError(
            f"--until and --{'forever' if forever else 'once'} exclude each other",
            hint="with --until, --timeout limits the time",
        )
    if forever and "-" in filenames:
        raise UsageError("--forever reads the manifests again, and standard input can be read once", hint="use a file")


def _pace(poll_min: str, poll_max: str) -> Pace:
    shortest, longest = duration(poll_min, "--poll-min"), duration(poll_max, "--poll-max")
    if not 0 < shortest <= longest:
        raise UsageError("--poll-min must be more than 0, and at most --poll-max", hint="such as 1s and 1m")
    return Pace(shortest, longest)


def _phases(awaited: Sequence[str], known: Sequence[str]) -> dict[str, Phase]:
    """The phases of `--until`. Raises UsageError for unknown names and phases."""
    phases: dict[str, Phase] = {}
    for text in awaited:
        name, equals, phase = text.partition("=")
        if not equals:
            raise UsageError(f"--until: {text!r} is not NAME=PHASE", hint="such as translate-fr=Succeeded")
        if name not in known:
            hint = did_you_mean(name, known, "`batchctl status` lists the jobs")
            raise UsageError(f"--until: there is no job {name} in scope", hint=hint)
        if phase not in list(Phase):
            raise UsageError(f"--until: unknown phase {phase!r}", hint=f"one of: {', '.join(Phase)}")
        if phases.setdefault(name, Phase(phase)) != phase:
            raise UsageError(f"--until: {name} appears with two phases", hint="a job is in one phase at a time")
    return phases
