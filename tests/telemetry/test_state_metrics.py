"""Metrics of the state, read back by prometheus-client's own parser after real passes over the emulator."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind, QueuePlace
from batchctl.model.attempts import Intent, MergedResults, RecordedAttempt
from batchctl.model.cost.job_cost import Actual, JobCost
from batchctl.model.cost.retirement import Retirement
from batchctl.model.cost.tokens import Usage
from batchctl.model.history import PastAttempt
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.observed import RowCounts
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.states import Phase
from batchctl.model.work_size import WorkSize
from batchctl.telemetry.catalogue import OF_THE_STATE
from batchctl.telemetry.snapshot import Snapshot
from batchctl.telemetry.state_metrics import StateMetrics
from tests.support.engine import MODEL, World, inline, job
from tests.support.report_samples import job_plan
from tests.support.state_samples import job as job_row
from tests.support.values import replace

T0 = datetime(2026, 11, 22, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNT = Account(Api.VERTEX, "https://europe-west4-aiplatform.googleapis.com", "demo", "europe-west4")


def samples(snapshot: Snapshot | None) -> dict[tuple[str, ...], float]:
    """All samples, by name and labels without the stack's, in the order of their names."""
    registry = CollectorRegistry()
    registry.register(StateMetrics("shop", lambda: snapshot))
    found = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            assert sample.labels.pop("stack") == "shop"
            found[(sample.name, *(sample.labels[key] for key in sorted(sample.labels)))] = sample.value
    return found


def of(found: dict[tuple[str, ...], float], name: str) -> dict[tuple[str, ...], float]:
    """The samples of one name that are not 0, by their labels."""
    return {
        labels[0] if len(labels) == 1 else tuple(labels): value
        for (one, *labels), value in found.items()
        if one == name and value
    }


def attempt(number: int = 1, **values) -> RecordedAttempt:
    return RecordedAttempt(AttemptKey("a", number), ACCOUNT, "d1:0", "token", {"model": "gemini-x"}, **values)


def recorded(*attempts: RecordedAttempt) -> Recorded:
    return Recorded({"a": RecordedJob(job_row("a"), attempts)})


def snapshot(*attempts: RecordedAttempt) -> Snapshot:
    return Snapshot(Plan("shop", ()), recorded(*attempts))


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path)
    yield made
    made.close()


def test_before_the_first_pass_there_are_no_samples():
    assert samples(None) == {}


def test_the_numbers_after_real_passes(world: World):
    world.here.rules(
        {"match": {"displayName": "bad*"}, "fate": "fail", "pending": "10m", "running": "2h"},
        {"match": {"displayName": "slow*"}, "pending": "100h"},
        {"match": {"row": "k2"}, "rowOutcomes": [{"error": {"code": 13, "message": "oops"}}]},
        {"pending": "20m", "running": "3h"},
    )
    jobs = [job("good", inline("k1", "k2", "k3")), job("bad"), job("slow", inline("x"))]
    world.watch(*jobs, timeout=timedelta(hours=6))
    done = world.one_pass(*jobs)
    found = samples(Snapshot(done.after.next_plan, done.after.recorded))
    assert of(found, "batchctl_jobs") == {"Failed": 1, "Succeeded": 1, "Active": 1}
    assert of(found, "batchctl_attempts") == {"failed": 1, "succeeded": 1, "active": 1}
    assert of(found, "batchctl_rows") == {"OK": 2, "INTERNAL": 1, "NO_RESULT": 2}
    given = world.attempt("good")
    assert sum(of(found, "batchctl_tokens").values()) >= (given.tokens or 0) > 0
    assert {labels[:1] + labels[2:3] for labels in of(found, "batchctl_tokens")} == {("gemini", MODEL)}
    slow = world.attempt("slow")
    assert slow.create_time is not None
    assert found["batchctl_oldest_pending_timestamp_seconds",] == slow.create_time.timestamp()
    assert found["batchctl_state_duration_seconds_count", MODEL, "pending"] == 2
    assert found["batchctl_state_duration_seconds_count", MODEL, "running"] == 2
    assert not of(found, "batchctl_drift")
    assert found["batchctl_unread_accounts",] == 0
    assert ("batchctl_collect_by_timestamp_seconds",) not in found


def test_no_name_of_a_job_is_in_a_label(world: World):
    names = ["a-very-own-name", "another-own-name"]
    done = world.one_pass(*map(job, names))
    found = samples(Snapshot(done.after.next_plan, done.after.recorded))
    assert found
    assert not [label for labels in found for label in labels if any(name in label for name in names)]


@pytest.mark.parametrize(
    ("result", "values"),
    [
        ("unsent", {}),
        ("unanswered", {"intent": Intent(T0)}),
        ("rejected", {"rejected": True}),
        ("reused", {"results": "a/1"}),
        ("active", {"remote": "r", "state": "JOB_STATE_RUNNING"}),
        ("unknown", {"remote": "r", "state": "JOB_STATE_NEW_WORD"}),
        ("unknown", {"remote": "r"}),
        ("gone", {"remote": "r", "state": "JOB_STATE_RUNNING", "gone_time": T0}),
        ("succeeded", {"remote": "r", "state": "JOB_STATE_SUCCEEDED", "delete_time": T0}),
        ("partially_succeeded", {"remote": "r", "state": "JOB_STATE_PARTIALLY_SUCCEEDED"}),
        ("failed", {"remote": "r", "state": "JOB_STATE_FAILED"}),
        ("expired", {"remote": "r", "state": "JOB_STATE_EXPIRED"}),
        ("cancelled", {"remote": "r", "state": "JOB_STATE_CANCELLED"}),
    ],
)
def test_the_result_of_an_attempt(result, values):
    assert of(samples(snapshot(attempt(**values))), "batchctl_attempts") == {result: 1}


def test_times_in_a_state_fall_into_their_buckets():
    bound = timedelta(hours=2)
    made = [
        attempt(1, create_time=T0, start_time=T0 + bound, end_time=T0 + bound + HOUR),
        attempt(2, create_time=T0, start_time=T0 + bound + timedelta(seconds=1)),
        attempt(3, create_time=T0, start_time=T0 - HOUR),
        attempt(4, create_time=T0, end_time=T0 + HOUR),
        attempt(5, start_time=T0, end_time=T0 + timedelta(days=30)),
    ]
    found = samples(snapshot(*made))
    name = "batchctl_state_duration_seconds"
    buckets = {
        labels: value
        for (one, *labels), value in found.items()
        if one == f"{name}_bucket"
        for labels in [tuple(labels)]
    }
    pending = {bound: value for (bound, _, state), value in buckets.items() if state == "pending"}
    assert [pending[bound] for bound in ("60.0", "3600.0", "7200.0", "14400.0", "+Inf")] == [1, 1, 2, 3, 3]
    running = {bound: value for (bound, _, state), value in buckets.items() if state == "running"}
    assert [running[bound] for bound in ("1800.0", "3600.0", "259200.0", "+Inf")] == [0, 1, 1, 2]
    assert found[f"{name}_count", "gemini-x", "pending"] == 3
    assert found[f"{name}_sum", "gemini-x", "pending"] == 2 * bound.total_seconds() + 1
    assert found[f"{name}_sum", "gemini-x", "running"] == HOUR.total_seconds() + 30 * 24 * 3600


def test_attempts_of_removed_jobs_count_among_the_times():
    account = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
    past = PastAttempt(account, "r", "gemini-x", 5, "JOB_STATE_SUCCEEDED", T0, T0 + HOUR, T0 + 3 * HOUR)
    made = snapshot(attempt(1, create_time=T0, start_time=T0 + HOUR))
    found = samples(replace(made, recorded=replace(made.recorded, history=(past,))))
    name = "batchctl_state_duration_seconds"
    assert found[f"{name}_count", "gemini-x", "pending"] == 2
    assert found[f"{name}_sum", "gemini-x", "running"] == 2 * HOUR.total_seconds()


def test_the_earliest_end_of_keeping_counts():
    ended = {"remote": "r", "state": "JOB_STATE_SUCCEEDED"}
    gemini = Account(Api.GEMINI, "https://generativelanguage.googleapis.com")
    late, early, collected = (
        replace(attempt(number, **ended, end_time=T0 + number * HOUR), account=gemini) for number in (3, 2, 1)
    )
    collected = replace(collected, results="a/1")
    found = samples(snapshot(late, early, collected))
    assert early.collect_by is not None
    assert found["batchctl_collect_by_timestamp_seconds",] == early.collect_by.timestamp()


def test_shards_count_by_their_merged_results():
    rows = RowCounts(10, 8, 2, {"OK": 8, "SAFETY": 2})
    merged = attempt(remote="r", rows=RowCounts(5, 5, 0, {"OK": 5}), merged=MergedResults("a/1", rows))
    plan = Plan("shop", (replace(job_plan("a"), attempt=merged),))
    assert of(samples(Snapshot(plan, Recorded())), "batchctl_rows") == {"OK": 8, "SAFETY": 2}


def test_the_queue_is_counted_by_the_limit_that_a_job_waits_for():
    def waits(name: str, limit: LimitKind):
        made = job_plan(name, Action.WAIT, Phase.WAITING, "waits")
        return replace(made, decision=replace(made.decision, queue=QueuePlace(1, 3, limit, 1, 1)))

    jobs = (waits("a", LimitKind.TOKENS), waits("b", LimitKind.TOKENS), waits("c", LimitKind.QUOTA), job_plan("d"))
    found = samples(Snapshot(Plan("shop", jobs), Recorded()))
    assert of(found, "batchctl_queue_length") == {"enqueuedTokens": 2, "quota": 1}
    assert found["batchctl_queue_length", "active"] == 0


def test_tokens_of_jobs_that_have_ended_are_not_enqueued():
    active, ended = (attempt(remote="r", state=f"JOB_STATE_{state}") for state in ("PENDING", "SUCCEEDED"))
    size = WorkSize("gemini-x", "main", 3, 100, 25)
    jobs = tuple(
        replace(job_plan(name), attempt=one, size=tokens)
        for name, one, tokens in (
            ("a", active, size),
            ("b", ended, size),
            ("c", active, WorkSize()),
            ("d", active, replace(size, tokens=5)),
        )
    )
    found = samples(Snapshot(Plan("shop", jobs), Recorded()))
    assert of(found, "batchctl_enqueued_tokens") == {("vertex", "gemini-x"): 30}


def test_models_retire_at_the_beginning_of_a_day():
    """Also those of an account that has another API: the same name may be shut down on another day."""
    day = date(2026, 12, 20)
    plan = Plan(
        "shop",
        (),
        retirements=(
            Retirement("gemini-x", Api.GEMINI, day, "a page", ("a", "b"), 28),
            Retirement("gemini-x", Api.VERTEX, date(2026, 12, 1), "a page", ("c",), 9),
        ),
    )
    found = of(samples(Snapshot(plan, Recorded())), "batchctl_model_retirement_timestamp_seconds")
    assert found == {
        ("gemini", "gemini-x"): datetime(2026, 12, 20, tzinfo=UTC).timestamp(),
        ("vertex", "gemini-x"): datetime(2026, 12, 1, tzinfo=UTC).timestamp(),
    }


def test_one_snapshot_is_computed_once():
    given = [snapshot(attempt())]
    metrics = StateMetrics("shop", lambda: given[0])
    first = metrics.collect()
    assert metrics.collect() is first
    given[0] = snapshot(attempt(), attempt(2))
    assert metrics.collect() is not first


def test_each_metric_of_the_catalogue_has_its_family():
    made = attempt(remote="r", state="JOB_STATE_PENDING", create_time=T0, start_time=T0, tokens=3)
    cost = JobCost("USD", None, Actual(Usage(), 1, money=Decimal("0.5")))
    plan = Plan("shop", (replace(job_plan("a"), attempt=made, size=WorkSize("m", tokens=3), pricing=cost),))
    metrics = StateMetrics("shop", lambda: Snapshot(plan, recorded(made)))
    families = {family.name: family for family in metrics.collect()}
    assert families.keys() == {metric.name for metric in OF_THE_STATE}
    for metric in OF_THE_STATE:
        family = families[metric.name]
        assert (family.type, family.documentation) == (metric.kind.value, metric.help)
        assert {*metric.labels, "stack"} >= {label for sample in family.samples for label in sample.labels} - {"le"}
