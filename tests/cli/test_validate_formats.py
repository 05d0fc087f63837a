"""`validate` for CI services: each error beside its line, in every format."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.command_line import Cli, StackFolder, manifest
from tests.support.foreign_schemas import CODE_QUALITY, SARIF

Places = set[tuple[str, int, str]]


def of_github(text: str) -> Places:
    found = re.findall(r"^::error file=([^,]+),line=(\d+),col=\d+,title=(\w+)::\S.*$", text, re.MULTILINE)
    return {(file, int(line), code) for file, line, code in found}


def of_gitlab(text: str) -> Places:
    report = json.loads(text)
    jsonschema.Draft7Validator(CODE_QUALITY).validate(report)
    assert len({one["fingerprint"] for one in report}) == len(report)
    return {(one["location"]["path"], one["location"]["lines"]["begin"], one["check_name"]) for one in report}


def of_sarif(text: str) -> Places:
    document = json.loads(text)
    jsonschema.Draft7Validator(SARIF).validate(document)
    run = document["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    found = set()
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        place = one["locations"][0]["physicalLocation"]
        found.add((place["artifactLocation"]["uri"], place["region"]["startLine"], one["ruleId"]))
    return found


def of_junit(text: str) -> Places:
    cases = [case for case in ET.fromstring(text).iter("testcase") if case.find("failure") is not None]
    return {(case.attrib["file"], int(case.attrib["line"]), case.find("failure").attrib["type"]) for case in cases}  # type: ignore[union-attr]


def of_json(text: str) -> Places:
    return {(one["file"], one["line"], one["code"]) for one in json.loads(text)["errors"]}


READERS: dict[str, Callable[[str], Places]] = {
    "github": of_github,
    "gitlab": of_gitlab,
    "sarif": of_sarif,
    "junit": of_junit,
    "json": of_json,
}


def test_twenty_errors_in_a_thousand_manifests_are_at_their_lines_in_every_format(stack: StackFolder, cli: Cli) -> None:
    """Each wrong manifest has the unknown member on a line of its own."""
    wanted = set()
    for number in range(1000):
        text = manifest(f"job-{number:03}" if number < 1000 else "", src=[{"key": "a", "text": "b"}])
        if number % 50 == 7:
            lines = number // 50
            text = "\n" * lines + text + "  unknwn: 1\n"
            wanted.add((f"jobs/job-{number:03}.yaml", len(text.splitlines()), "UnknownField"))
        stack.job_path(f"job-{number:03}").write_text(text)
    words = [word for form in READERS for word in ("--report", f"{form}={form}.out")]
    ran = cli("validate", "-o", "github", *words)
    assert ran.code == 65
    assert len(wanted) == 20
    assert of_github(ran.out) == wanted
    assert ran.out.count("\n") == 20
    for form, read in READERS.items():
        assert read(Path(f"{form}.out").read_text()) == wanted, form


@pytest.mark.parametrize("form", READERS)
def test_standard_output_has_the_report_alone(stack: StackFolder, cli: Cli, form: str) -> None:
    stack.write_job("a", unknwn=1)
    ran = cli("validate", "-o", form)
    assert ran.code == 65
    ((file, _, code),) = READERS[form](ran.out)
    assert (file, code) == ("jobs/a.yaml", "UnknownField")
    assert "1 error in 1 file" in ran.err


def test_a_valid_stack_gives_reports_without_errors(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    stack.write_job("b")
    assert cli.ok("validate", "-o", "github").out == ""
    assert json.loads(cli.ok("validate", "-o", "gitlab").out) == []
    sarif: Any = json.loads(cli.ok("validate", "-o", "sarif").out)
    jsonschema.Draft7Validator(SARIF).validate(sarif)
    assert sarif["runs"][0]["results"] == []
    suite = ET.fromstring(cli.ok("validate", "-o", "junit").out)
    assert suite.attrib == {"tests": "2", "failures": "0", "errors": "0"}
    assert [case.attrib["name"] for case in suite.iter("testcase")] == ["a", "b"]


def test_warnings_are_less_severe(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a", src=[{"key": "x", "request": {"contents": [{"role": "USER", "parts": [{"text": "b"}]}]}}])
    found = cli("validate", "-o", "json").json
    assert [len(found.get("errors", [])), len(found["warnings"])] == [0, 1], found
    assert cli("validate", "-o", "github").out.startswith("::warning file=jobs/a.yaml,line=")
    assert [one["severity"] for one in json.loads(cli("validate", "-o", "gitlab").out)] == ["minor"]
    (result,) = json.loads(cli("validate", "-o", "sarif").out)["runs"][0]["results"]
    assert result["level"] == "warning"
    suite = ET.fromstring(cli("validate", "-o", "junit").out)
    assert suite.attrib["failures"] == "0"
    assert "UnknownValue" in (suite.findtext(".//system-out") or "")


def test_errors_without_a_line_are_reported_too(stack: StackFolder, cli: Cli) -> None:
    for form in READERS:
        ran = cli("validate", "-f", "no/such", "-o", form)
        assert (ran.code, "no/such" in ran.out) == (65, True), form


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", ""])
def test_paths_are_those_of_the_repository(
    stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A stack below the root of the repository, in a command that runs in the stack's folder."""
    root = stack.path.parent
    monkeypatch.chdir(root)
    if variable:
        monkeypatch.setenv(variable, str(root))
    else:
        (root / ".git").mkdir()
    stack.write_job("a", unknwn=1)
    ran = cli("-C", str(stack.path), "validate", "-o", "gitlab")
    assert json.loads(ran.out)[0]["location"]["path"] == f"{stack.path.name}/jobs/a.yaml"


def test_in_a_workflow_each_error_is_annotated_once(
    stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    stack.write_job("a")
    cli.ok("validate")
    assert not Path("summary.md").exists()
    stack.write_job("a", unknwn=1)
    for output in ("text", "json", "github"):
        ran = cli("validate", "-o", output)
        assert len(of_github(ran.out + ran.err)) == 1
        assert (ran.out + ran.err).count("::error ") == 1
    summary = Path("summary.md").read_text()
    assert "**1 error in 1 file.**" in summary
    assert "| UnknownField | there is no field " in summary


def test_texts_from_manifests_command_nothing(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a", **{"x\n::error::y ##[group]<b>\x7f\u202e": 1})
    for form, read in READERS.items():
        out = cli("validate", "-o", form).out
        assert not [line for line in out.splitlines() if line.lstrip().startswith("::") and form != "github"]
        assert "##[" not in out
        assert out.isascii() or form == "github"
        assert read(out)


@pytest.mark.parametrize("words", [["--report", "sarif"], ["--report", "pdf=x"], ["--report", "sarif="]])
def test_a_wrong_report_is_wrong_usage(cli: Cli, words: list[str]) -> None:
    ran = cli("validate", *words)
    assert ran.code == 64
    assert "is not FORMAT=FILE" in ran.err
