"""`batchctl validate`: check the manifests, without any call."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

import click
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
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json
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
from batchctl.report.job_document import invalid_document, valid_document
from batchctl.report.status_text import write_valid

_REPORTS = ("github", "gitlab", "sarif", "junit")


@click.command()
@scope_options
@output_option("json", "yaml", "name", *_REPORTS)
@report_option("json", *_REPORTS)
@common_options
def validate(*, common: Common, filenames: tuple[str, ...], selector: str | None, output: str, reports: Reports) -> int:
    """Check the stack file and all manifests without any call.

    Lists every error with its place. With -f, only errors of the stack file and of these manifests. In GitHub Actions,
    each error is an annotation, too.
    """
    try:
        faults = Faults(is_asked(common, filenames), only_asked=True)
        workspace = open_workspace(common, filenames, selector, faults=faults, offline=True)
    except ManifestError as error:
        return _report_invalid(error, common, output, reports)
    warn_of_empty_scope(JobSelection((), filenames, selector), workspace.stack, workspace.desired.jobs)
    scope = workspace.scope
    jobs = tuple(job for job in workspace.desired.jobs if scope.contains(job.name, job.path, job.labels))
    found = (*workspace.desired.warnings, *warn_of_deadlines(workspace), *warn_of_retirements(workspace, jobs))
    warnings = tuple(sorted(found))
    shown = replace(workspace.desired, jobs=jobs, warnings=warnings)
    _report_valid(shown, faults.outside, common, output, reports)
    return 0


def _report_invalid(error: ManifestError, common: Common, output: str, reports: Reports) -> int:
    found = _findings(Findings(error.diagnostics, error.warnings))
    writers = _writers(found, lambda: invalid_document(error))
    if output in writers:
        sys.stdout.write(writers[output]())
    elif output == "yaml":
        sys.stdout.write(to_yaml(invalid_document(error)))
    show_error(error, common)
    _warn_of_outside(error.outside)
    _annotate(found, output)
    write_reports(reports, writers)
    return error.exit_code


def _report_valid(shown: DesiredStack, outside: int, common: Common, output: str, reports: Reports) -> None:
    show_warnings(shown.warnings, common)
    found = _findings(Findings((), shown.warnings, shown.jobs))
    writers = _writers(found, lambda: valid_document(shown, outside))
    if output in _REPORTS:
        sys.stdout.write(writers[output]())
    else:
        emit(
            common,
            output,
            text=lambda console: write_valid(shown, console, verbose=common.verbose),
            document=lambda: valid_document(shown, outside),
            names=[job.name for job in shown.jobs],
        )
    _warn_of_outside(outside)
    _annotate(found, output)
    write_reports(reports, writers)


def _warn_of_outside(errors: int) -> None:
    if errors:
        warn(outside_words(errors))


def _findings(found: Findings) -> Findings:
    meanings = {code.value: " ".join((code.__doc__ or "").split()) for code in Code}
    return replace(found, place=place_in_repository(os.environ), meanings=meanings)


def _writers(found: Findings, document: Callable[[], Mapping[str, Json]]) -> dict[str, Callable[[], str]]:
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
