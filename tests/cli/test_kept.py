"""Collected results and the results folder, as a user meets them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.command_line import Cli, Service, StackFolder


def findings(cli: Cli) -> dict[tuple[str, str], dict[str, str]]:
    return {(item["subject"], item["check"]): item for item in cli("doctor", "-o", "json").json["findings"]}


@pytest.fixture
def done(stack: StackFolder, cli: Cli, quick: list[float]) -> StackFolder:
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--wait")
    return stack


def rows_of(stack: StackFolder) -> Path:
    return (stack.path / "results" / "translate" / "current").resolve() / "results.jsonl"


def test_results_and_doctor_tell_the_truth(done: StackFolder, cli: Cli, service: Service) -> None:
    whole = cli.ok("results", "translate").out
    assert findings(cli)["results", "whole"]["detail"] == "1 collected result"
    rows = rows_of(done)
    rows.write_bytes(rows.read_bytes().replace(b'"one"', b'"eno"'))
    changed = cli("results", "translate")
    assert (changed.code, changed.out) == (1, whole.replace('"one"', '"eno"'))
    assert "ResultsMissing" in changed.err
    assert "are incomplete: its results are not those that were collected" in changed.err
    told = findings(cli)["results", "whole"]
    assert (told["health"], "1 of 1 collected result is incomplete: translate/" in told["detail"]) == ("warning", True)
    shutil.rmtree(done.path / "results")
    missing = cli("results", "translate")
    assert (missing.code, missing.out) == (1, "")
    assert "were collected, but are not in results/translate/" in missing.err
    assert "the folder is missing" in findings(cli)["results", "whole"]["detail"]
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "collect"}
    cli.ok("apply", "--yes")
    assert cli.ok("results", "translate").out == whole
    assert findings(cli)["results", "whole"]["health"] == "ok"
    assert service.creates == 1


def test_folders_that_nothing_counts_on_are_told_apart(done: StackFolder, cli: Cli) -> None:
    copy = rows_of(done).parent.with_name("0123abcd-7")
    shutil.copytree(rows_of(done).parent, copy)
    (copy / "manifest.json").write_text("{}")
    told = findings(cli)
    assert told["results", "whole"]["health"] == "ok"
    assert told["results", "left over"]["detail"] == (
        "1 other folder is incomplete: translate/0123abcd-7 (its manifest lacks 'format')"
    )


def test_a_results_folder_that_is_emptied_is_filled_again(done: StackFolder, cli: Cli, service: Service) -> None:
    """What README's first command does, run a second time."""
    first = cli.ok("results", "translate").out
    shutil.rmtree(done.path / "results")
    cli.ok("apply", "--yes", "--wait")
    assert cli.ok("results", "translate").out == first
    assert service.creates == 1
