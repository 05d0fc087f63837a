"""Runs a plan for `apply`, `destroy`, `cancel`, `retry` and `watch`: asks for consent, executes, reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.cli.consent import Consent, ask, ask_for_name, needs_asking, only_as_shown
from batchctl.cli.engine_tools import open_tools
from batchctl.cli.exits import Exit, lightest_first, weightiest
from batchctl.cli.github import annotate, annotate_error, group, in_actions, set_outputs, summarise
from batchctl.cli.guard_options import refuse_new_state
from batchctl.cli.manifest_reload import ManifestReload
from batchctl.cli.output import emit, is_one_terminal, show_error, stderr_console
from batchctl.cli.plan_output import open_progress, status_report
from batchctl.cli.preview import preview_plan
from batchctl.cli.repository import place_in_repository
from batchctl.cli.signals import orderly_stop
from batchctl.cli.workspace import Workspace
from batchctl.engine.delivery import deliver_rest
from batchctl.engine.loop.drive import Around, DriveReport, Until, Witness, drive
from batchctl.engine.loop.polling import Pace
from batchctl.engine.loop.verdict import Measure, find_verdict
from batchctl.engine.passes import PassReport
from batchctl.engine.preview import Approve
from batchctl.engine.token_samples import TokenSamples
from batchctl.engine.tools import BlackBox, keep_nothing
from batchctl.model.errors import BatchctlError, SeveralError
from batchctl.model.locations import Diagnostic
from batchctl.model.outcome import Result
from batchctl.model.plan import Plan
from batchctl.model.ports.surroundings import Progress
from batchctl.reconcile import Options
from batchctl.report.apply_text import write_apply
from batchctl.report.console import Console
from batchctl.report.markdown import apply_markdown
from batchctl.report.plan_document import acting_jobs, all_guards, apply_document
from batchctl.report.plan_text import write_plan
from batchctl.report.reports import ApplyReport
from batchctl.report.run_events import BothProgress, RunEvents
from batchctl.report.status_text import write_status
from batchctl.report.workflow import annotation


class Companion(Struct, frozen=True):
    """An observer of passes."""

    witness: Witness = lambda _done: None
    """Is shown each pass."""
    pausing: Callable[[float], None] = lambda _seconds: None
    """Is given the seconds until the next one."""


Company = Callable[[ManifestReload, Progress], AbstractContextManager[Companion]]
"""Something that runs from before the first pass to after the last one."""


def _alone(_reload: ManifestReload, _progress: Progress) -> AbstractContextManager[Companion]:
    return nullcontext(Companion())


_MOST_ANNOTATIONS = 10
"""GitHub shows no more errors of one step."""


class Request(Struct, frozen=True):
    """The request of one command."""

    options: Options
    until: Until
    consent: Consent
    output: str
    command: str = "apply"
    """Its name, with which the report begins."""
    question: str = "Do you want to apply these changes?"
    typed: str | None = None
    """The word that a person must type to agree; None: ask for yes or no."""
    measure: Measure = field(default_factory=Measure)
    """Which jobs count in the exit code."""
    pace: Pace = field(default_factory=Pace)
    reviewed: Approve | None = None
    """Approves the plan that was reviewed before the command: no question is asked."""
    events: RunEvents | None = None
    """Of `--events`; None for a command without that option."""
    black_box: BlackBox = keep_nothing
    """Of `--record`."""
    samples: TokenSamples | None = None
    """None: no tokens are counted before work is bought."""
    company: Company = _alone
    """Of `--serve`."""

    def all_progress(self, progress: Progress) -> Progress:
        """The progress for people, and for `--events` if it is given."""
        return BothProgress(progress, self.events) if self.events is not None and self.events.is_written else progress


def carry_out(workspace: Workspace, request: Request) -> int:
    """Execute the request, print the report, and return the exit code. Raises errors that prevent the first pass."""
    approve = _agree(workspace, request)
    options = replace(request.options, consent=request.consent.yes or approve is not None)
    named = options.scope.names | options.rerun
    reload = ManifestReload(workspace)

    def check(plan: Plan) -> None:
        refuse_new_state(plan)
        if named:
            # Another process may have renamed or removed them since the start.
            reload.workspace.require(named, workspace.state.load())
        if approve is not None:
            approve(plan)

    def show(done: PassReport) -> None:
        progress.passed(lambda: done.after.next_plan)
        companion.witness(done)

    def pause(seconds: float) -> None:
        from batchctl.cli.loaded_parts import load_parts  # most runs end without a pause

        load_parts()
        companion.pausing(seconds)

    title = f"batchctl: progress of {workspace.stack.name}"
    with (
        group(title),
        open_progress(workspace) as progress,
        orderly_stop(workspace.clock, progress),
        request.company(reload, progress) as companion,
    ):
        tools = open_tools(workspace, request.all_progress(progress), request.black_box, request.samples)
        try:
            around = Around(reload, reload.are_same, show, pause)
            report = drive(around, options, request.until, tools, check, request.pace)
            if request.until.ended and not request.until.once and report.stopped is None:
                deliver_rest(reload.workspace.stack, tools)
        finally:
            tools.providers.close()
    verdict = lightest_first(find_verdict(report, request.measure))
    _print(reload.workspace, report, request)
    on_one_screen = request.output == "text" and is_one_terminal()
    for error in verdict:
        if not (on_one_screen and _repeats_guards(error, report)):
            show_error(error, workspace.common)
        annotate_error(error)
    return weightiest(error.exit_code for error in verdict)


def _repeats_guards(error: BatchctlError, report: DriveReport) -> bool:
    """Whether an error only sums up refusals that the text of the report has said, with their ways out."""
    said = {(guard.code, guard.message) for guard in all_guards(report.plan)}
    errors = [outcome.error for outcome in report.outcomes.values() if outcome.error is not None]
    refused = {(one.code, one.message) for one in errors if one.exit_code == Exit.REFUSED}
    return isinstance(error, SeveralError) and error.exit_code == Exit.REFUSED and refused <= said


def _agree(workspace: Workspace, request: Request) -> Approve | None:
    """Show the plan and ask for consent, if that is possible and needed."""
    if request.reviewed is not None:
        return request.reviewed
    if not request.consent.can_ask:
        return None
    shown = preview_plan(workspace, request.options, request.black_box, request.samples).plan
    if not needs_asking(shown):
        return only_as_shown(shown)
    write_plan(shown, stderr_console(workspace.common), verbose=workspace.common.verbose)
    if request.typed is None:
        ask(request.question)
    else:
        ask_for_name(request.question, request.typed)
    return only_as_shown(shown)


def _print(workspace: Workspace, report: DriveReport, request: Request) -> None:
    result = ApplyReport(report.plan, report.outcomes, report.next_plan, request.command)
    if request.events is not None:
        request.events.results(report.plan, report.outcomes)
    if in_actions():
        summarise(apply_markdown(result))
        set_outputs(result.counts())
        annotate(_failures(workspace, report))

    def text(console: Console) -> None:
        # A job that the command line names is shown, even if there is nothing to do for it.
        write_apply(result, console, verbose=workspace.common.verbose or bool(request.options.scope.names))
        if request.until.ended:
            console.print()
            status = status_report(workspace, report.next_plan, workspace.state.load())
            write_status(status, console, workspace.clock.now(), verbose=workspace.common.verbose)

    emit(
        workspace.common,
        request.output,
        text=text,
        document=lambda: apply_document(result),
        markdown=lambda: apply_markdown(result),
        names=acting_jobs(report.plan),
    )


def _failures(workspace: Workspace, report: DriveReport) -> Iterator[str]:
    """An annotation at the manifest of each job whose action failed, up to a number."""
    place = place_in_repository(os.environ)
    failed = {name: one.error for name, one in report.outcomes.items() if one.result is Result.FAILED and one.error}
    jobs = [job for job in workspace.desired.jobs if job.name in failed]
    for job in jobs[:_MOST_ANNOTATIONS]:
        error = failed[job.name]
        words = f"{job.name}: {error.message}"
        yield annotation(Diagnostic(job.location, error.code, words, error.hint), "error", place)
