"""`explain` of a field, beside `explain` of a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.closed_schemas import check_closed
from tests.support.command_line import Cli, StackFolder


def test_as_kubectl_has_it_and_without_a_stack(cli: Cli, tmp_path: Path) -> None:
    assert cli.ok("explain", "spec.lifecycle.backoffLimit").out == (
        "KIND:     BatchJob\n"
        "VERSION:  batchctl.dev/v1\n"
        "\n"
        "FIELD:    backoffLimit <integer>\n"
        "\n"
        "DESCRIPTION:\n"
        "    How many more attempts follow a failed one.\n"
        "\n"
        "DEFAULT:  0\n"
        "ALLOWED:  0 to 100\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_fields_inside(cli: Cli) -> None:
    out = cli.ok("explain", "metadata").out
    assert "FIELDS:\n  name <string> -required-\n    The job's name, unique in the stack." in out
    assert max(map(len, out.splitlines())) <= 96
    tree = cli.ok("explain", "stack.spec", "--recursive").out
    assert "\n  providers <map[string]object> -required-\n    type <string> -required-\n" in tree
    assert tree == cli.ok("explain", "stack.spec", "-v").out


@pytest.mark.parametrize(
    "path", ["spec", "spec.lifecycle.backoffLimit", "stack", "stack.spec.providers", "batchjob.spec.src"]
)
def test_the_document(cli: Cli, path: str) -> None:
    found = cli.ok("explain", path, "-o", "json").json
    check_closed("field", found)
    assert found["path"] == path.removeprefix("stack.").removeprefix("batchjob.").removeprefix("stack")


def test_a_job_with_the_name_of_a_field_is_found_by_its_file(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("spec")
    stack.write_job("other")
    assert cli.ok("explain", "spec").out.startswith("KIND: ")
    assert cli.ok("explain", "-f", "jobs/spec.yaml").out.startswith("Job:    spec")
    assert cli.ok("explain", "other").out.startswith("Job:    other")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["spec.backoffLimit"], "did you mean spec.lifecycle.backoffLimit?"),
        (["spec", "other"], "spec is a field, which is explained alone"),
        (["spec", "-l", "a=b"], "spec is a field, which is explained alone"),
        (["other", "--recursive"], "--recursive is for a field"),
    ],
)
def test_wrong_input(stack: StackFolder, cli: Cli, words: list[str], said: str) -> None:
    stack.write_job("other")
    ran = cli("explain", *words)
    assert (ran.code, said in ran.err) == (64, True)
