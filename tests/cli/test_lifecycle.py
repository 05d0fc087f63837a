"""Jobs driven to their end from outside: deadlines, retries, times to live, chains, limits and quotas."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.support.command_line import LONG, SOON, Cli, Service, StackFolder
from tests.support.long_mode import effort

STUCK = {"fate": "stuck"}


def times(one: dict[str, Any]) -> tuple[datetime, datetime]:
    """When a remote job was created, and when it ended."""
    return datetime.fromisoformat(one["createTime"][:19]), datetime.fromisoformat(one["endTime"][:19])


def most_at_once(jobs: list[dict[str, Any]]) -> int:
    """The most remote jobs that were at work at one moment. At equal times, an end comes first."""
    moments = sorted((moment, change) for one in jobs for moment, change in zip(times(one), (1, -1), strict=True))
    at_work = peak = 0
    for _, change in moments:
        at_work += change
        peak = max(peak, at_work)
    return peak


def test_a_stuck_job_is_cancelled_at_its_deadline_and_tried_again(
    cli: Cli, service: Service, stack: StackFolder, quick: list[float]
) -> None:
    service.rules({"match": {"displayName": "*@1.0 *"}, **STUCK}, SOON)
    stack.write_job("a", lifecycle={"pendingDeadline": "20m", "backoffLimit": 2})

    ran = cli.ok("apply", "--yes", "--wait", "-o", "json")

    assert ran.results() == {"a": "done"}
    first, second = service.of("a")
    assert [one["state"] for one in (first, second)] == ["BATCH_STATE_CANCELLED", "BATCH_STATE_SUCCEEDED"]
    waited = times(first)[1] - times(first)[0]
    assert timedelta(minutes=20) <= waited <= timedelta(minutes=20, seconds=10)
    # The back-off of ten seconds, less its jitter.
    assert timedelta(seconds=7) <= times(second)[0] - times(first)[1]
    assert cli.ok("status", "-o", "json").phases() == {"a": "Succeeded"}
    assert len(cli.ok("results", "a").rows) == 3
    assert "deadline" in cli.ok("describe", "a").out
    assert sum(quick) < 21 * 60


def test_retries_end_at_the_limit_with_exit_code_4(
    cli: Cli, service: Service, stack: StackFolder, quick: list[float]
) -> None:
    service.rules({"fate": "fail", **SOON})
    stack.write_job("a", lifecycle={"backoffLimit": 2})
    stack.write_job("b", dependsOn=["a"])

    ran = cli("apply", "--yes", "--wait")

    assert (ran.code, service.creates) == (4, 3)
    status = cli.ok("status", "-o", "json").json["jobs"]
    assert [(one["phase"], one["attempt"]) for one in status] == [("Failed", 3), ("Blocked", None)]
    assert "backoffLimit 2 is reached" in status[0]["reason"]
    assert "blocked by a, which ended Failed" in status[1]["reason"]
    assert cli("watch").code == 4
    assert service.creates == 3
    assert sum(quick) > 10 * 0.8 + 20 * 0.8


def test_the_time_to_live_deletes_the_remote_job_and_the_results_stay(
    cli: Cli, service: Service, stack: StackFolder, quick: list[float]
) -> None:
    stack.write_job("a", lifecycle={"ttlAfterFinished": "1h"})
    cli.ok("apply", "--yes", "--wait")
    rows = cli.ok("results", "a").rows

    assert cli.ok("plan", "-o", "json").actions() == {"a": "none"}
    service.advance("2h")
    assert cli.ok("watch", "-o", "json").results() == {"a": "done"}

    assert [one["deleted"] for one in service.of("a")] == [True]
    assert cli.ok("results", "a").rows == rows != []
    assert cli.ok("status", "-o", "json").phases() == {"a": "Succeeded"}
    assert cli.ok("apply", "--yes", "-o", "json").actions() == {"a": "none"}
    assert (service.creates, len(quick) > 0) == (1, True)


def test_a_chain_of_five_runs_in_order_and_is_removed_backwards(
    cli: Cli, service: Service, stack: StackFolder, quick: list[float]
) -> None:
    names = ["e", "d", "c", "b", "a"]
    stack.write_job("e")
    for need, name in pairwise(names):
        stack.write_job(name, dependsOn=[need])
    planned = cli.ok("plan", "-o", "json")
    assert planned.actions() == {**dict.fromkeys("abcd", "wait"), "e": "create"}
    assert "waits for b (Waiting)" in planned.out

    cli.ok("apply", "--yes", "--wait")

    made = sorted(service.jobs(), key=lambda one: one["createTime"])
    assert [one["displayName"].split("@")[0][-1] for one in made] == names
    assert all(times(later)[0] >= times(early)[1] for early, later in pairwise(made))
    for name in names:
        stack.job_path(name).unlink()
    assert cli.ok("apply", "--yes", "--allow-empty", "-o", "json").results() == dict.fromkeys("abcde", "done")
    assert service.live() == []
    assert len(quick) > 0


@pytest.mark.parametrize(("count", "limit", "share"), [effort((12, 4, 0.1), (300, 100, 0.02))])
def test_many_jobs_pass_through_a_limit_and_a_quota(
    cli: Cli, service: Service, stack: StackFolder, quick: list[float], count: int, limit: int, share: float
) -> None:
    stack.write_stack(limits={"active": limit, "maxCreate": count})
    service.faults(
        {
            "method": "batches.create",
            "kind": "status",
            "status": 429,
            "retryInfo": "4s",
            "probability": share,
            "seed": 5,
        }
    )
    names = [f"job-{number:03}" for number in range(count)]
    for name in names:
        stack.write_job(name)
    planned = cli.ok("plan", "-o", "json")
    assert list(planned.actions().values()).count("create") == limit
    assert f"1st of {count - limit} in the queue: {limit} of {limit} jobs are active on gemini" in planned.out

    ran = cli.ok("apply", "--yes", "--wait", "-o", "json")

    assert set(ran.results().values()) == {"done"}
    status = cli.ok("status", "-o", "json").json["jobs"]
    assert {(one["phase"], one["attempt"]) for one in status} == {("Succeeded", 1)}
    assert len(service.jobs()) == count < service.creates
    assert most_at_once(service.jobs()) <= limit
    assert len(quick) < 100


def test_a_quota_leaves_the_job_waiting_which_is_not_yet(cli: Cli, service: Service, stack: StackFolder) -> None:
    service.faults({"method": "batches.create", "kind": "status", "status": 429, "retryInfo": "3600s"})
    stack.write_job("a")

    for _ in range(2):
        ran = cli("apply", "--yes", "-o", "json")
        assert (ran.code, ran.results()) == (7, {"a": "pending"})
        (action,) = ran.json["actions"]
        assert action["error"]["code"] == "QuotaExceeded"
        assert "HTTP 429" in action["error"]["message"]
        assert "error: QuotaExceeded a: " in ran.err
    assert service.creates == 1
    (status,) = cli.ok("status", "-o", "json").json["jobs"]
    assert status["phase"] == "Waiting"
    assert "the quota of gemini-2.5-flash on gemini is used up" in status["reason"]


def test_priority_goes_to_the_api_and_orders_the_queue(cli: Cli, service: Service, stack: StackFolder) -> None:
    stack.write_stack(limits={"active": 1})
    service.rules(LONG)
    stack.write_job("a")
    stack.write_job("b", priority=3)

    made = cli.ok("apply", "--yes", "-o", "json").results()

    assert made == {"a": "pending", "b": "done"}
    assert [one["displayName"][:2] for one in service.jobs()] == ["b "]


def test_what_never_fits_is_refused(cli: Cli, service: Service, stack: StackFolder) -> None:
    stack.write_stack(limits={"enqueuedTokens": 10})
    stack.write_job("a")

    ran = cli("apply", "--yes", "-o", "json")

    assert (ran.code, service.creates) == (6, 0)
    assert "NeverFits" in ran.out


def test_ages_go_by_the_services_clock_and_a_great_difference_is_told(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    service.rules({"fate": "stuck"})
    stack.write_job("translate")
    assert "differs" not in cli.ok("apply", "--yes").err
    service.advance("20h30m")
    ran = cli.ok("status", "--color", "never")
    assert "  20h" in ran.out
    assert ran.err.count("the clock of gemini emulator differs from this machine's by 7") == 1
    assert cli.ok("explain", "translate", "-o", "json").json["pollWithin"] == "1m"
