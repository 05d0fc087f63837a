"""What is worth telling: an attempt's end, once; and that nothing comes of one."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, Operation, RecordedAttempt, Trouble
from batchctl.model.forecast import JobForecast, Stuck
from batchctl.model.notices import CommandHook, NoticeType, Webhook
from batchctl.model.observed import RowCounts, Status
from batchctl.model.plan import Plan
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowsSent
from batchctl.model.states import Phase
from batchctl.reconcile import end_notices, possible_again, stuck_notices
from batchctl.reconcile.notify.notices import _STOPPED, _TYPES
from tests.support.decisions import HERE, HOUR, LOCAL, NOW, STACK, THERE, attempt, collected, job, look, row, unanswered
from tests.support.job_plans import job_plan
from tests.support.values import replace

OPS = Webhook("ops", "https://example.com/hook", "SECRET")
STUCK_ONLY = CommandHook("stuck", ("tell",), frozenset({NoticeType.STUCK}), stuck_after=2 * HOUR)
TOLD = replace(STACK, notify=(OPS,))
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "event.schema.json").read_text())
ROW = row(job()).row


def news(before, after, stack=TOLD, of=ROW):
    """What a change tells, in short."""
    return [
        (str(one.type), event["phase"], event["reason"])
        for one in end_notices(before, after, of, stack, LOCAL)
        for event in [json.loads(one.body)]
    ]


RUNNING = attempt()
GOOD = attempt(state="SUCCEEDED", rows=RowCounts(10, 10, 0))
WON = collected()
WORDS = Status(13, "the model\nis gone")
FAILED = attempt(state="FAILED", error=WORDS)
CANCELLED = attempt(state="CANCELLED")
MISSING = replace(RUNNING, gone_time=NOW)
LOST = "it succeeded, and its results were gone before they were collected"


def cancelled(cause, state="CANCELLED"):
    return attempt(state=state, cancel_time=NOW, cancel_cause=cause)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # nothing has ended
        (None, RUNNING, None),
        (RUNNING, RUNNING, None),
        (None, unanswered(), None),
        (RUNNING, attempt(state="BREWING"), None),
        (RUNNING, attempt(state="CANCELLING", cancel_cause=CancelCause.USER), None),
        # a success counts when its results are here
        (RUNNING, GOOD, None),
        (GOOD, WON, ("job.succeeded", "Succeeded", None)),
        (GOOD, replace(WON, rows=RowCounts(10, 7, 3)), ("job.succeeded", "Succeeded", "3 of 10 rows failed")),
        (GOOD, replace(WON, rows=RowCounts(10, 0, 10)), ("job.failed", "Failed", "all 10 rows failed")),
        (GOOD, replace(WON, rows=RowCounts(10, 9, 0)), ("job.succeeded", "Succeeded", "1 of 10 rows has no result")),
        (
            GOOD,
            collected(state="PARTIALLY_SUCCEEDED", rows=RowCounts(10, 7, 3)),
            ("job.partially_succeeded", "PartiallySucceeded", "3 of 10 rows failed"),
        ),
        (GOOD, replace(GOOD, results_lost=True), ("job.results_lost", "ResultsLost", LOST)),
        (GOOD, replace(GOOD, gone_time=NOW), ("job.results_lost", "ResultsLost", LOST)),
        (GOOD, replace(GOOD, delete_time=NOW), ("job.succeeded", "Succeeded", None)),
        # failures are told at once
        (RUNNING, FAILED, ("job.failed", "Failed", "the model is gone")),
        (RUNNING, attempt(state="FAILED"), ("job.failed", "Failed", None)),
        (RUNNING, attempt(state="EXPIRED"), ("job.expired", "Expired", None)),
        (RUNNING, attempt(state="EXPIRED", error=WORDS), ("job.expired", "Expired", "the model is gone")),
        (RUNNING, MISSING, ("job.failed", "Failed", "it went missing before it ended")),
        (
            unanswered(),
            attempt(state=None, remote=None, rejected=True, error=WORDS),
            ("job.rejected", "Rejected", "the model is gone"),
        ),
        (RUNNING, cancelled(CancelCause.DEADLINE), ("job.failed", "Failed", "cancelled at its deadline")),
        # what a person stopped is no failure, whatever the API calls it
        (RUNNING, CANCELLED, ("job.cancelled", "Cancelled", "cancelled by somebody else")),
        (RUNNING, cancelled(CancelCause.DUPLICATE), ("job.cancelled", "Cancelled", "cancelled")),
        (RUNNING, cancelled(CancelCause.USER), ("job.cancelled", "Cancelled", "cancelled by `batchctl cancel`")),
        (RUNNING, cancelled(CancelCause.REMOVE, "FAILED"), ("job.cancelled", "Cancelled", "cancelled to be removed")),
        (RUNNING, cancelled(CancelCause.REPLACE), ("job.cancelled", "Cancelled", "cancelled to be replaced")),
        (
            RUNNING,
            replace(MISSING, cancel_cause=CancelCause.REPLACE),
            ("job.cancelled", "Cancelled", "cancelled to be replaced"),
        ),
        (RUNNING, replace(WON, cancel_cause=CancelCause.USER), ("job.succeeded", "Succeeded", None)),
        # once
        (WON, replace(WON, delete_time=NOW), None),
        (WON, replace(WON, gone_time=NOW), None),
        (FAILED, replace(FAILED, results="a/1", rows=RowCounts(10, 3, 7)), None),
        (FAILED, FAILED, None),
        # taken in when it was over already
        (None, WON, ("job.succeeded", "Succeeded", None)),
        (None, FAILED, ("job.failed", "Failed", "the model is gone")),
    ],
)
def test_the_end_of_an_attempt_is_told_once(before, after, expected) -> None:
    assert news(before, after) == ([expected] if expected else [])


def test_every_type_but_two_is_the_end_in_one_phase() -> None:
    assert {*_TYPES.values(), NoticeType.STUCK, NoticeType.RESULTS_EXPIRING} == set(NoticeType)
    assert len(set(_TYPES.values())) == len(_TYPES)
    assert CancelCause.DEADLINE not in _STOPPED


def test_each_hook_gets_what_it_wants_under_one_id() -> None:
    failures = CommandHook("log", ("log",), frozenset({NoticeType.FAILED}))
    stack = replace(STACK, notify=(OPS, failures, STUCK_ONLY))
    told = end_notices(RUNNING, FAILED, ROW, stack, LOCAL)
    assert [one.hook for one in told] == ["ops", "log"]
    assert len({(one.id, one.body) for one in told}) == 1
    assert [one.hook for one in end_notices(GOOD, WON, ROW, stack, LOCAL)] == ["ops"]
    assert end_notices(GOOD, WON, ROW, STACK, LOCAL) == ()


def body(after=FAILED, of=ROW, stack=TOLD):
    (told,) = end_notices(None, after, of, stack, LOCAL)
    return json.loads(told.body)


def test_the_event_says_all_that_is_in_its_schema() -> None:
    event = body(replace(FAILED, rows=RowCounts(10, 3, None)))
    assert event == {
        "format": "batchctl/event/v1",
        "id": event["id"],
        "type": "job.failed",
        "time": "2026-11-22T11:55:00Z",
        "stack": "shop",
        "job": "a",
        "attempt": 1,
        "phase": "Failed",
        "state": "JOB_STATE_FAILED",
        "remote": "batches/a-1",
        "provider": "main",
        "model": "gemini-2.5-flash",
        "rows": {"total": 10, "ok": 3, "failed": None, "verdicts": None},
        "reason": "the model is gone",
        "reasonCode": None,
    }
    assert list(SCHEMA["properties"]) == list(event) == SCHEMA["required"]
    assert SCHEMA["properties"]["type"]["enum"] == [*NoticeType]
    assert SCHEMA["properties"]["phase"]["enum"] == [*Phase]
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.Draft7Validator(SCHEMA).validate(event)
    jsonschema.Draft7Validator(SCHEMA).validate(body(attempt(state=None, remote=None, rejected=True), of=None))


def test_words_from_outside_are_one_bounded_line() -> None:
    nasty = "\x1b]8;;https://evil\x07<b>\u202e\ud800" + "x" * 5000
    event = body(replace(FAILED, error=Status(3, nasty), state="JOB_STATE_FAILED", remote="batches/a\n1"))
    assert event["reason"].startswith("]8;;https://evil <b> xxx")
    assert len(event["reason"]) == 256
    assert event["reason"].endswith("…")
    assert event["remote"] == "batches/a 1"
    assert all(char.isprintable() for char in event["reason"])


def test_an_id_follows_from_stack_attempt_and_type_alone() -> None:
    def identity(after=FAILED, stack=TOLD, of=ROW, now=LOCAL):
        (told,) = end_notices(None, after, of, stack, now)
        return told.id

    one = identity()
    assert one.startswith("evt_")
    assert one == identity(now=LOCAL + HOUR, of=None) == identity(replace(FAILED, error=None, rows=RowCounts(3, 1, 2)))
    # A renamed job's attempt is the same attempt.
    assert one == identity(replace(FAILED, key=replace(FAILED.key, job="b")))
    others = [
        identity(replace(FAILED, key=replace(FAILED.key, attempt=2))),
        identity(replace(FAILED, key=replace(FAILED.key, shard=1))),
        identity(replace(FAILED, state="JOB_STATE_EXPIRED")),
        # A job that was removed, and came back by the same name.
        identity(replace(FAILED, token="token99999")),
        # Made by hand: it has no token.
        identity(replace(FAILED, token="")),
        identity(replace(FAILED, token="", remote="batches/other")),
        identity(stack=replace(TOLD, uid="other1")),
    ]
    assert len({one, *others}) == len(others) + 1


def stuck(record, hook=OPS, phase=Phase.ACTIVE, problems=(), of=None):
    """What a pass tells of a job that it leaves with this record, two hours after it was created."""
    jobs = {"a": (row(job(), record) if of is None else of).row}
    planned = Plan(
        "shop", (job_plan("a", Action.WAIT, phase, Reason.ACTIVE, "-"),), problems=dict.fromkeys(problems, "500")
    )
    observed = {HERE: look()}
    told = stuck_notices(jobs, {record.key: record}, planned, observed, replace(STACK, notify=(hook,)), LOCAL)
    return [json.loads(one.body)["reason"] for one in told]


def hook(after):
    return replace(OPS, stuck_after=after)


@pytest.mark.parametrize(
    ("record", "after", "expected"),
    [
        # Waiting counts from the creation, two hours ago by the provider's clock; running from the start, an hour ago.
        (attempt(state="PENDING"), 2 * HOUR, "pending for 2h0m"),
        (attempt(state="PENDING"), 2 * HOUR + timedelta(seconds=1), None),
        (attempt(state="QUEUED"), timedelta(minutes=90), "queued for 2h0m"),
        (attempt(state="RUNNING"), HOUR, "running for 1h0m"),
        (attempt(state="RUNNING"), HOUR + timedelta(seconds=1), None),
        (attempt(state="RUNNING", start_time=None), 2 * HOUR, "running for 2h0m"),
        (attempt(state="CANCELLING"), 2 * HOUR, "cancelling for 2h0m"),
        (attempt(state="PAUSED"), 2 * HOUR, "paused for 2h0m"),
        (attempt(state="PENDING", create_time=None), HOUR, None),
        # Succeeded half an hour ago, and nobody could collect it.
        (GOOD, timedelta(minutes=30), "succeeded, and its results not collected, for 0h30m"),
        (GOOD, timedelta(minutes=31), None),
        (replace(GOOD, end_time=None), timedelta(minutes=1), None),
        # A deadline is a deadline, whatever the hook's patience.
        (attempt(cancel_cause=CancelCause.DEADLINE), 24 * HOUR, "past its deadline, and cancelled for it"),
        (attempt(cancel_cause=CancelCause.USER), 24 * HOUR, None),
        # Over: its end is told instead.
        (FAILED, timedelta(seconds=1), None),
        (WON, timedelta(seconds=1), None),
        (replace(GOOD, results_lost=True), timedelta(seconds=1), None),
        # Not there yet.
        (unanswered(), timedelta(seconds=1), None),
    ],
)
def test_an_attempt_from_which_nothing_comes_is_stuck(record, after, expected) -> None:
    assert stuck(record, hook(after)) == ([expected] if expected else [])


def test_who_does_not_want_to_know_is_not_told() -> None:
    assert stuck(attempt(state="PENDING"), STUCK_ONLY) == ["pending for 2h0m"]
    assert stuck(attempt(state="PENDING"), replace(STUCK_ONLY, types=frozenset({NoticeType.FAILED}))) == []


def test_what_was_not_seen_in_this_pass_is_not_called_stuck() -> None:
    old = attempt(state="PENDING")
    assert stuck(old, hook(HOUR), problems=[HERE]) == []
    assert stuck(old, hook(HOUR), problems=[THERE]) == ["pending for 2h0m"]
    assert stuck(old, hook(HOUR), phase=Phase.UNKNOWN) == []
    # Seen, in a state whose meaning is not known.
    assert stuck(attempt(state="BREWING"), hook(HOUR), phase=Phase.UNKNOWN) == ["brewing for 2h0m"]


def test_only_the_attempt_that_counts_is_stuck() -> None:
    old, new = attempt(1, "PENDING"), attempt(2, "PENDING", create_time=NOW)
    assert stuck(old, hook(HOUR), of=row(job(), old, new)) == []
    planned = Plan("shop", (job_plan("a", Action.CREATE, Phase.WAITING, Reason.ACTIVE, "-"),))
    assert stuck_notices({}, {}, planned, {}, TOLD, LOCAL) == ()


def test_stuck_is_found_again_until_the_end() -> None:
    told = [
        one.id
        for record in (attempt(state="PENDING"), attempt(state="RUNNING"))
        for one in stuck_notices(
            {"a": row(job(), record).row},
            {record.key: record},
            Plan("shop", (job_plan("a", Action.WAIT, Phase.ACTIVE, Reason.ACTIVE, "-"),)),
            {HERE: look()},
            replace(STACK, notify=(hook(HOUR),)),
            LOCAL,
        )
    ]
    assert len(set(told)) == 1
    assert possible_again([attempt(state="RUNNING")], STACK) > set(told)
    assert possible_again([FAILED], STACK) == frozenset()


def test_a_job_is_stuck_by_the_history_of_the_stack_before_the_patience_of_a_hook_ends() -> None:
    record = attempt(state="PENDING")
    jobs = {"a": row(job(), record).row}
    planned = job_plan("a", Action.WAIT, Phase.ACTIVE, Reason.ACTIVE, "-")
    reasons = [
        [
            json.loads(one.body)["reason"]
            for one in stuck_notices(
                jobs,
                {record.key: record},
                Plan("shop", (replace(planned, forecast=JobForecast(stuck=found)),)),
                {HERE: look()},
                replace(STACK, notify=(hook(patience),)),
                LOCAL,
            )
        ]
        for found, patience in (
            (Stuck("PENDING", 7200, 540), 3 * HOUR),
            (Stuck("PENDING", 7200, 540), HOUR),
            (None, 3 * HOUR),
        )
    ]
    assert reasons == [["pending for 2h; nine of ten were for at most 9m"], ["pending for 2h0m"], []]


EXPIRING_ONLY = CommandHook("soon", ("tell",), frozenset({NoticeType.RESULTS_EXPIRING}))
REFUSED_RESULTS = Trouble(Operation.COLLECT, "ResultsNotReady", "HTTP 403: no", "", NOW, NOW)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (replace(GOOD, end_time=NOW - 36 * HOUR), "its results are not collected, and may be gone after {}"),
        (
            replace(GOOD, end_time=NOW - 36 * HOUR, trouble=REFUSED_RESULTS),
            "its results are not collected, and may be gone after {}: HTTP 403: no",
        ),
        (replace(GOOD, end_time=NOW - 36 * HOUR + timedelta(seconds=1)), None),
        (replace(GOOD, end_time=None), None),
        (replace(WON, end_time=NOW - 40 * HOUR), None),
        (attempt(state="RUNNING"), None),
    ],
)
def test_results_that_may_soon_be_gone_are_told_twelve_hours_before(record, expected) -> None:
    by = f"{NOW + 12 * HOUR:%Y-%m-%dT%H:%M:%SZ}"
    assert stuck(record, EXPIRING_ONLY) == ([expected.format(by)] if expected else [])


def test_it_is_told_once() -> None:
    late = [replace(GOOD, end_time=NOW - 36 * HOUR - timedelta(hours=more)) for more in (0, 5)]
    told = {
        one.id
        for record in late
        for one in stuck_notices(
            {"a": row(job(), record).row},
            {record.key: record},
            Plan("shop", (job_plan("a", Action.COLLECT, Phase.SUCCEEDED, Reason.NOT_COLLECTED, "-"),)),
            {HERE: look()},
            replace(STACK, notify=(EXPIRING_ONLY,)),
            LOCAL,
        )
    }
    assert len(told) == 1
    assert told < possible_again(late, STACK)


def test_results_that_were_refused_are_lost_with_the_apis_words() -> None:
    (told,) = end_notices(GOOD, replace(GOOD, results_lost=True, trouble=REFUSED_RESULTS), ROW, TOLD, LOCAL)
    assert json.loads(told.body)["reason"] == "it succeeded, and its results could not be read: HTTP 403: no"


def test_the_event_of_the_documentation_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    jsonschema.Draft7Validator({**SCHEMA, "additionalProperties": False}).validate(json.loads(example))
    assert re.findall(r"^\| `(job\.[a-z_]+)` \|", page, re.MULTILINE) == [*NoticeType]


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (WON, "Succeeded"),
        (replace(WON, rows=RowCounts(10, 7, 3)), "RowsFailed"),
        (replace(WON, rows=RowCounts(10, 0, 10)), "RowsFailed"),
        (replace(GOOD, results_lost=True), "ResultsLost"),
        (FAILED, None),
        (MISSING, "Missing"),
        (attempt(state=None, remote=None, rejected=True, error=WORDS), "Rejected"),
        (cancelled(CancelCause.DEADLINE), "ActiveDeadline"),
        (replace(cancelled(CancelCause.DEADLINE), start_time=None), "PendingDeadline"),
        (CANCELLED, None),
        (cancelled(CancelCause.USER), "CancelOrdered"),
        (cancelled(CancelCause.REMOVE), "Removed"),
        (cancelled(CancelCause.REPLACE), "WorkChanged"),
        (cancelled(CancelCause.DUPLICATE), "Duplicate"),
    ],
)
def test_the_code_of_an_end(after: RecordedAttempt, code: str | None) -> None:
    after = replace(after, start_time=NOW) if code == "ActiveDeadline" else after
    (told,) = end_notices(None, after, ROW, TOLD, LOCAL)
    assert json.loads(told.body)["reasonCode"] == code


def test_the_code_of_an_order_to_cancel() -> None:
    (told,) = end_notices(None, CANCELLED, replace(ROW, cancel_requested=LOCAL), TOLD, LOCAL)
    assert json.loads(told.body)["reasonCode"] == "CancelOrdered"


PASSED = collected(sent=RowsSent(5, 10, "", is_canary=True, verdicts={"OK": 5}), rows=RowCounts(10, 5, 0))


@pytest.mark.parametrize(
    ("code", "record", "hook", "found"),
    [
        (Reason.CANARY_FAILED, PASSED, OPS, [("job.failed", "CanaryFailed")]),
        (Reason.CANARY_FAILED, PASSED, STUCK_ONLY, []),
        (Reason.CANARY_PASSED, PASSED, OPS, []),
        (Reason.CANARY_FAILED, collected(), OPS, []),
    ],
    ids=["failed", "not wanted by the hook", "passed", "another attempt counts by now"],
)
def test_the_plan_decides_whether_a_canary_is_a_failure(code, record, hook, found) -> None:
    assert news(GOOD, PASSED) == []
    planned = Plan("shop", (job_plan("a", Action.NONE, Phase.FAILED, code, "the canary failed"),))
    stack = replace(STACK, notify=(hook,))
    made = stuck_notices({"a": row(job(), record).row}, {record.key: record}, planned, {HERE: look()}, stack, LOCAL)
    assert [(one.type.value, json.loads(one.body)["reasonCode"]) for one in made] == found
    # It is found in each pass, and must be sent once.
    assert {one.id for one in made} <= possible_again([record], STACK)


def test_a_canary_that_expired_is_an_end() -> None:
    assert news(RUNNING, replace(PASSED, state="JOB_STATE_EXPIRED")) != []
