"""All accounts of a stack are looked at: what a lost state forgot is found wherever it is."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import yaml

from tests.support.command_line import Cli, Service, StackFolder

SEED = {"buckets": {"input": {"objects": {"rows.jsonl": {"lines": [{"request": {}}]}}}, "output": {}}}
JOB: dict[str, Any] = {"src": "gs://input/rows.jsonl", "dest": "gs://output/here/"}


@pytest.fixture
def two(stack: StackFolder, service: Service) -> StackFolder:
    """A stack with two projects, and one job in the first."""
    here = {"type": "vertex", "endpoint": "emulator", "location": "us-central1"}
    stack.write_stack(providers={"one": {**here, "project": "first"}, "two": {**here, "project": "second"}})
    (stack.path / ".emulator.yaml").write_text(yaml.safe_dump(SEED))
    stack.write_job("moving", provider="one", **JOB)
    return stack


def lose_state(stack: StackFolder) -> None:
    shutil.rmtree(stack.path / ".batchctl")


def test_a_job_that_moved_while_the_state_was_lost_is_not_bought_twice(
    two: StackFolder, cli: Cli, service: Service
) -> None:
    cli.ok("apply", "--yes")
    lose_state(two)
    two.write_job("moving", provider="two", **JOB)
    ran = cli("apply", "--yes", "-o", "json")
    assert (ran.code, ran.actions()) == (6, {"moving": "adopt"})
    assert "--adopt-changed" in ran.out
    assert service.creates == 1


def test_what_was_forgotten_in_an_account_without_jobs_is_an_orphan(
    two: StackFolder, cli: Cli, service: Service
) -> None:
    cli.ok("apply", "--yes")
    cli.ok("state", "rm", "moving", "--yes")
    two.job_path("moving").unlink()
    ran = cli("drift", "-o", "json")
    assert (ran.code, [item["kind"] for item in ran.json["drift"]]) == (3, ["Orphan"])
    cli.ok("apply", "--yes", "--prune-orphans", "--allow-empty", "--wait")
    assert service.live() == []


def test_an_account_that_no_job_needs_keeps_nobody_from_anything(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    two = {"type": "vertex", "endpoint": "emulator", "project": "unused", "location": "us-central1"}
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": "emulator"}, "two": two})
    stack.write_job("ours", provider="gemini")
    service.faults({"method": "batchPredictionJobs.list", "kind": "status", "status": 403})
    assert "Could not be read in full" in cli.ok("plan").out
    cli.ok("apply", "--yes")
    cli.ok("drift")
    assert service.creates == 1
