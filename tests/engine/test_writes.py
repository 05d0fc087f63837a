"""The order of writes and calls: what is durable before what is sent (design section 6)."""

from __future__ import annotations

from batchctl.model.attempts import CancelCause
from batchctl.model.stack import Limits
from batchctl.model.writes import SaveJob
from tests.support.engine import job, results, saved_attempts, saved_events, saves_intent

JOBS = (job("a"), job("b"), job("c"))


def index(log, accept, start=0):
    """Where the first entry lies that is accepted."""
    return next(i for i, entry in enumerate(log[start:], start) if accept(entry))


def begins(what, on):
    return lambda entry: (entry.what, entry.on, entry.ended) == (what, on, False)


def ends(what, on):
    return lambda entry: (entry.what, entry.on, entry.ended) == (what, on, True)


def commits(what):
    """A commit that writes an event down."""
    return lambda entry: what in saved_events(entry)


def test_the_intent_is_committed_before_the_create_call_and_the_epoch_checked_right_before_it(make_world):
    world = make_world(limits=Limits(concurrency=1))
    world.apply(*JOBS)
    for key in ("a@1.0", "b@1.0", "c@1.0"):
        sent = index(world.log, begins("create", key))
        assert world.log[sent - 1].what == "check"
        assert saves_intent(world.log[sent - 2], key)


def test_side_by_side_every_create_still_follows_its_intent_and_a_check(world):
    world.apply(*JOBS)
    for key in ("a@1.0", "b@1.0", "c@1.0"):
        sent = index(world.log, begins("create", key))
        intent = index(world.log, lambda entry, key=key: saves_intent(entry, key))
        assert intent < sent
        assert any(entry.what == "check" for entry in world.log[intent:sent])


def test_the_reply_is_committed_before_any_other_call_of_the_job(make_world):
    world = make_world(limits=Limits(concurrency=1))
    world.apply(job("a"), job("b"))
    answered = index(world.log, ends("create", "a@1.0"))
    following = world.log[answered + 1]
    (saved,) = saved_attempts(following)
    (remote,) = [one for one in world.here.jobs() if one["mark"].key.job == "a"]
    assert (str(saved.key), saved.intent, saved.remote, saved.state) == (
        "a@1.0",
        None,
        remote["name"],
        "JOB_STATE_PENDING",
    )
    assert saved.create_time is not None
    assert saved_events(following) == ["created"]


def test_an_upload_is_committed_before_the_intent(world):
    world.apply(job("a", world.write_rows("a.jsonl", "k1", "k2")))
    uploaded = index(world.log, commits("uploaded"))
    assert (
        index(world.log, ends("upload", "")) < uploaded < index(world.log, lambda entry: saves_intent(entry, "a@1.0"))
    )


def test_a_cancel_is_on_record_before_it_is_sent(world):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a"))
    remote = world.attempt("a").remote
    world.log.clear()
    world.apply(job("a", run_id="2"))
    sent = index(world.log, begins("cancel", remote))
    assert world.log[sent - 1].what == "check"
    before = world.log[sent - 2]
    assert [(one.cancel_cause, one.cancel_time) for one in saved_attempts(before)] == [
        (CancelCause.REPLACE, world.attempt("a").cancel_time)
    ]
    assert world.attempt("a").cancel_time is not None
    assert saved_events(before) == ["cancel"]


def test_a_delete_is_on_record_after_it_was_answered(world):
    world.watch(job("a"))
    remote = world.attempt("a").remote
    world.log.clear()
    world.apply(job("a", run_id="2"))
    answered = index(world.log, ends("delete", remote))
    assert not any(one.delete_time for entry in world.log[:answered] for one in saved_attempts(entry))
    (saved,) = saved_attempts(world.log[index(world.log, commits("delete"))])
    assert saved.delete_time is not None
    assert index(world.log, commits("delete")) > answered


def test_the_epoch_is_checked_right_before_a_delete_and_an_upload(make_world):
    # One call after the other: with more, another job's call may come between.
    world = make_world(limits=Limits(concurrency=1))
    world.watch(job("a"))
    remote = world.attempt("a").remote
    world.log.clear()
    world.apply(job("b", world.write_rows("b.jsonl", "k1")))
    assert world.log[index(world.log, begins("delete", remote)) - 1].what == "check"
    world.log.clear()
    world.apply(job("c", world.write_rows("c.jsonl", "k2")))
    assert world.log[index(world.log, begins("upload", "")) - 1].what == "check"


def test_collect_comes_before_delete(world):
    world.apply(job("a"))
    remote = world.attempt("a").remote
    world.time.sleep(10)
    world.log.clear()
    world.apply(job("b"))
    collected = index(world.log, commits("collected"))
    assert index(world.log, begins("get", remote)) < collected < index(world.log, begins("delete", remote))
    assert world.recorded().jobs.keys() == {"b"}
    assert (world.results / "a").is_dir()


def test_a_collect_that_fails_blocks_the_delete(world):
    world.apply(job("a"))
    world.time.sleep(10)
    world.block_results("a")
    report = world.apply(job("b"))
    assert results(report) == {"a": "failed", "b": "done"}
    assert world.here.calls("batches.delete") == 0
    assert world.attempt("a").results is None


def test_many_jobs_records_are_one_commit(world):
    jobs = [job(f"job-{number}") for number in range(20)]
    world.apply(*jobs)
    first = next(entry for entry in world.log if entry.what == "commit")
    assert [write.job.name for write in first.writes if isinstance(write, SaveJob)] == sorted(one.name for one in jobs)
    world.time.sleep(1.5)
    world.log.clear()
    world.apply(*jobs)
    (commit,) = [entry for entry in world.log if entry.what == "commit"]
    assert [one.state for one in saved_attempts(commit)] == ["JOB_STATE_RUNNING"] * 20


def test_a_pass_that_finds_nothing_new_writes_nothing(world):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a"))
    world.log.clear()
    serial = world.recorded().serial
    world.apply(job("a"))
    assert [entry.what for entry in world.log] == ["list", "list"]
    assert world.recorded().serial == serial


def test_what_happened_can_be_read_in_the_events(world):
    world.watch(job("a", world.write_rows("a.jsonl", "k1")))
    assert world.events("a") == ["uploaded", "create", "created", "state", "state", "collected"]
    world.apply(job("b"))
    assert world.events("a")[-2:] == ["delete", "forgotten"]


def test_what_happened_is_told_as_it_happens(world):
    world.watch(job("a"))
    words = world.progress.steps
    remote = world.attempt("a").remote
    assert words == [
        f"a: created {remote} (attempt 1)",
        "a: JOB_STATE_RUNNING (attempt 1)",
        "a: JOB_STATE_SUCCEEDED (attempt 1)",
        f"a: results collected: 2 rows ok, 0 failed; {world.attempt('a').results}",
    ]
