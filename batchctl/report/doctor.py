"""`doctor`: the findings of a health check and what the stack's APIs can, for people and programs."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.report.capabilities import capabilities_document, write_capabilities
from batchctl.report.console import Console
from batchctl.report.layout import Row, count, outside, write_line, write_table
from batchctl.report.text import Text


class Health(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


_STYLES = {Health.OK: "green", Health.WARNING: "yellow", Health.FAILED: "red"}


class Finding(Struct, frozen=True):
    """One check and its result."""

    subject: str
    """The subject: `stack`, `state`, `results`, or a provider's name."""
    check: str
    health: Health
    detail: str
    hint: str = ""
    """The way out, if the check failed."""


class DoctorReport(Struct, frozen=True):
    """All findings, in the order of the checks."""

    stack: str
    findings: tuple[Finding, ...]
    apis: tuple[Api, ...] = ()
    """The APIs of the stack's providers, sorted."""


def doctor_document(report: DoctorReport) -> dict[str, Json]:
    """`batchctl/doctor/v1`."""
    findings: list[Json] = [
        {
            "subject": finding.subject,
            "check": finding.check,
            "health": finding.health.value,
            "detail": finding.detail,
            "hint": finding.hint,
        }
        for finding in report.findings
    ]
    capabilities = {api.value: capabilities_document(CAPABILITIES[api]) for api in report.apis}
    return {"format": "batchctl/doctor/v1", "stack": report.stack, "findings": findings, "capabilities": capabilities}


def write_doctor(report: DoctorReport, console: Console) -> None:
    """One line per finding, the capabilities of the APIs, and a summary."""
    write_table(
        console, [_row(finding) for finding in report.findings], header=("HEALTH", "SUBJECT", "CHECK", "DETAIL")
    )
    write_line(console)
    write_capabilities(report.apis, console)
    bad = [finding for finding in report.findings if finding.health is not Health.OK]
    write_line(console)
    verdict = f"{count(len(bad), 'problem')} found." if bad else "No problems found."
    write_line(console, (verdict, "bold"))


def _row(finding: Finding) -> Row:
    cells = (
        Text(finding.health.value, _STYLES[finding.health]),
        outside(finding.subject, "bold"),
        outside(finding.check),
        outside(finding.detail),
    )
    return Row(cells, (outside(f"hint: {finding.hint}"),) if finding.hint else ())
