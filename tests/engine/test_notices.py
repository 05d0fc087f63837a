"""Hooks are told: each event at least once, whatever dies in between; and no job is the worse for it."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import timedelta

import pytest

from batchctl.engine.delivery import PATIENCE, deliver, deliver_rest
from batchctl.engine.journal import Journal
from batchctl.engine.preview import preview
from batchctl.model.errors import HookUnusable, NotDelivered, StateError
from batchctl.model.notices import CommandHook, Notice, NoticeType, Webhook
from batchctl.model.row_settings import Canary
from batchctl.model.stack import Limits
from batchctl.model.writes import SaveAttempt, SaveNotice
from batchctl.reconcile import Options
from batchctl.reconcile.notify.outbox import PATIENCE as THREE_DAYS
from batchctl.reconcile.notify.outbox import RETENTION
from tests.support.engine import inline, job, phases, plan_of, results
from tests.support.engine_boundaries import Crash
from tests.support.long_mode import effort
from tests.support.values import replace

OPS = Webhook("ops", "https://example.com/hook", "SECRET")
LOG = CommandHook("log", ("log",), frozenset({NoticeType.FAILED, NoticeType.STUCK}))
DAY = timedelta(days=1)


def told(world, hook="ops"):
    """What a hook was told, in order of job and attempt."""
    return sorted((event["job"], event["attempt"], event["type"]) for name, event in world.receiver.got if name == hook)


def outbox(world) -> dict[tuple[str, str], Notice]:
    return {(notice.job, notice.hook): notice for notice in world.recorded().outbox}


def rest(world, **stack):
    """What a command does when its passes are over."""
    with world.process() as tools:
        deliver_rest(world.stack(**stack), tools)


def fail_jobs(world, *names):
    world.here.rules(*({"match": {"displayName": f"*/{name}@*"}, "fate": "fail"} for name in names))


def refuse(world, problem=None, *, hook="ops", times=10**9):
    """Let a hook's next deliveries fail."""
    left = [times]

    def answer(name, event):
        if name != hook or left[0] <= 0:
            return None
        left[0] -= 1
        return problem or NotDelivered("HTTP 503", hint="see the receiver's log")

    world.receiver.refuse = answer


def test_each_hook_is_told_each_end_that_it_wants_once(world):
    fail_jobs(world, "b")
    jobs = (job("a"), job("b", backoff_limit=1))
    report = world.watch(*jobs, notify=(OPS, LOG))
    assert phases(report) == {"a": "Succeeded", "b": "Failed"}
    assert told(world) == [("a", 1, "job.succeeded"), ("b", 1, "job.failed"), ("b", 2, "job.failed")]
    assert told(world, "log") == [("b", 1, "job.failed"), ("b", 2, "job.failed")]
    event = next(event for _, event in world.receiver.got if event["type"] == "job.succeeded")
    assert event["remote"] == world.attempt("a").remote
    assert event["rows"] == {"total": 2, "ok": 2, "failed": 0, "verdicts": {"OK": 2}}
    # One event, one id; each of another attempt has another.
    assert len({event["id"] for _, event in world.receiver.got}) == 3
    assert world.events("a").count("notified") == 1
    assert all(notice.delivered_time and not notice.is_pending for notice in world.recorded().outbox)
    world.watch(*jobs, notify=(OPS, LOG))
    assert len(world.receiver.got) == 5


def test_what_is_told_is_committed_with_what_it_tells_of(world):
    fail_jobs(world, "b")
    world.watch(job("a"), job("b"), notify=(OPS,))
    commits = [entry.writes for entry in world.log if entry.what == "commit"]
    news = [writes for writes in commits for one in writes if isinstance(one, SaveNotice) and one.notice.is_pending]
    assert len(news) == 2
    for writes in news:
        (notice,) = [one.notice for one in writes if isinstance(one, SaveNotice)]
        attempts = [one.attempt for one in writes if isinstance(one, SaveAttempt)]
        assert any(attempt.key.job == notice.job and attempt.state != "JOB_STATE_RUNNING" for attempt in attempts)


def test_looking_tells_nobody(world):
    world.apply(job("a"), notify=(OPS,))
    world.time.sleep(10)
    with world.process() as tools:
        preview(world.desired(job("a"), notify=(OPS,)), Options(), tools)
    assert world.receiver.got == []
    assert world.recorded().outbox == ()


def test_a_refused_create_call_is_told(world):
    world.here.faults({"method": "batches.create", "kind": "status", "status": 400, "when": "before"})
    world.apply(job("a"), notify=(OPS,))
    ((_, event),) = world.receiver.got
    assert (event["type"], event["phase"], event["remote"], event["state"]) == ("job.rejected", "Rejected", None, None)


def test_a_job_that_is_removed_is_told_though_its_record_goes(world):
    world.here.rules({"pending": "0s", "running": "1h"})
    world.apply(job("a"), notify=(OPS,))
    world.watch(options=Options(allow_empty=True), notify=(OPS,))
    assert world.recorded().jobs == {}
    assert told(world) == [("a", 1, "job.cancelled")]


def story(world) -> None:
    world.watch(job("a"), job("b"), notify=(OPS, LOG))
    rest(world, notify=(OPS, LOG))


def crash_and_go_on(world, moment: int) -> int:
    """Let the process die at a moment, and others go on; gives how many moments there were without."""
    world.boundaries.reset(moment)
    try:
        story(world)
    except Crash:
        world.boundaries.reset()
        world.time.sleep(30)
        story(world)
    return len(world.boundaries.passed)


WANTED = {
    ("ops", "a", "job.succeeded"),
    ("ops", "b", "job.failed"),
    ("log", "b", "job.failed"),
}


def test_a_crash_at_any_moment_loses_no_notice_and_each_event_keeps_its_id(make_world):
    def fresh():
        world = make_world(limits=Limits(concurrency=1))
        fail_jobs(world, "b")
        return world

    total = crash_and_go_on(fresh(), 10**9)
    for moment in range(1, total, effort(3, 1)):
        world = fresh()
        crash_and_go_on(world, moment)
        got = Counter((hook, event["job"], event["type"]) for hook, event in world.receiver.got)
        ids = {(event["job"], event["type"]): set() for _, event in world.receiver.got}
        for _, event in world.receiver.got:
            ids[event["job"], event["type"]].add(event["id"])
        assert got.keys() == WANTED, f"crashed at moment {moment}"
        assert {len(names) for names in ids.values()} == {1}, f"crashed at moment {moment}"
        world.close()
        shutil.rmtree(world.folder)


@pytest.mark.parametrize("where", ["before send", "after send"])
def test_a_process_that_dies_around_a_delivery_delivers_again(world, where):
    world.boundaries.cross = dying_at(world.boundaries.cross, where)
    with pytest.raises(Crash):
        world.watch(job("a"), notify=(OPS,))
    before = list(world.receiver.got)
    assert len(before) == (where == "after send")
    assert outbox(world)["a", "ops"].is_pending
    del world.boundaries.cross
    world.watch(job("a"), notify=(OPS,))
    (first, *again) = world.receiver.got
    assert again == [first] * len(before)
    assert not outbox(world)["a", "ops"].is_pending


def dying_at(cross, where):
    def crossing(name):
        if name.startswith(where):
            raise Crash(name)
        cross(name)

    return crossing


def test_a_receiver_that_is_down_holds_up_nobody_and_is_told_later(world):
    refuse(world, times=2)
    fail_jobs(world, "b")
    jobs = (job("a"), job("b"))
    report = world.watch(*jobs, notify=(OPS, LOG))
    assert results(report) == {"a": "done", "b": "done"}
    assert told(world, "log") == [("b", 1, "job.failed")]
    # What is said once is not said in each pass.
    assert [warning.split(" was ")[1] for warning in world.progress.warnings] == [
        "not delivered to ops: NotDelivered: HTTP 503 (see the receiver's log)"
    ]
    assert {notice.tries for notice in world.recorded().outbox if notice.is_pending} == {1}
    rest(world, notify=(OPS, LOG))
    assert told(world) == [("a", 1, "job.succeeded"), ("b", 1, "job.failed")]
    assert all(not notice.is_pending for notice in world.recorded().outbox)
    assert sum(world.clock.sleeps) < PATIENCE.total_seconds()
    assert world.progress.warnings == []


def test_a_run_that_ends_waits_a_while_for_a_receiver_and_no_longer(world):
    refuse(world)
    world.watch(job("a"), notify=(OPS,))
    rest(world, notify=(OPS,))
    assert 20 < sum(world.clock.sleeps) <= PATIENCE.total_seconds()
    assert world.progress.warnings[-1] == "1 notification is not delivered yet: the next `apply` or `watch` goes on"
    one = outbox(world)["a", "ops"]
    assert (one.tries, one.problem) == (3, "NotDelivered: HTTP 503")
    # The pause is kept in the state: another process neither forgets nor hurries it.
    world.apply(job("a"), notify=(OPS,))
    assert outbox(world)["a", "ops"] == one
    world.time.advance(timedelta(minutes=10))
    world.apply(job("a"), notify=(OPS,))
    assert outbox(world)["a", "ops"].tries == 4
    world.receiver.refuse = lambda hook, event: None
    world.time.advance(timedelta(minutes=10))
    world.apply(job("a"), notify=(OPS,))
    assert told(world) == [("a", 1, "job.succeeded")]


def test_nothing_is_waited_for_where_nothing_is_left(world):
    world.watch(job("a"), notify=(OPS,))
    rest(world, notify=(OPS,))
    assert world.clock.sleeps == []


def test_a_watcher_tries_again_while_nothing_else_happens(world):
    world.here.rules({"match": {"displayName": "*/a@*"}, "fate": "fail"}, {"pending": "0s", "running": "10m"})
    refuse(world, times=3)
    world.watch(job("a"), job("b"), notify=(OPS,))
    failed = next(event for _, event in world.receiver.got if event["job"] == "a")
    delivered = outbox(world)["a", "ops"].delivered_time
    assert outbox(world)["a", "ops"].tries == 3
    # Pauses of 10, 20 and 40 seconds, and at most a minute's poll each.
    assert (delivered - outbox(world)["a", "ops"].time) < timedelta(minutes=5)
    assert failed["type"] == "job.failed"


UNUSABLE = HookUnusable("OPS_SECRET is not set", code="NoWebhookSecret", hint="set it")


def test_a_hook_that_cannot_be_told_from_here_counts_no_try(world):
    refuse(world, UNUSABLE)
    world.watch(job("a"), job("b"), notify=(OPS,))
    assert [warning.split(" was ")[1] for warning in world.progress.warnings] == [
        "not delivered to ops: NoWebhookSecret: OPS_SECRET is not set (set it)"
    ]
    assert {(notice.tries, notice.next_time) for notice in world.recorded().outbox} == {(0, None)}
    rest(world, notify=(OPS,))
    assert world.clock.sleeps == []
    # Nor is it written again and again, or said by this process a second time; but by the next one it is.
    serial = world.recorded().serial
    world.one_pass(job("a"), job("b"), notify=(OPS,))
    assert world.recorded().serial == serial
    assert len(world.progress.warnings) == 1
    # Another machine has the secret.
    world.receiver.refuse = lambda hook, event: None
    world.one_pass(job("a"), job("b"), notify=(OPS,))
    assert told(world) == [("a", 1, "job.succeeded"), ("b", 1, "job.succeeded")]


def test_a_hook_that_left_the_stack_is_told_when_it_comes_back(world):
    refuse(world)
    world.watch(job("a"), notify=(OPS,))
    world.receiver.refuse = lambda hook, event: None
    world.time.advance(DAY)
    world.one_pass(job("a"))
    rest(world)
    assert world.receiver.got == []
    assert world.clock.sleeps == []
    world.one_pass(job("a"), notify=(replace(OPS, url="https://example.com/other"),))
    assert told(world) == [("a", 1, "job.succeeded")]


def test_what_nobody_takes_is_given_up(world):
    refuse(world)
    world.watch(job("a"), notify=(OPS,))
    world.time.advance(THREE_DAYS)
    world.one_pass(job("a"), notify=(OPS,))
    assert world.progress.warnings == ["a: gave up the delivery of job.succeeded to ops; NotDelivered: HTTP 503"]
    assert world.events("a")[-1] == "notification given up"
    one = outbox(world)["a", "ops"]
    assert (one.given_up_time, one.delivered_time, one.is_pending) == (world.time.now(), None, False)
    world.time.advance(RETENTION + DAY)
    world.one_pass(job("a"), notify=(OPS,))
    assert world.recorded().outbox == ()
    assert world.receiver.got == []


def test_what_was_delivered_goes_after_a_while(world):
    world.watch(job("a"), notify=(OPS,))
    world.time.advance(RETENTION - timedelta(minutes=1))
    world.one_pass(job("a"), notify=(OPS,))
    assert len(world.recorded().outbox) == 1
    world.time.advance(timedelta(minutes=2))
    world.one_pass(job("a"), notify=(OPS,))
    assert world.recorded().outbox == ()
    assert len(world.receiver.got) == 1


def test_a_stuck_job_is_told_once_and_its_end_all_the_same(world):
    world.here.rules({"pending": "6d", "running": "1s"})
    hook = replace(OPS, stuck_after=timedelta(hours=12))
    world.apply(job("a"), notify=(hook, LOG))
    world.time.advance(timedelta(hours=11))
    world.one_pass(job("a"), notify=(hook, LOG))
    assert world.receiver.got == []
    for hours in (2, 12, 14, 8):
        world.time.advance(timedelta(hours=hours))
        world.one_pass(job("a"), notify=(hook, LOG))
    (stuck,) = [event for name, event in world.receiver.got if name == "ops"]
    assert (stuck["type"], stuck["phase"], stuck["reason"]) == ("job.stuck", "Active", "pending for 13h0m")
    # The other hook has more patience, and hears of the same event.
    (other,) = [event for name, event in world.receiver.got if name == "log"]
    assert (other["id"], other["reason"]) == (stuck["id"], "pending for 25h0m")
    # Long after its delivery it is still remembered.
    assert outbox(world)["a", "ops"].delivered_time < world.time.now() - RETENTION
    world.time.advance(timedelta(hours=2))
    world.watch(job("a"), notify=(hook, LOG))
    assert [event["type"] for name, event in world.receiver.got if name == "ops"][1:] == ["job.expired"]


def test_a_missed_deadline_is_told_as_stuck_and_then_as_failed(world):
    world.here.rules({"fate": "stuck"})
    report = world.watch(job("a", pending_deadline=timedelta(minutes=10)), notify=(OPS,))
    assert phases(report) == {"a": "Failed"}
    assert [event["type"] for _, event in world.receiver.got] == ["job.stuck", "job.failed"]
    assert [event["reason"] for _, event in world.receiver.got] == [
        "past its deadline, and cancelled for it",
        "cancelled at its deadline",
    ]


def fill(world, count, hooks=("ops",)):
    """Many notices that wait."""
    with world.state().lock() as session:
        session.commit(
            [
                SaveNotice(
                    Notice(f"e{n:03d}", hook, "a", 1, NoticeType.FAILED, world.time.now(), f'{{"id": "e{n:03d}"}}')
                )
                for n in range(count)
                for hook in hooks
            ]
        )


def sent(world):
    return Counter(name for name, _ in world.receiver.got)


def test_a_pass_delivers_a_bounded_number_to_each_hook(world):
    fill(world, 60, ("ops", "log"))
    world.one_pass(notify=(OPS, LOG))
    assert sent(world) == {"ops": 50, "log": 50}
    world.one_pass(notify=(OPS, LOG))
    assert sent(world) == {"ops": 60, "log": 60}


def test_a_pass_delivers_for_a_bounded_time(world):
    fill(world, 10)
    world.receiver.refuse = lambda hook, event: world.time.advance(timedelta(seconds=9))
    world.one_pass(notify=(OPS,))
    assert sent(world) == {"ops": 3}


def test_a_hook_that_fails_is_left_alone_for_the_rest_of_the_pass(world):
    fill(world, 5, ("ops", "log"))
    asked = []
    world.receiver.refuse = lambda hook, event: (
        asked.append(event["id"]) or NotDelivered("down") if hook == "ops" else None
    )
    world.one_pass(notify=(OPS, LOG))
    assert (asked, sent(world)) == (["e000"], {"log": 5})


def test_a_process_that_was_stopped_begins_no_delivery(world):
    fill(world, 5)
    with world.process() as tools:
        world.receiver.refuse = lambda hook, event: world.clock.stop()
        deliver_rest(world.stack(notify=(OPS,)), tools)
    assert sent(world) == {"ops": 1}
    assert world.progress.warnings == ["4 notifications are not delivered yet: the next `apply` or `watch` goes on"]


def test_each_delivery_is_written_down_before_the_next_one(world):
    fill(world, 3)
    world.boundaries.cross = dying_at(world.boundaries.cross, "before send e002")
    with pytest.raises(Crash):
        world.one_pass(notify=(OPS,))
    assert [notice.is_pending for notice in world.recorded().outbox] == [False, False, True]


def test_a_process_that_lost_its_lock_in_its_sleep_tells_nobody(world):
    fill(world, 1)
    stack = world.stack(notify=(OPS,))
    with world.process() as tools, tools.state.lock() as session:
        journal = Journal(stack, session, session.load(), tools.clock)
        world.state().break_lock()
        with pytest.raises(StateError, match="lock"):
            deliver(stack, journal, tools)
    assert world.receiver.got == []


def test_a_process_that_loses_its_lock_stops_telling(world):
    fill(world, 5)
    world.receiver.refuse = lambda hook, event: world.state().break_lock() and None
    with pytest.raises(StateError, match="lock"):
        world.one_pass(notify=(OPS,))
    assert sent(world) == {"ops": 1}


def test_whoever_holds_the_lock_delivers_the_rest(world):
    fill(world, 1)
    with world.state().lock():
        rest(world, notify=(OPS,))
    assert (world.receiver.got, world.progress.warnings) == ([], [])


def test_a_state_that_cannot_be_read_any_more_is_said_and_no_more(world):
    world.watch(job("a"))
    (world.folder / "state.db").write_bytes(b"")
    rest(world, notify=(OPS,))
    assert [warning.split(":")[0] for warning in world.progress.warnings] == ["notifications"]


def test_a_plan_is_the_same_with_and_without_hooks(world):
    plain = world.watch(job("a"))
    told_of = world.watch(job("a"), notify=(OPS,))
    assert plan_of(plain, "a") == plan_of(told_of, "a")
    # What had ended before there was a hook is no news.
    assert world.receiver.got == []


@pytest.mark.parametrize(
    ("outcome", "events"),
    [({}, [("a", 2, "job.succeeded")]), ({"rowOutcomes": [{"finishReason": "SAFETY"}]}, [("a", 1, "job.failed")])],
    ids=["good", "bad"],
)
def test_a_canary_is_a_failure_only_if_it_fails(world, outcome, events):
    world.here.rules({"pending": "1s", "running": "1s", **outcome})
    wanted = replace(job("a", inline(*(f"k{number}" for number in range(6)))), canary=Canary(2))
    for _ in range(2):
        world.watch(wanted, notify=(OPS,))
    assert told(world) == events
