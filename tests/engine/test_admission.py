"""Many jobs, little room: limits, quotas that answer 429, priorities, chains. Audited at the API's end."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import httpx
import pytest

from batchctl.engine.loop.drive import Until
from batchctl.engine.steps.admitting import NotAdmittedError
from batchctl.model.admission import AdmissionLimits, QuotaKey
from batchctl.model.keys import Mark
from batchctl.model.stack import Limits
from batchctl.model.writes import SaveQuota
from batchctl.reconcile import Options, Scope
from tests.support.engine import HERE, MODEL, exit_codes, inline, job, made, phases, plan_of, results, run
from tests.support.engine_boundaries import START
from tests.support.long_mode import effort
from tests.support.patience import PATIENCE
from tests.support.values import replace

CREATE = "batches.create"
KEY = QuotaKey(HERE, MODEL)
STUCK = {"fate": "stuck"}
DAY = timedelta(days=1)


def bounds(**fields):
    """Limits of a stack that creates as many jobs as it likes."""
    return Limits(max_create=1000, max_delete=1000, admission=AdmissionLimits(**fields))


def time(text: str) -> datetime:
    return datetime.fromisoformat(text[:19] + "+00:00")


def most_at_once(world) -> int:
    """The most remote jobs that were at work at one moment, by the API's own times."""
    moments = []
    for one in world.here.jobs():
        ended = one["endTime"]
        moments.append((time(one["createTime"]), 1))
        if ended is not None:
            moments.append((time(ended), -1))
    at_work = peak = 0
    for _, change in sorted(moments, key=lambda moment: (moment[0], moment[1])):
        at_work += change
        peak = max(peak, at_work)
    return peak


class Quota(httpx.BaseTransport):
    """An API that takes no more than so many jobs at once, and names no number."""

    def __init__(self, service, limit):
        self._service = service
        self._inner = service.wire
        self.limit = limit
        self.refused = 0

    def handle_request(self, request):
        creates = request.url.path.endswith(":batchGenerateContent")
        working = {"BATCH_STATE_PENDING", "BATCH_STATE_RUNNING"}
        if creates and sum(one["state"] in working for one in self._service.jobs()) >= self.limit:
            self.refused += 1
            body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your quota."}}
            return httpx.Response(429, json=body)
        return self._inner.handle_request(request)


@pytest.mark.parametrize(("count", "limit"), [effort((30, 10), (150, 50))])
def test_many_jobs_through_a_limit_and_a_quota_that_answers_429(make_world, count, limit):
    world = make_world(limits=bounds(active=limit))
    world.here.rules({"pending": "5s", "running": "1m"})
    world.here.faults(
        {"method": CREATE, "kind": "status", "status": 429, "retryInfo": "5s", "probability": 0.05, "seed": 1},
        {"method": CREATE, "kind": "status", "status": 429, "probability": 0.02, "seed": 2},
    )
    names = [f"job-{number:03}" for number in range(count)]
    report = world.watch(*(job(name, inline("k1")) for name in names), timeout=DAY)
    assert Counter(phases(report).values()) == {"Succeeded": count}
    assert set(results(report).values()) == {"done"}
    assert made(world.here) == {f"{name}@1.0": 1 for name in names}
    assert world.here.calls(CREATE) > count
    assert limit // 2 <= most_at_once(world) <= limit
    assert {len(row.attempts) for row in world.recorded().jobs.values()} == {1}


def test_a_quota_that_nobody_told_is_learned(make_world):
    world = make_world(limits=replace(bounds(), concurrency=1))
    world.here.rules({"pending": "5s", "running": "5m"})
    world.here.wire = quota = Quota(world.here, 8)
    names = [f"job-{number:02}" for number in range(20)]
    report = world.watch(*(job(name, inline("k1")) for name in names), timeout=DAY)
    assert Counter(phases(report).values()) == {"Succeeded": 20}
    assert made(world.here) == {f"{name}@1.0": 1 for name in names}
    assert most_at_once(world) == 8
    # Each refusal is one call, and few are needed.
    assert 1 <= quota.refused <= 20
    learned = world.recorded().quotas[KEY]
    assert 1 <= learned.limit <= 20
    assert learned.refused_time > START


def test_a_refusal_stops_the_pass_and_a_restart_neither_forgets_nor_hurries_the_pause(make_world):
    world = make_world(limits=Limits(concurrency=1))
    world.here.rules(STUCK)
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "retryInfo": "43s"})
    report = world.apply(job("a"), job("b"), job("c"))
    assert world.here.calls(CREATE) == 1
    assert results(report) == {"a": "pending", "b": "pending", "c": "pending"}
    assert {type(outcome.error) for outcome in report.outcomes.values()} == {NotAdmittedError}
    assert exit_codes(report) == {7}
    assert world.recorded().quotas[KEY].retry_time == world.time.now() + timedelta(seconds=43)
    assert world.events("a") == ["create", "not sent"]
    assert world.events("b") == []
    world.here.faults()
    world.time.advance(timedelta(seconds=42))
    early = world.apply(job("a"), job("b"), job("c"))
    assert (world.here.calls(CREATE), results(early)) == (1, {"a": "pending", "b": "pending", "c": "pending"})
    assert plan_of(early, "b").queue.position == 2
    world.time.advance(timedelta(seconds=1))
    # What was learned at nothing is one job, and one more when the pause has passed.
    late = world.apply(job("a"), job("b"), job("c"))
    assert results(late) == {"a": "done", "b": "done", "c": "pending"}
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}


def lesson_of(world):
    """An event: what a refusal teaches has been written down."""
    learned, cross = threading.Event(), world.boundaries.cross

    def watch(where):
        cross(where)
        if where == "after commit" and any(isinstance(write, SaveQuota) for write in world.log[-1].writes):
            learned.set()

    world.boundaries.cross = watch
    return learned


@pytest.mark.parametrize("count", [3, 20])
def test_one_refusal_among_calls_side_by_side_holds_the_queue_no_longer_than_it_says(make_world, count):
    world = make_world()
    lesson, wire = lesson_of(world), world.here.wire

    class Late(httpx.BaseTransport):
        """The calls beside the refused one are answered after it."""

        def handle_request(self, request):
            reply = wire.handle_request(request)
            if request.url.path.endswith(":batchGenerateContent") and reply.status_code == 200:
                assert lesson.wait(PATIENCE)
            return reply

    world.here.wire = Late()
    world.here.rules(STUCK)
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "retryInfo": "5s", "count": 1})
    jobs = [job(f"job-{number:02}", inline("k1")) for number in range(count)]
    begin = world.time.now()
    world.apply(*jobs)
    live = sum(made(world.here).values())
    learned = world.recorded().quotas[KEY]
    assert (learned.limit >= live, learned.refusals) == (True, 1)
    waiting = [one.next_time for one in world.one_pass(*jobs).plan.jobs if one.queue]
    assert waiting == [begin + timedelta(seconds=5)] * (count - live) != []
    run(world, jobs, Until(ended=True, timeout=timedelta(minutes=1)))
    assert made(world.here) == {f"{one.name}@1.0": 1 for one in jobs}
    assert len([one for one in world.clock.sleeps if one > 6]) <= 1


def test_calls_that_are_under_way_at_a_refusal_count_as_at_work(make_world):
    """Eight calls are sent; one is refused, and before any other is answered the lesson is written down."""
    world = make_world(limits=Limits(concurrency=8))
    together, learned, cross = threading.Barrier(8), threading.Event(), world.boundaries.cross
    limits = []

    class Gathering(httpx.BaseTransport):
        def handle_request(self, request):
            if request.url.path.endswith(":batchGenerateContent"):
                if together.wait(PATIENCE) == 0:
                    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow down."}}
                    return httpx.Response(429, json=body)
                assert learned.wait(PATIENCE)
            return wire.handle_request(request)

    def watch(where):
        cross(where)
        if where == "after commit":
            limits.extend(write.quota.limit for write in world.log[-1].writes if isinstance(write, SaveQuota))
            if limits:
                learned.set()

    wire, world.here.wire, world.boundaries.cross = world.here.wire, Gathering(), watch
    world.apply(*(job(f"job-{number}", inline("k1")) for number in range(8)))
    assert sum(made(world.here).values()) == 7
    # Three quarters of seven, then as many as have come through.
    assert limits == [5, 6, 7]


def test_calls_side_by_side_are_one_lesson(make_world):
    world = make_world(limits=Limits(concurrency=8))
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "retryInfo": "5s"})
    world.apply(*(job(f"job-{number}") for number in range(20)))
    assert world.recorded().quotas[KEY].refusals == 1
    assert world.here.calls(CREATE) <= 16


def test_after_a_refusal_no_call_is_made_that_waited_for_the_disk(make_world):
    world = make_world(limits=replace(bounds(), concurrency=8))
    world.here.wire = quota = Quota(world.here, 0)
    jobs = [job(f"a{number:02}") for number in range(40)]
    world.apply(*jobs)
    assert 1 <= quota.refused <= 8
    attempts = [attempt for row in world.recorded().jobs.values() for attempt in row.attempts]
    assert attempts
    assert not any(attempt.intent for attempt in attempts)
    quota.limit = 40
    world.here.wire = quota
    world.watch(*jobs, timeout=DAY)
    assert made(world.here) == {f"a{number:02}@1.0": 1 for number in range(40)}


def test_a_quota_of_one_model_stops_no_other(make_world):
    world = make_world(limits=Limits(concurrency=1))
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "count": 1})
    report = world.apply(job("a"), replace(job("b"), model="gemini-2.5-pro"), job("c"))
    assert results(report) == {"a": "pending", "b": "done", "c": "pending"}
    assert world.here.calls(CREATE) == 2


def test_another_failure_closes_no_gate(make_world):
    def before(what, on):
        if what == "create" and on.startswith("a"):
            raise httpx.ConnectError("refused")

    world = make_world(limits=Limits(concurrency=1))
    world.here.wire.before = before
    assert results(world.apply(job("a"), job("b"))) == {"a": "failed", "b": "done"}
    assert world.recorded().quotas == {}


def test_a_refusal_counts_what_the_pass_has_made(make_world):
    world = make_world(limits=Limits(concurrency=1))
    world.here.wire = Quota(world.here, 8)
    world.apply(*(job(f"job-{number:02}", inline("k1")) for number in range(10)))
    assert world.recorded().quotas[KEY].limit == 6


def test_a_refusal_stops_what_is_just_being_prepared(make_world):
    world = make_world(limits=Limits(concurrency=2))
    world.here.faults({"method": CREATE, "kind": "status", "status": 429})
    learned = lesson_of(world)

    def before(what, on):
        if what == "upload":
            assert learned.wait(PATIENCE)

    world.here.wire.before = before
    report = world.apply(job("a", inline("k1")), job("b", world.write_rows("b.jsonl", "k1")))
    assert results(report) == {"a": "pending", "b": "pending"}
    assert world.here.calls(CREATE) == 1
    kept = world.attempt("b")
    assert (kept.intent, kept.remote, kept.trouble, bool(kept.input_file)) == (None, None, None, True)


def test_a_place_in_the_queue_is_waited_for_though_nothing_else_goes_on(make_world):
    world = make_world(limits=bounds(active=1))
    world.here.rules({"pending": "1s", "running": "5m"})
    pair = [job("a"), job("b")]
    world.apply(*pair)
    only = Options(scope=Scope(names=frozenset("b")))
    report = run(world, pair, Until(ended=True, timeout=timedelta(hours=3)), options=only)
    assert (phases(report), made(world.here)) == ({"b": "Succeeded"}, {"a@1.0": 1, "b@1.0": 1})


def test_an_upload_of_what_is_not_admitted_is_used_again(make_world):
    world = make_world(limits=Limits(concurrency=1))
    world.here.faults({"method": CREATE, "kind": "status", "status": 429, "count": 1})
    wanted = job("a", world.write_rows("a.jsonl", "k1"))
    world.apply(wanted)
    world.time.advance(timedelta(minutes=1))
    uploads = [entry for entry in world.log if entry.what == "upload"]
    report = world.apply(wanted)
    assert results(report) == {"a": "done"}
    assert [entry for entry in world.log if entry.what == "upload"] == uploads != []


def test_priorities_are_respected_and_sent(make_world):
    world = make_world(limits=bounds(active=1))
    jobs = [
        replace(job(name, inline("k1")), priority=priority)
        for name, priority in zip("abcd", (0, -5, 9, 3), strict=True)
    ]
    report = world.watch(*jobs)
    assert set(phases(report).values()) == {"Succeeded"}
    ours = sorted(world.here.jobs(), key=lambda one: one["createTime"])
    assert [one["mark"].key.job for one in ours] == ["c", "d", "a", "b"]
    assert most_at_once(world) == 1
    sent = {one["mark"].key.job: world.here.api("GET", one["name"])["metadata"].get("priority") for one in ours}
    assert sent == {"a": None, "b": "-5", "c": "9", "d": "3"}


def test_create_calls_a_minute(make_world):
    world = make_world(limits=bounds(creates_per_minute=2))
    report = world.watch(*(job(f"job-{number}", inline("k1")) for number in range(5)))
    assert set(phases(report).values()) == {"Succeeded"}
    times = sorted(time(one["createTime"]) for one in world.here.jobs())
    assert all(later - early >= timedelta(minutes=1) for early, later in zip(times, times[2:], strict=False))
    assert times[-1] - times[0] < timedelta(minutes=3)


def test_what_never_fits_is_refused_and_the_rest_goes_on(make_world):
    world = make_world(limits=bounds(enqueued_tokens=100))
    # Too large by what the API counts in b as well.
    report = world.watch(replace(job("a"), input_bytes=1604), replace(job("b"), input_bytes=400))
    assert phases(report) == {"a": "Waiting", "b": "Succeeded"}
    assert (results(report), report.outcomes["a"].error.code) == ({"a": "skipped", "b": "done"}, "NeverFits")


def test_what_the_api_counts_corrects_the_estimate(make_world):
    world = make_world(limits=bounds(enqueued_tokens=1000))
    first, second = (replace(job(name, inline("k1", "k2")), input_bytes=4000) for name in "ab")
    world.watch(first)
    done = world.attempt("a")
    assert (done.input_bytes, done.tokens) == (4000, sum(tokens_of(world, "a")))
    assert done.tokens < 100
    # By the bytes alone two such jobs would not fit at once.
    world.here.rules(STUCK)
    world.apply(first, second, replace(second, name="c"))
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1, "c@1.0": 1}


def tokens_of(world, name):
    return [row["response"]["usageMetadata"]["promptTokenCount"] for row in world.result_rows(name).values()]


@pytest.mark.parametrize("limit", ["active_by_model", "creates_by_model"])
def test_a_limit_of_one_model_holds_back_no_other(make_world, limit):
    world = make_world(limits=bounds(**{limit: {MODEL: 1}}))
    world.here.rules(STUCK)
    report = world.apply(job("a"), job("b"), replace(job("c"), model="gemini-2.5-pro"))
    assert results(report) == {"a": "done", "b": "pending", "c": "done"}


# --- dependencies


def chain(**changes):
    """Five jobs, each of which needs the one before it."""
    names = "edcba"
    needs = [(), *((name,) for name in names)]
    return [
        replace(job(name, **changes.get(name, {})), depends_on=need) for name, need in zip(names, needs, strict=False)
    ]


def test_a_chain_of_five_runs_in_order(world):
    report = world.watch(*chain())
    assert set(phases(report).values()) == {"Succeeded"}
    ours = sorted(world.here.jobs(), key=lambda one: one["createTime"])
    assert [one["mark"].key.job for one in ours] == list("edcba")
    assert all(time(after["createTime"]) >= time(one["endTime"]) for one, after in pairwise(ours))
    assert most_at_once(world) == 1


def test_a_chain_that_breaks_ends_the_watch_with_its_reasons(world):
    world.here.rules({"match": {"displayName": "*/c@*"}, "fate": "fail"})
    report = world.watch(*chain())
    assert phases(report) == {"e": "Succeeded", "d": "Succeeded", "c": "Failed", "b": "Blocked", "a": "Blocked"}
    assert made(world.here) == {"e@1.0": 1, "d@1.0": 1, "c@1.0": 1}
    assert [one.job for one in report.failed_jobs] == ["a", "b", "c"]
    assert "blocked by c, which ended Failed" in plan_of(report, "b").reason
    assert report.stopped is None


def test_a_retry_of_what_is_needed_lets_the_rest_go_on(world):
    world.here.rules({"match": {"displayName": "*/c@1.*"}, "fate": "fail"})
    report = world.watch(*chain(c={"backoff_limit": 1}))
    assert set(phases(report).values()) == {"Succeeded"}
    assert made(world.here)["c@2.0"] == 1


def test_what_waits_for_something_that_waits_for_a_person_ends_the_watch(world):
    report = world.watch(*chain(d={"suspend": True}))
    assert phases(report) == {"e": "Succeeded", **dict.fromkeys("dcba", "Waiting")}
    assert report.stopped is None


def test_what_is_needed_out_of_scope_is_waited_for(world):
    world.here.rules({"pending": "1s", "running": "5m"})
    wanted = chain()
    world.apply(*wanted)

    def during(number):
        if number == 3:
            world.time.advance(timedelta(minutes=6))
            world.apply(*wanted)

    only = Options(scope=Scope(names=frozenset("d")))
    report = run(world, wanted, Until(ended=True, timeout=timedelta(hours=3)), options=only, during=during)
    assert phases(report) == {"d": "Succeeded"}


def test_removal_runs_in_reverse_order_in_one_apply(world):
    world.watch(*chain())
    order = []

    def before(what, on):
        if what == "delete":
            order.append(on)

    names = {one["name"]: one["mark"].key.job for one in world.here.jobs()}
    world.here.wire.before = before
    report = world.apply(options=Options(allow_empty=True))
    assert [names[name] for name in order] == list("abcde")
    assert set(results(report).values()) == {"done"}
    assert world.recorded().jobs == {}


def test_a_removal_that_waits_for_a_cancel_is_pending_in_an_apply(world):
    world.here.rules({"fate": "cancelSlow", "running": "5m"})
    pair = [replace(job("a"), depends_on=("b",)), job("b")]
    world.apply(pair[1])
    world.time.advance(timedelta(minutes=10))
    world.apply(*pair)
    world.apply(*pair)
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}
    report = world.apply(options=Options(allow_empty=True))
    assert results(report) == {"a": "pending", "b": "pending"}
    done = world.watch(options=Options(allow_empty=True))
    assert (results(done), world.recorded().jobs) == ({"a": "done", "b": "done"}, {})


def test_marks_are_unharmed_by_what_is_sent_beside_them(world):
    hook = {"uris": ["https://example.org/hook"], "userMetadata": {"job": "a"}}
    bodies = []

    def keep(request):
        if request.url.path.endswith(":batchGenerateContent"):
            bodies.append(json.loads(request.content)["batch"])
        return inner(request)

    inner, world.here.wire.handle_request = world.here.wire.handle_request, keep
    world.apply(replace(job("a"), priority=4, webhook=hook))
    (body,) = bodies
    assert (body["priority"], body["webhookConfig"]) == ("4", hook)
    assert Mark.find(body["displayName"]).key.job == "a"
