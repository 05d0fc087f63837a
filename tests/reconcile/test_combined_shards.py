"""The record of an attempt by those of its shards: a table of states, and the other fields one by one."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, Operation, Trouble
from batchctl.model.observed import Gone, Missing, Moment, Presence, Present, RemoteJob, Unknown
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.shards import combine_attempts, combine_views, has_lost_results
from tests.support.decisions import HERE, HOUR, LOCAL, NOW, shard
from tests.support.values import replace

TROUBLE = Trouble(Operation.COLLECT, "PermissionDenied", "no", "", NOW, NOW)


@pytest.mark.parametrize(
    ("states", "combined"),
    [
        (("RUNNING", "PENDING"), "RUNNING"),
        (("PENDING", "RUNNING"), "RUNNING"),
        (("CANCELLING", "PENDING"), "CANCELLING"),
        (("PENDING", "QUEUED"), "PENDING"),
        (("QUEUED", None), "QUEUED"),
        ((None, "PENDING"), "PENDING"),
        (("SUCCEEDED", "PENDING"), "RUNNING"),
        (("SUCCEEDED", None), "RUNNING"),
        (("RUNNING", "BREWING"), "BREWING"),
        (("BREWING", "SUCCEEDED"), "BREWING"),
        (("SUCCEEDED", "SUCCEEDED"), "SUCCEEDED"),
        (("SUCCEEDED", "FAILED"), "PARTIALLY_SUCCEEDED"),
        (("PARTIALLY_SUCCEEDED", "SUCCEEDED"), "PARTIALLY_SUCCEEDED"),
        (("FAILED", "EXPIRED"), "FAILED"),
    ],
)
def test_the_state_of_an_attempt(states: tuple[str | None, str | None], combined: str) -> None:
    found = combine_attempts([shard(number, state, of=2) for number, state in enumerate(states)])
    assert found.state == f"JOB_STATE_{combined}"
    is_over = found.has_ended and None not in states and "BREWING" not in states
    assert (found.end_time is not None) is is_over


def test_an_attempt_is_gone_when_all_its_shards_are() -> None:
    first, second = shard(0, "SUCCEEDED", of=2), shard(1, "SUCCEEDED", of=2)
    for field in ("gone_time", "delete_time"):
        one = combine_attempts([replace(first, **{field: NOW}), second])
        assert (one.gone_time, one.delete_time) == (None, None)
        both = combine_attempts([replace(first, **{field: NOW - HOUR}), replace(second, **{field: NOW})])
        assert getattr(both, field) == NOW


def test_what_one_shard_lacks_or_meets_the_attempt_does() -> None:
    first, second = shard(0, of=2), shard(1, of=2)
    missed = Moment(LOCAL, NOW)
    found = combine_attempts([first, replace(second, missed=missed, trouble=TROUBLE, input_bytes=7, tokens=1)])
    assert (found.missed, found.trouble, found.input_bytes, found.tokens) == (missed, TROUBLE, None, None)
    counted = [replace(one, input_bytes=7, tokens=1) for one in (first, second)]
    found = combine_attempts(counted)
    assert (found.missed, found.trouble, found.input_bytes, found.tokens) == (None, None, 14, 2)


def test_an_attempt_begins_with_its_first_shard() -> None:
    first, second = shard(0, of=2, create_time=NOW, start_time=None), shard(1, of=2, create_time=NOW - HOUR)
    found = combine_attempts([first, second])
    assert (found.create_time, found.start_time) == (NOW - HOUR, second.start_time)
    assert combine_attempts([shard(0, None, of=2), shard(1, None, of=2)]).create_time is None


@pytest.mark.parametrize(
    ("kinds", "combined"),
    [
        ((Gone, Gone), Gone),
        ((Gone, Present), Present),
        ((Present, Unknown), Unknown),
        ((Present, Missing), Missing),
        ((Missing, Unknown), Missing),
        ((None, None), Gone),
        ((None, Present), Present),
    ],
)
def test_the_presence_of_an_attempt(kinds: tuple[type | None, type | None], combined: type) -> None:
    """Without a remote job, a shard is neither there nor gone."""
    views = []
    for number, kind in enumerate(kinds):
        one = shard(number, None if kind is None else "RUNNING", of=2)
        shown: dict[type | None, Presence] = {
            Present: Present(RemoteJob("batches/x", HERE, "", None, "JOB_STATE_RUNNING")),
            Missing: Missing("404", Moment(LOCAL, NOW), LOCAL),
            Unknown: Unknown("503"),
        }
        views.append(AttemptView(one, shown.get(kind, Gone())))
    assert type(combine_views(views).presence) is combined


@pytest.mark.parametrize(
    ("causes", "combined", "state"),
    [
        ((None, None), None, "PARTIALLY_SUCCEEDED"),
        ((CancelCause.DEADLINE, None), CancelCause.DEADLINE, "PARTIALLY_SUCCEEDED"),
        ((CancelCause.DEADLINE, CancelCause.USER), CancelCause.USER, "CANCELLED"),
        ((CancelCause.REMOVE, CancelCause.DEADLINE), CancelCause.REMOVE, "CANCELLED"),
    ],
)
def test_a_stop_of_the_job_counts_before_a_deadline(
    causes: tuple[CancelCause | None, CancelCause | None], combined: CancelCause | None, state: str
) -> None:
    cancelled = [shard(number, "CANCELLED", cancel_cause=cause) for number, cause in enumerate(causes)]
    found = combine_attempts([*cancelled, shard(2, "SUCCEEDED", results="a/1.2")])
    assert (found.cancel_cause, found.state) == (combined, f"JOB_STATE_{state}")


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({}, False),
        ({"results_lost": True}, True),
        ({"gone_time": NOW}, True),
        ({"delete_time": NOW}, True),
        ({"results": "a/1.0", "gone_time": NOW}, False),
        ({"results": "a/1.0", "results_lost": True}, False),
    ],
)
def test_results_that_cannot_be_had_any_more(fields: dict[str, object], lost: bool) -> None:
    assert has_lost_results(shard(0, "SUCCEEDED", **fields)) is lost
