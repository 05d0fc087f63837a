"""The findings of `validate`, in the formats that CI services show beside the lines of a change.

`place` gives the path of a file inside the repository, which these services expect.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.locations import Diagnostic
from batchctl.report.error_text import MOST_WARNINGS
from batchctl.report.escape import visible
from batchctl.report.layout import count
from batchctl.report.markdown_page import Section, make_page
from batchctl.report.workflow import annotation

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_FINGERPRINT = 40


class Findings(Struct, frozen=True):
    """The errors and warnings of a stack, and its jobs if it is valid."""

    errors: Sequence[Diagnostic]
    warnings: Sequence[Diagnostic]
    jobs: Sequence[DesiredJob] = ()
    place: Callable[[str], str] = str
    meanings: Mapping[str, str] | None = None
    """The explanation of each code."""

    def all(self) -> Iterator[tuple[str, Diagnostic]]:
        """Each finding with its level, errors first."""
        yield from (("error", item) for item in self.errors)
        yield from (("warning", item) for item in self.warnings)


def github_lines(found: Findings) -> str:
    """Workflow commands for GitHub Actions: one line for each error, and for the first warnings."""
    shown = replace(found, warnings=found.warnings[:MOST_WARNINGS])
    return "".join(f"{annotation(item, level, found.place)}\n" for level, item in shown.all())


def gitlab_report(found: Findings) -> list[Json]:
    """A report for GitLab's `artifacts:reports:codequality`."""
    seen = Counter[str]()
    return [_quality(level, item, found, seen) for level, item in found.all()]


def _quality(level: str, item: Diagnostic, found: Findings, seen: Counter[str]) -> dict[str, Json]:
    path = found.place(item.location.file)
    # Not the line: an error that only moves is the same one for GitLab.
    identity = f"{path}\0{item.code}\0{item.message}"
    seen[identity] += 1
    fingerprint = hashlib.sha256(f"{identity}\0{seen[identity]}".encode("utf-8", "replace")).hexdigest()
    return {
        "description": visible(message_of(item)),
        "check_name": item.code,
        "fingerprint": fingerprint[:_FINGERPRINT],
        "severity": "major" if level == "error" else "minor",
        "location": {"path": path, "lines": {"begin": item.location.line}},
    }


def sarif_document(found: Findings, version: str) -> dict[str, Json]:
    """SARIF 2.1.0, for code scanning."""
    codes = sorted({item.code for _, item in found.all()})
    driver = {"name": "batchctl", "version": version, "rules": [_rule(code, found.meanings or {}) for code in codes]}
    results = [_result(level, item, codes.index(item.code), found) for level, item in found.all()]
    return {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(code: str, meanings: Mapping[str, str]) -> dict[str, Json]:
    rule: dict[str, Json] = {"id": code}
    return rule | ({"shortDescription": {"text": meanings[code]}} if meanings.get(code) else {})


def _result(level: str, item: Diagnostic, rule: int, found: Findings) -> dict[str, Json]:
    result: dict[str, Json] = {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": level,
        "message": {"text": visible(message_of(item))},
    }
    if item.location.has_position:
        region = {"startLine": item.location.line, "startColumn": item.location.column}
        # A relative reference, which must not look like a scheme.
        file = {"uri": quote(found.place(item.location.file)), "uriBaseId": "%SRCROOT%"}
        result["locations"] = [{"physicalLocation": {"artifactLocation": file, "region": region}}]
    return result


def junit_xml(found: Findings) -> str:
    """A JUnit report: a passed test for each valid job, a failed one for each error. Warnings are in `system-out`."""
    cases = [_case(job.name, job.location.file, job.location.line, found) for job in found.jobs]
    cases += [_failure(item, found) for item in found.errors]
    counts = f'tests="{len(cases)}" failures="{len(found.errors)}" errors="0"'
    notes = "".join(f"<system-out>{_text(str(item))}</system-out>\n" for item in found.warnings)
    suite = f'<testsuite name="batchctl validate" {counts}>\n{"".join(cases)}{notes}</testsuite>\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counts}>\n{suite}</testsuites>\n'


def _case(name: str, file: str, line: int, found: Findings, content: str = "") -> str:
    path = found.place(file)
    shown = f'classname={_attribute(path)} name={_attribute(name)} file={_attribute(path)} line="{line}"'
    return f"<testcase {shown}>{content}</testcase>\n" if content else f"<testcase {shown}/>\n"


def _failure(item: Diagnostic, found: Findings) -> str:
    place = item.location
    name = f"{item.code} at {place.line}:{place.column}" if place.has_position else item.code
    inner = f"<failure type={_attribute(item.code)} message={_attribute(message_of(item))}>{_text(str(item))}</failure>"
    return _case(name, place.file, place.line, found, inner)


def findings_markdown(found: Findings) -> str:
    """All errors for the summary of a step, because a service shows few annotations; empty if there are none."""
    if not found.errors:
        return ""
    rows = []
    for item in found.errors:
        where, file = item.location, found.place(item.location.file)
        place = f"{file}:{where.line}:{where.column}" if where.has_position else file
        rows.append((place, item.code, message_of(item)))
    files = len({item.location.file for item in found.errors})
    head = f"### batchctl validate\n\n**{count(len(rows), 'error')} in {count(files, 'file')}.**\n"
    return make_page([head], [Section.of_rows("Errors", ("Place", "Code", "Message"), rows)], [])


def _attribute(text: str) -> str:
    from xml.sax.saxutils import quoteattr  # it loads HTTP, mail and TLS: forty modules

    return _ascii(quoteattr(visible(text)))


def _text(text: str) -> str:
    return _ascii(visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _ascii(text: str) -> str:
    """The same text with references for all characters beyond ASCII, and no command for a CI runner."""
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii").replace("##", "#&#35;")


def message_of(item: Diagnostic) -> str:
    """The message with its hint."""
    return f"{item.message} ({item.hint})" if item.hint else item.message


def to_report(document: Json) -> str:
    """A report as JSON, ASCII only, and without a command for a CI runner."""
    return json.dumps(document, indent=2).replace("##", "#\\u0023").replace("\x7f", "\\u007f") + "\n"
