"""One job's failure never stops the others, and no more calls are in flight than the stack allows."""

from __future__ import annotations

import threading
from random import SystemRandom

import httpx
import pytest

from batchctl.emulator.settings import Settings
from batchctl.engine.passes import Asked, run_pass
from batchctl.engine.providers import Providers
from batchctl.engine.tools import TOKEN_LENGTH, Tools, new_token
from batchctl.model.errors import ApiError, BadRequest, BatchctlError, ResultsError
from batchctl.model.keys import EMULATOR_ORIGIN, Account, Api
from batchctl.model.sources import RemoteSource
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from tests.support.chance import SYSTEM_JITTER
from tests.support.engine import HERE, MODEL, job, made, phases, results
from tests.support.patience import PATIENCE

NAMES = ("a", "b", "c", "d", "e")


def break_call(what_fails, target, error):
    """Lets each call of one kind for one target fail."""

    def before(what, on):
        if what == what_fails and on.startswith(target):
            raise error

    return before


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
def test_a_create_that_fails_stops_no_other_job(world, error):
    world.here.wire.before = break_call("create", "c@", error)
    report = world.one_pass(*map(job, NAMES))
    assert results(report) == {name: "failed" if name == "c" else "done" for name in NAMES}
    assert made(world.here) == {f"{name}@1.0": 1 for name in NAMES if name != "c"}


def test_a_quota_that_ends_midway_stops_what_comes_after_it(make_world):
    world = make_world(limits=Limits(concurrency=1))
    world.here.faults({"method": "batches.create", "kind": "status", "status": 429, "probability": 0.5, "seed": 3})
    names = [f"job-{number:02}" for number in range(20)]
    report = world.one_pass(*map(job, names))
    waiting = {name for name, result in results(report).items() if result == "pending"}
    assert waiting == set(names[len(names) - len(waiting) :])
    assert 0 < len(waiting) < 20
    assert made(world.here) == {f"{name}@1.0": 1 for name in names if name not in waiting}
    errors = {name: outcome.error for name, outcome in report.outcomes.items() if outcome.error is not None}
    assert errors.keys() == waiting
    assert {error.exit_code for error in errors.values()} == {7}


def test_a_place_where_results_cannot_be_written_stops_no_other_job(world):
    world.apply(*map(job, "abc"))
    world.block_results("b")
    report = world.watch(*map(job, "abc"))
    assert results(report) == {"a": "done", "b": "failed", "c": "done"}
    assert isinstance(report.outcomes["b"].error, ResultsError)
    assert [world.attempt(name).results is not None for name in "abc"] == [True, False, True]
    assert set(phases(report).values()) == {"Succeeded"}
    world.unblock_results("b")
    assert results(world.watch(*map(job, "abc"))) == {"a": "done", "b": "done", "c": "done"}
    assert world.result_rows("b").keys() == {"k1", "k2"}


def test_a_pointer_that_cannot_be_set_stops_no_other_job_and_is_set_later(world):
    world.watch(job("a"))
    world.watch(job("a", run_id="2"))
    assert str((world.results / "a" / "current").readlink()).endswith("-2")
    (world.results / "a" / "current").unlink()
    (world.results / "a" / "current").mkdir()
    report = world.apply(job("a"), job("b"))
    assert results(report) == {"a": "failed", "b": "done"}
    assert world.events("a")[-1] == "failed"
    (world.results / "a" / "current").rmdir()
    assert results(world.apply(job("a"), job("b")))["a"] == "done"
    assert str((world.results / "a" / "current").readlink()).endswith("-1")


def test_a_pointer_that_cannot_be_set_fails_its_job_in_each_pass_until_it_can(world):
    world.watch(job("a"))
    pointer = world.results / "a" / "current"
    pointer.unlink()
    pointer.mkdir()
    report = world.apply(job("a", labels={"team": "search"}), job("b"))
    assert results(report) == {"a": "failed", "b": "done"}
    assert isinstance(report.outcomes["a"].error, ResultsError)
    assert (world.recorded().jobs["a"].row.labels, world.events("a")[-1]) == ({"team": "search"}, "failed")
    assert results(world.apply(job("a", labels={"team": "search"}), job("b")))["a"] == "failed"
    pointer.rmdir()
    assert results(world.apply(job("a", labels={"team": "search"}), job("b")))["a"] == "done"
    assert world.result_rows("a").keys() == {"k1", "k2"}


def test_results_without_a_pointer_are_collected_again_until_it_can_be_set(world):
    (world.results / "a" / "current").mkdir(parents=True)
    assert results(world.watch(job("a"))) == {"a": "failed"}
    (world.results / "a" / "current").rmdir()
    assert results(world.watch(job("a"))) == {"a": "done"}
    assert world.result_rows("a").keys() == {"k1", "k2"}


def test_a_source_that_the_api_cannot_take_is_an_error_of_that_job_alone(world):
    report = world.one_pass(job("a", RemoteSource(("gs://demo/in.jsonl",))), job("b"))
    assert results(report) == {"a": "failed", "b": "done"}
    assert isinstance(report.outcomes["a"].error, BadRequest)


def test_an_input_file_that_changed_since_it_was_read_creates_nothing(world):
    source = world.write_rows("a.jsonl", "k1", "k2")
    world.write_rows("a.jsonl", "k1", "k3")
    report = world.apply(job("a", source), job("b"))
    assert results(report) == {"a": "failed", "b": "done"}
    error = report.outcomes["a"].error
    assert (error.code, "a.jsonl" in error.message, bool(error.hint)) == ("InputChanged", True, True)
    assert made(world.here) == {"b@1.0": 1}
    assert world.here.calls("files.create") == 0
    assert world.recorded().jobs["a"].attempts == ()
    world.apply(job("a", world.write_rows("a.jsonl", "k1", "k3")), job("b"))
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}


def test_an_input_file_that_went_away_creates_nothing(world):
    source = world.write_rows("a.jsonl", "k1")
    source.path.unlink()
    report = world.apply(job("a", source))
    assert report.outcomes["a"].error.code == "InputChanged"
    assert made(world.here) == {}


def test_nothing_is_bought_while_its_results_cannot_be_written(world):
    world.block_results("b")
    report = world.apply(*map(job, "ab"))
    assert results(report) == {"a": "done", "b": "failed"}
    assert isinstance(report.outcomes["b"].error, ResultsError)
    assert made(world.here) == {"a@1.0": 1}
    world.unblock_results("b")
    assert results(world.apply(*map(job, "ab")))["b"] == "done"
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}


class FullDisk:
    """An encoder whose temporary files have no room."""

    def encode_file(self, job, positions, files):
        raise OSError(28, "No space left on device")

    def release(self):
        pass

    def keys(self, source, kind):
        return None


def test_a_full_temporary_folder_is_an_error_of_that_job_with_the_way_out(world):
    desired = world.desired(job("a", world.write_rows("a.jsonl", "k1")))
    with world.process(inputs=FullDisk()) as tools:
        report = run_pass(lambda recorded: Asked(desired, Options()), tools)
    error = report.outcomes["a"].error
    assert (error.code, "No space left" in error.message, "TMPDIR" in error.hint) == ("CannotPrepareInput", True, True)


@pytest.mark.parametrize("limit", [1, 3])
def test_calls_run_side_by_side_up_to_the_limit_and_never_beyond(make_world, limit):
    world = make_world(limits=Limits(concurrency=limit))
    names = [f"job-{number}" for number in range(9)]
    together = threading.Barrier(limit)

    def before(what, on):
        if what == "create":
            # Breaks, and fails the test, when fewer than `limit` calls are ever in flight together.
            together.wait(timeout=PATIENCE)

    world.here.wire.before = before
    report = world.one_pass(*map(job, names))
    assert set(results(report).values()) == {"done"}
    assert world.here.wire.most_in_flight == limit


def test_state_and_calls_stay_on_their_threads(world):
    """Calls are made by workers; what is written is written by the engine's own thread."""
    engine, callers = threading.get_ident(), set()
    world.here.wire.before = lambda what, on: callers.add(threading.get_ident())
    writers = set()
    real = world.boundaries.cross

    def cross(where):
        if "commit" in where:
            writers.add(threading.get_ident())
        real(where)

    world.boundaries.cross = cross
    world.watch(*map(job, NAMES))
    assert writers == {engine}
    assert engine not in callers


def test_each_account_is_opened_once_and_a_failure_to_open_it_is_not_tried_again(world):
    opened = []

    def factory(account):
        opened.append(account)
        if account != HERE:
            raise BatchctlError("no key", code="NoKey")
        return world.open(account)

    other = Account(Api.GEMINI, EMULATOR_ORIGIN)
    providers = Providers(factory)
    assert providers.get(HERE) is providers.get(HERE)
    for _ in range(2):
        with pytest.raises(BatchctlError, match="no key"):
            providers.get(other)
    assert opened == [HERE, other]
    provider = providers.get(HERE)
    providers.close()
    with pytest.raises(ApiError):
        list(provider.list_jobs())


def test_tokens_are_as_long_as_the_mark_says_and_never_alike():
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {TOKEN_LENGTH}
    assert all(token.isalnum() and token == token.lower() for token in tokens)


def test_jitter_is_drawn_from_zero_to_one(world, monkeypatch):
    monkeypatch.setattr(SystemRandom, "random", SYSTEM_JITTER)
    tools = Tools(world.state(), None, None, None, None, world.clock, world.progress)
    draws = {tools.random() for _ in range(100)}
    assert len(draws) > 90
    assert all(0 <= draw < 1 for draw in draws)


def removing(world):
    """A job that works, about to be removed."""
    world.here.rules({"match": {"displayName": "*/a@*"}, "fate": "stuck"})
    world.apply(job("a"))
    world.time.sleep(1)
    return world.attempt("a").remote


def test_a_cancel_of_what_is_gone_meanwhile_is_no_error(world):
    remote = removing(world)

    def before(what, on):
        if what == "cancel":
            world.here.wire.before = lambda what, on: None
            world.here.api("DELETE", remote)

    world.here.wire.before = before
    assert results(world.one_pass(job("b")))["a"] == "pending"
    assert world.attempt("a").cancel_time is not None
    world.apply(job("b"))
    assert world.recorded().jobs.keys() == {"b"}


def test_a_cancel_of_what_has_ended_meanwhile_is_no_error(make_world):
    world = make_world(settings=Settings(cancel_finished_refused=True))
    world.apply(job("a"))

    def before(what, on):
        if what == "cancel":
            world.time.sleep(10)

    world.here.wire.before = before
    assert results(world.one_pass(job("b")))["a"] == "pending"
    world.apply(job("b"))
    assert world.result_rows("a").keys() == {"k1", "k2"}


@pytest.mark.parametrize(("status", "is_kept"), [(403, False), (429, False), (500, True), (503, True)])
def test_a_cancel_that_failed_is_on_record_only_where_it_may_have_worked(world, status, is_kept):
    removing(world)
    world.here.faults({"method": "batches.cancel", "kind": "status", "status": status})
    report = world.one_pass(job("b"))
    assert report.outcomes["a"].error.http == status
    attempt = world.attempt("a")
    assert (attempt.cancel_time is not None, attempt.cancel_cause is not None) == (is_kept, is_kept)
    world.here.faults()
    world.here.rules()
    report = world.watch(job("b"))
    assert (results(report), world.recorded().jobs.keys()) == ({"a": "done", "b": "done"}, {"b"})


def test_a_cancel_that_has_no_effect_is_sent_again_after_a_while(world):
    removing(world)
    world.here.faults({"method": "batches.cancel", "kind": "cut", "when": "before", "count": 5})
    world.one_pass(job("b"))
    sent = world.here.calls("batches.cancel")
    world.one_pass(job("b"))
    assert world.here.calls("batches.cancel") == sent
    world.time.sleep(60)
    world.one_pass(job("b"))
    assert world.here.calls("batches.cancel") == sent + 1


def test_a_delete_of_what_is_gone_already_is_done(world):
    world.apply(job("a"))
    world.time.sleep(10)
    # The delete works, and its answer is lost; sent again, it finds nothing.
    world.here.faults({"method": "batches.delete", "kind": "cut", "when": "after", "count": 1})
    assert results(world.apply(job("b")))["a"] == "done"
    assert "forgotten" in world.events("a")
    assert world.recorded().jobs.keys() == {"b"}


def test_a_duplicate_whose_cancel_fails_leaves_the_record_of_the_attempt_alone(world):
    removing(world)
    before = world.attempt("a")
    world.here.faults({"method": "batches.cancel", "kind": "status", "status": 403})
    copy = world.here.jobs()[0]["displayName"]
    requests = {"requests": [{"request": {"contents": [{"parts": [{"text": "say k1"}]}]}, "metadata": {"key": "k1"}}]}
    body = {"batch": {"displayName": copy, "inputConfig": {"requests": requests}}}
    world.here.api("POST", f"models/{MODEL}:batchGenerateContent", body)
    assert results(world.one_pass(job("a"))) == {"a": "failed"}
    assert world.attempt("a") == before
