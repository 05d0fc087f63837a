"""`batchctl validate`: check the manifests, without any call."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click
from msgspec import Struct
from msgspec.structs import replace

from batchctl import __version__
from batchctl.cli.common import Common, common_options, output_option, scope_options
from batchctl.cli.github import annotate, in_actions, summarise
from batchctl.cli.job_selection import JobSelection, warn_of_empty_scope
from batchctl.cli.notes import warn
from batchctl.cli.output import emit, show_error, show_warnings
from batchctl.cli.reports import Reports, report_option, write_reports
from batchctl.cli.repository import place_in_repository
from batchctl.cli.retirements import warn_of_retirements
from batchctl.cli.short_deadlines import warn_of_deadlines
from batchctl.cli.workspace import is_asked, open_workspace
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.manifest_files import STANDARD_INPUT, find_stack_file
from batchctl.manifests.stack import read_target_names
from batchctl.manifests.trust import Trust
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import ManifestError, UsageError
from batchctl.model.json_value import Json
from batchctl.model.locations import Diagnostic
from batchctl.report.console import Console
from batchctl.report.documents import to_json, to_yaml
from batchctl.report.error_text import outside_words
from batchctl.report.findings import (
    Findings,
    findings_markdown,
    github_lines,
    gitlab_report,
    junit_xml,
    sarif_document,
    to_report,
)
from batchctl.report.job_document import invalid_document, targets_document, valid_document
from batchctl.report.layout import count
from batchctl.report.status_text import write_valid

Document: TypeAlias = Callable[[], Mapping[str, Json]]
_REPORTS = ("github", "gitlab", "sarif", "junit")


class _Checked(Struct, frozen=True):
    """One target, or the stack without one, after its check."""

    shown: DesiredStack | None
    """The valid jobs in scope; None with errors."""
    error: ManifestError | None = None
    outside: int = 0
    """Errors in manifests outside `-f`."""

    def document(self) -> Mapping[str, Json]:
        """`batchctl/validate/v1`."""
        if self.error is not None:
            return invalid_document(self.error)
        assert self.shown is not None, "without errors there is a stack"
        return valid_document(self.shown, self.outside)


@click.command()
@scope_options
@output_option("json", "yaml", "name", *_REPORTS)
@report_option("json", *_REPORTS)
@click.option("--all-targets", is_flag=True, help="Check the stack with each of its targets.")
@common_options
def validate(
    *,
    common: Common,
    filenames: tuple[str, ...],
    selector: str | None,
    output: str,
    reports: Reports,
    all_targets: bool,
) -> int:
    """Check the stack file and all manifests without any call.

    Lists every error with its place. With -f, only errors of the stack file and of these manifests. In GitHub Actions,
    each error is an annotation, too.
    """
    if all_targets:
        return _validate_all(common, filenames, selector, output, reports)
    found = _check(common, filenames, selector)
    if found.error is not None:
        return _report_invalid(found.error, found.document, common, output, reports)
    _report_valid(found, common, output, reports)
    return 0


def _check(common: Common, filenames: tuple[str, ...], selector: str | None) -> _Checked:
    try:
        faults = Faults(is_asked(common, filenames), only_asked=True)
        workspace = open_workspace(common, filenames, selector, faults=faults, offline=True)
    except ManifestError as error:
        return _Checked(None, error, error.outside)
    warn_of_empty_scope(JobSelection((), filenames, selector), workspace.stack, workspace.desired.jobs)
    scope = workspace.scope
    jobs = tuple(job for job in workspace.desired.jobs if scope.contains(job.name, job.path, job.labels))
    found = (*workspace.desired.warnings, *warn_of_deadlines(workspace), *warn_of_retirements(workspace, jobs))
    return _Checked(replace(workspace.desired, jobs=jobs, warnings=tuple(sorted(found))), outside=faults.outside)


def _validate_all(
    common: Common, filenames: tuple[str, ...], selector: str | None, output: str, reports: Reports
) -> int:
    """Check the stack with each target: what several of them share is said once."""
    targets = _targets_to_check(common, filenames)
    checked = {target: _check(common._replace(target=target), filenames, selector) for target in targets}

    def document() -> Mapping[str, Json]:
        return targets_document({target: one.document() for target, one in checked.items()})

    errors = _each_once(one.error.diagnostics for one in checked.values() if one.error is not None)
    valid = [one.shown for one in checked.values() if one.shown is not None]
    of_errors = [one.error.warnings for one in checked.values() if one.error is not None]
    warnings = _each_once([*of_errors, *(one.warnings for one in valid)])
    outside = max(one.outside for one in checked.values())
    if errors:
        bad = ", ".join(target for target, one in checked.items() if one.error is not None)
        hint = f"of {count(len(targets), 'target')} these are not valid: {bad}"
        error = ManifestError(errors, warnings=warnings, outside=outside, hint=hint)
        return _report_invalid(error, document, common, output, reports)
    show_warnings(warnings, common)
    jobs = {(job.name, job.path): job for one in valid for job in one.jobs}
    found = _findings(Findings((), warnings, tuple(jobs.values())))
    writers = _writers(found, document)
    if output in _REPORTS:
        sys.stdout.write(writers[output]())
    else:
        names = sorted({job.name for one in valid for job in one.jobs})
        emit(
            common,
            output,
            text=partial(_write_each, valid, verbose=common.verbose),
            document=document,
            names=names,
        )
    _finish(found, outside, output, reports, writers)
    return 0


def _targets_to_check(common: Common, filenames: tuple[str, ...]) -> list[str]:
    """The targets of the stack file. Raises UsageError where not all can be checked in one run."""
    if STANDARD_INPUT in filenames:
        raise UsageError("--all-targets reads manifests more than once, so -f - cannot be read", hint="name files")
    if common.target is not None and common.target != os.environ.get("BATCHCTL_TARGET"):
        raise UsageError("--target and --all-targets exclude each other", hint="leave one of them out")
    file = find_stack_file(common.config, os.environ, filenames, Path())
    targets = read_target_names(file, Trust.from_env(os.environ))
    if not targets:
        raise UsageError(f"{file} has no spec.targets", hint="`batchctl validate` checks a stack without targets")
    return targets


def _write_each(stacks: Iterable[DesiredStack], console: Console, *, verbose: bool) -> None:
    for one in stacks:
        write_valid(one, console, verbose=verbose)


def _each_once(lists: Iterable[Iterable[Diagnostic]]) -> tuple[Diagnostic, ...]:
    """All of them, sorted, without those that several targets have."""
    return tuple(sorted({one for some in lists for one in some}))


def _report_invalid(error: ManifestError, document: Document, common: Common, output: str, reports: Reports) -> int:
    found = _findings(Findings(error.diagnostics, error.warnings))
    writers = _writers(found, document)
    if output in writers:
        sys.stdout.write(writers[output]())
    elif output == "yaml":
        sys.stdout.write(to_yaml(document()))
    show_error(error, common)
    _finish(found, error.outside, output, reports, writers)
    return error.exit_code


def _report_valid(checked: _Checked, common: Common, output: str, reports: Reports) -> None:
    shown = checked.shown
    assert shown is not None, "without errors there is a stack"
    show_warnings(shown.warnings, common)
    found = _findings(Findings((), shown.warnings, shown.jobs))
    writers = _writers(found, checked.document)
    if output in _REPORTS:
        sys.stdout.write(writers[output]())
    else:
        emit(
            common,
            output,
            text=lambda console: write_valid(shown, console, verbose=common.verbose),
            document=checked.document,
            names=[job.name for job in shown.jobs],
        )
    _finish(found, checked.outside, output, reports, writers)


def _finish(
    found: Findings, outside: int, output: str, reports: Reports, writers: Mapping[str, Callable[[], str]]
) -> None:
    _warn_of_outside(outside)
    _annotate(found, output)
    write_reports(reports, writers)


def _warn_of_outside(errors: int) -> None:
    if errors:
        warn(outside_words(errors))


def _findings(found: Findings) -> Findings:
    meanings = {code.value: " ".join((code.__doc__ or "").split()) for code in Code}
    return replace(found, place=place_in_repository(os.environ), meanings=meanings)


def _writers(found: Findings, document: Document) -> dict[str, Callable[[], str]]:
    """Each format, but those for people."""
    return {
        "json": lambda: to_json(document()),
        "github": lambda: github_lines(found),
        "gitlab": lambda: to_report(gitlab_report(found)),
        "sarif": lambda: to_report(sarif_document(found, __version__)),
        "junit": lambda: junit_xml(found),
    }


def _annotate(found: Findings, output: str) -> None:
    """In GitHub Actions, annotate each finding, unless standard output has the same lines, and sum the errors up."""
    if in_actions():
        summarise(findings_markdown(found))
    if in_actions() and output != "github":
        annotate(github_lines(found).splitlines())
