"""Every public sample line, through `validate`, the emulator and `results`; and every broken one, named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Cli, Service, StackFolder
from tests.support.sample_rows import CORPUS, Broken, Samples, all_broken, all_samples


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> StackFolder:
    """A stack with a provider on each API."""
    folder = StackFolder(tmp_path / "stack")
    vertex = {"type": "vertex", "project": "demo", "location": "us-central1", "stagingBucket": "gs://staging/rows/"}
    folder.write_stack(
        providers={
            "gemini": {"type": "gemini", "endpoint": "emulator"},
            "vertex": {**vertex, "endpoint": "emulator"},
        }
    )
    monkeypatch.chdir(folder.path)
    service.seed(buckets={"input": {}, "output": {}, "staging": {}})
    return folder


def write(stack: StackFolder, case: Samples | Broken, source: Any) -> None:
    """The job `one` over a source."""
    dest = {"dest": "gs://output/x/"} if case.api == "vertex" else {}
    text = stack.write_job("one", provider=case.api, model=case.model, src=source, **dest).read_text()
    stack.job_path("one").write_text(text.replace("kind: BatchJob", f"kind: {case.kind}"))


def write_file(stack: StackFolder, case: Samples | Broken) -> dict[str, str]:
    """The lines in a local file; gives the source."""
    (stack.path / "jobs" / "rows.jsonl").write_text("".join(f"{line}\n" for line in case.lines))
    return {"file": "rows.jsonl"}


def send(service: Service, case: Samples | Broken) -> str:
    """Put the lines where the service reads them, with plain HTTP; gives the source."""
    text = "".join(f"{line}\n" for line in case.lines)
    if case.api == "vertex":
        service.put_object("input", "rows.jsonl", text)
        return "gs://input/rows.jsonl"
    return service.upload(text)


def answers(cli: Cli) -> list[Any]:
    return [row for row in cli.ok("results", "one").rows if "response" in row]


@pytest.mark.parametrize("samples", [one for one in all_samples() if one.local], ids=str)
def test_lines_of_a_local_file(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], samples: Samples
) -> None:
    write(stack, samples, write_file(stack, samples))
    assert cli.ok("validate").err == ""
    cli.ok("apply", "--yes", "--wait")
    assert len(answers(cli)) == len(samples.lines)


@pytest.mark.parametrize("samples", [one for one in all_samples() if one.wire], ids=str)
def test_lines_that_the_service_reads_itself(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], samples: Samples
) -> None:
    write(stack, samples, send(service, samples))
    cli.ok("apply", "--yes", "--wait")
    assert len(answers(cli)) == len(samples.lines)


@pytest.mark.parametrize("case", all_broken(), ids=str)
def test_a_broken_line_is_named(stack: StackFolder, cli: Cli, case: Broken) -> None:
    write(stack, case, write_file(stack, case))
    ran = cli("validate")
    place = f"rows.jsonl:{case.line}:1: "
    said = [line.partition(place)[2] for line in ran.err.splitlines() if "rows.jsonl:" in line]
    assert ran.code == 65
    assert all(said), "another line is named"
    assert any(f" {case.member}" in line and case.says in line for line in said), said


@pytest.mark.parametrize("case", all_broken(), ids=str)
def test_the_service_does_with_a_broken_line_what_the_corpus_says(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], case: Broken
) -> None:
    write(stack, case, send(service, case))
    ran = cli("apply", "--yes", "--wait")
    found = cli("status", "-o", "json").json["jobs"][0]
    if case.service == "refuses" and case.api == "gemini":
        assert (found["phase"], ran.code) == ("Rejected", 4)
        assert f"Error on line {case.line}: " in found["reason"]
    elif case.service == "refuses":
        assert (found["phase"], ran.code) == ("Failed", 4)
        assert "Failed to import data" in found["reason"]
    else:
        assert [found["rows"]["failed"], found["rows"]["ok"]] == [
            int(case.service == "row"),
            len(case.lines) - int(case.service == "row"),
        ]


def test_no_file_of_lines_is_forgotten() -> None:
    assert {one.name for one in all_samples()} == {path.stem for path in (CORPUS / "good").glob("*.jsonl")}
