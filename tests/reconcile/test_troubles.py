"""What follows from a call that went wrong: a refusal that may pass, one that is final, results that are refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.admission import Quota, QuotaKey
from batchctl.model.attempts import Intent, Operation, RecordedAttempt, Trouble
from batchctl.model.errors import Effect
from batchctl.reconcile import Failure, after_failure, overcome, refresh, waits_for_all
from batchctl.reconcile.calls.backoff import delay
from batchctl.reconcile.calls.troubles import LEAST_TRIES, PASSES_WITHIN, is_passing
from tests.support.decisions import (
    HERE,
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    Situation,
    attempt,
    decide,
    job,
    look,
    one,
    row,
    seen,
    show,
    unanswered,
)
from tests.support.values import replace

CREATE, UPLOAD, COLLECT = Operation.CREATE, Operation.UPLOAD, Operation.COLLECT
REFUSED, NONE, AMBIGUOUS = Effect.REFUSED, Effect.NONE, Effect.AMBIGUOUS
SENT = attempt(1, None, remote=None, intent=Intent(LOCAL))
ENDED = attempt(1, "SUCCEEDED")


def failure(
    operation: Operation = CREATE, code: str = "PermissionDenied", effect: Effect = REFUSED, **fields
) -> Failure:
    return Failure(operation, code, "HTTP 403: no", "ask for the role", effect, 403, **fields)


def troubled(code: str = "PermissionDenied", operation: Operation = CREATE, **fields) -> Trouble:
    given = {"first_time": NOW, "last_time": NOW, **fields}
    return Trouble(operation, code, "HTTP 403: no", "ask for the role", **given)


@pytest.mark.parametrize(
    ("code", "own", "passes"),
    [
        ("PermissionDenied", False, True),
        ("ServiceDisabled", False, True),
        ("NotProvisioned", False, True),
        ("InputNotReady", False, True),
        ("UserProjectMissing", False, True),
        ("NoCredit", False, True),
        ("NotFound", True, True),
        ("NotFound", False, False),
        ("BadRequest", True, False),
        ("InvalidModel", True, False),
        ("DataLocation", False, False),
        ("UnsupportedLocation", False, False),
    ],
)
def test_what_may_pass_says_nothing_about_the_manifest(code: str, own: bool, passes: bool) -> None:
    made = failure(code=code, is_own_input=own)
    assert is_passing(made) is passes
    after = after_failure(SENT, made, NOW)
    assert (after.rejected, after.intent) == (not passes, None)
    assert after.trouble is not None
    assert (after.trouble.until is not None) is passes
    assert (after.error.code, after.error.message) == (403, "HTTP 403: no")


def course(*times: timedelta, operation: Operation = CREATE, code: str = "PermissionDenied") -> list[RecordedAttempt]:
    """The record after each of several refusals, so long after the first."""
    made, record = [], SENT
    for time in times:
        record = after_failure(record, failure(operation, code), NOW + time)
        made.append(record)
    return made


def test_the_first_refusal_is_tried_again_at_once_and_the_others_after_a_pause() -> None:
    first, second, third = [one.trouble for one in course(0 * SECOND, 5 * SECOND, 30 * SECOND)]
    assert (first.next_time, first.until, first.tries) == (None, NOW + PASSES_WITHIN, 1)
    assert second.next_time == NOW + 5 * SECOND + delay(1, SENT.token)
    assert third.next_time == NOW + 30 * SECOND + delay(2, SENT.token)
    assert (third.first_time, third.last_time, third.tries) == (NOW, NOW + 30 * SECOND, 3)
    assert first.words == "HTTP 403: no (since 2026-11-22T12:00:00Z, given up after 2026-11-22T13:00:00Z)"
    assert "tried 3 times, again at 2026-11-22T12:00:" in third.words


def test_a_try_falls_on_the_end_of_the_hour() -> None:
    *_, last = course(0 * SECOND, MINUTE, 59 * MINUTE + 55 * SECOND)
    assert last.trouble.next_time == NOW + HOUR


def test_a_try_at_the_end_of_the_hour_is_followed_by_a_pause() -> None:
    *_, last = course(0 * SECOND, HOUR)
    assert last.trouble.next_time == NOW + HOUR + delay(1, SENT.token)


@pytest.mark.parametrize(
    ("times", "rejected"),
    [
        ([0 * SECOND, MINUTE, 59 * MINUTE], False),
        ([0 * SECOND, MINUTE, HOUR], True),
        ([0 * SECOND, 24 * HOUR], False),
        ([0 * SECOND, 24 * HOUR, 48 * HOUR], True),
    ],
)
def test_it_is_final_after_an_hour_and_three_tries(times: list[timedelta], rejected: bool) -> None:
    assert LEAST_TRIES == 3
    *_, last = course(*times)
    assert (last.rejected, last.trouble.until) == (rejected, None if rejected else NOW + HOUR)


@pytest.mark.parametrize(
    ("made", "rejected", "sent"),
    [
        (failure(code="UploadRefused", operation=UPLOAD), False, False),
        (failure(code="UploadFailed", operation=UPLOAD), True, False),
        (failure(code="StorageQuota", operation=UPLOAD, effect=NONE), False, False),
        (failure(code="ReplyLost", operation=UPLOAD, effect=AMBIGUOUS), False, False),
        (failure(code="InputNotReady", operation=UPLOAD), False, False),
        (failure(code="QuotaExceeded", effect=NONE), False, False),
        (failure(code="ReplyLost", effect=AMBIGUOUS), False, True),
        (failure(code="BadRequest"), True, False),
    ],
)
def test_what_a_failed_call_may_have_done_stays_in_the_record(made: Failure, rejected: bool, sent: bool) -> None:
    before = SENT if made.operation is CREATE else replace(SENT, intent=None)
    after = after_failure(before, made, NOW)
    assert (after.rejected, after.intent is not None) == (rejected, sent)
    assert (after.trouble.code, after.trouble.operation) == (made.code, made.operation)


def test_an_upload_and_its_create_call_are_one_way() -> None:
    first = after_failure(replace(SENT, intent=None), failure(UPLOAD), NOW)
    second = after_failure(first, failure(CREATE), NOW + MINUTE)
    assert (second.trouble.tries, second.trouble.first_time, second.trouble.operation) == (2, NOW, CREATE)
    other = after_failure(second, failure(Operation.CANCEL), NOW + HOUR)
    assert (other.trouble.tries, other.trouble.first_time) == (1, NOW + HOUR)


def test_long_words_are_cut() -> None:
    made = after_failure(SENT, replace(failure(), message="w" * 500, hint="h" * 900), NOW)
    assert (len(made.trouble.message), len(made.trouble.hint)) == (256, 512)


@pytest.mark.parametrize("operation", [Operation.CANCEL, Operation.DELETE])
def test_a_failed_cancel_or_delete_changes_nothing_else(operation: Operation) -> None:
    after = after_failure(ENDED, failure(operation), NOW)
    assert replace(after, trouble=None) == ENDED


# Results that are refused, or are not there.


def collecting(*times: timedelta, code: str = "ResultsNotReady", effect: Effect = REFUSED) -> RecordedAttempt:
    record = ENDED
    for time in times:
        record = after_failure(record, failure(COLLECT, code, effect), NOW + time)
    return record


@pytest.mark.parametrize(
    ("record", "lost", "bounded"),
    [
        (collecting(0 * SECOND), False, True),
        (collecting(0 * SECOND, MINUTE, HOUR), True, True),
        (collecting(0 * SECOND, MINUTE, HOUR, code="PermissionDenied"), True, True),
        (collecting(0 * SECOND, 24 * HOUR), False, True),
        (collecting(0 * SECOND, code="ResultsGone"), True, False),
        (collecting(0 * SECOND, MINUTE, HOUR, code="ResultsDiskFull", effect=AMBIGUOUS), False, False),
        (collecting(0 * SECOND, MINUTE, HOUR, code="ServerFailed", effect=AMBIGUOUS), False, False),
    ],
)
def test_results_that_are_refused_are_waited_for_briefly(record: RecordedAttempt, lost: bool, bounded: bool) -> None:
    assert (record.results_lost, record.trouble.until is not None) == (lost, bounded)
    assert record.trouble.next_time is None, "each pass looks"


@pytest.mark.parametrize(
    ("record", "time", "waits"),
    [
        (ENDED, 24 * HOUR, True),
        (collecting(0 * SECOND), MINUTE, True),
        (collecting(0 * SECOND, MINUTE), HOUR - SECOND, True),
        (collecting(0 * SECOND, MINUTE), HOUR, False),
        (collecting(0 * SECOND), 24 * HOUR, True),
        (collecting(0 * SECOND, 24 * HOUR), 25 * HOUR, False),
        (collecting(0 * SECOND, MINUTE, code="ServerFailed", effect=AMBIGUOUS), HOUR, True),
        (replace(ENDED, trouble=troubled("ResultsNotReady", Operation.CANCEL, tries=9)), 24 * HOUR, True),
    ],
)
def test_rows_that_the_api_counts_are_waited_for_an_hour(record: RecordedAttempt, time: timedelta, waits: bool) -> None:
    assert waits_for_all(record, NOW + time) == waits


def test_waiting_results_say_what_they_wait_for() -> None:
    made = one(collecting(0 * SECOND)).decide()
    assert show(made) == "collect Succeeded | collect a@1.0"
    assert made.jobs[0].reason == (
        "succeeded; results not collected yet: HTTP 403: no (since 2026-11-22T12:00:00Z, given up after"
        " 2026-11-22T13:00:00Z)"
    )


def given_up(code: str = "ResultsNotReady", ago: timedelta = 10 * MINUTE, **fields) -> RecordedAttempt:
    trouble = troubled(code, COLLECT, first_time=NOW - 3 * HOUR, last_time=NOW - ago, tries=9)
    return attempt(1, fields.pop("state", "SUCCEEDED"), results_lost=True, trouble=trouble, **fields)


def test_results_that_were_given_up_say_why() -> None:
    made = one(given_up()).decide()
    assert show(made) == "none ResultsLost"
    assert made.jobs[0].reason.startswith("it succeeded, but its results could not be read: HTTP 403: no (since ")
    assert (
        one(attempt(1, "SUCCEEDED", results_lost=True)).decide().jobs[0].reason
        == "it succeeded, but the API no longer has its results"
    )


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (given_up(ago=10 * MINUTE), "none ResultsLost"),
        (given_up(ago=HOUR), "collect ResultsLost | collect a@1.0"),
        (given_up(ago=HOUR, state="FAILED"), "collect Failed | collect a@1.0"),
        (given_up("ResultsGone", ago=HOUR), "none ResultsLost"),
        (replace(given_up(), trouble=None), "none ResultsLost"),
        (replace(given_up(), trouble=troubled(operation=Operation.CANCEL, last_time=NOW - HOUR)), "none ResultsLost"),
    ],
)
def test_results_that_were_given_up_are_looked_for_once_an_hour(record: RecordedAttempt, expected: str) -> None:
    assert show(one(record).decide()) == expected


def test_a_failure_whose_export_was_refused_is_retried_once_the_results_are_given_up() -> None:
    assert (
        show(one(given_up(state="FAILED"), backoff_limit=1).decide()) == "retry Waiting | record job a@2 | create a@2.0"
    )


# What is decided while a refusal lasts.


def unsent(trouble: Trouble | None, **changes) -> Situation:
    record = attempt(1, None, remote=None, trouble=trouble)
    recorded = job(**{name: value for name, value in changes.items() if name != "work"})
    return Situation(job(**changes), row(recorded, record), look())


@pytest.mark.parametrize(
    ("situation", "expected", "code"),
    [
        (unsent(None), "create Waiting | create a@1.0 token00001", "NotSent"),
        (unsent(troubled(until=NOW + HOUR)), "create Waiting | create a@1.0 token00001", "RefusedForNow"),
        (
            unsent(troubled(until=NOW + HOUR, next_time=NOW)),
            "create Waiting | create a@1.0 token00001",
            "RefusedForNow",
        ),
        (unsent(troubled(until=NOW + HOUR, next_time=NOW + SECOND)), "wait Waiting", "RefusedForNow"),
        (unsent(troubled("QuotaExceeded")), "create Waiting | create a@1.0 token00001", "NotSent"),
        (
            unsent(troubled(until=NOW + HOUR, next_time=NOW + SECOND), suspend=True),
            "wait Waiting",
            "Suspended",
        ),
        (
            unsent(troubled(until=NOW + HOUR, next_time=NOW + SECOND), work="2"),
            "create Waiting consent | create a@1.0",
            "NotSent",
        ),
    ],
)
def test_a_refused_create_call_waits_for_its_pause(situation: Situation, expected: str, code: str) -> None:
    made = situation.decide()
    assert (show(made), made.jobs[0].code) == (expected, code)
    if code == "RefusedForNow":
        assert made.jobs[0].reason.startswith("nothing was sent yet: HTTP 403: no (since 2026-11-22T12:00:00Z")
        assert not made.jobs[0].needs_consent
    if (expected, code) == ("wait Waiting", "RefusedForNow"):
        assert (made.jobs[0].next_time, made.jobs[0].timer) == (NOW + SECOND, "backoff")


def test_settling_says_what_came_in_place_of_an_answer() -> None:
    record = replace(SENT, trouble=troubled("ReplyLost", effect=AMBIGUOUS))
    reason = Situation(job(), row(job(), record)).decide().jobs[0].reason
    assert reason.startswith("the create call got no clear answer; looking for its mark; HTTP 403: no (since ")


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(None, id="nothing failed before"),
        pytest.param(troubled(effect=REFUSED), id="an earlier call was refused"),
        pytest.param(troubled("QuotaExceeded", effect=Effect.NONE), id="an earlier call was not taken"),
        pytest.param(troubled("ReplyLost", Operation.UPLOAD, effect=AMBIGUOUS), id="an upload failed before"),
        pytest.param(troubled("ReplyLost"), id="an older version wrote it"),
    ],
)
def test_a_process_that_ended_before_an_outcome_may_not_have_sent_its_call(trouble: Trouble | None) -> None:
    record = replace(SENT, trouble=trouble)
    reason = Situation(job(), row(job(), record)).decide().jobs[0].reason
    assert reason == "it is not known whether the create call was sent; looking for its mark"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (None, "was lost or never sent: its mark did not appear in the grace period; sent with"),
        (
            troubled("ReplyLost", effect=AMBIGUOUS),
            "was lost: its mark did not appear in the grace period; sent again with",
        ),
    ],
)
def test_a_call_after_the_grace_is_called_the_second_only_if_there_was_one(trouble: Trouble | None, words: str) -> None:
    record = unanswered(first_look=LOCAL - 3 * MINUTE, trouble=trouble)
    (made,) = Situation(job(), row(job(), record)).decide().jobs
    assert (made.action, made.reason) == ("create", f"the create call {words} the same token")


def test_a_quota_is_told_in_the_apis_words_to_all_that_wait_for_it() -> None:
    key = QuotaKey(HERE, "gemini-2.5-flash")
    record = row(job(), attempt(1, None, remote=None, trouble=troubled("NoCredit")))
    made = decide([job(), job("b")], [record], [look()], quotas=[Quota(key, 1, NOW, NOW + HOUR)])
    own, other = (planned.reason for planned in made.jobs)
    assert own.startswith("nothing was sent yet: HTTP 403: no (since ")
    assert own.count("HTTP 403: no") == 1
    assert other.endswith("as the API says: HTTP 403: no")


# What is overcome.


@pytest.mark.parametrize(
    ("operation", "state", "left"),
    [
        (CREATE, "RUNNING", False),
        (UPLOAD, "RUNNING", False),
        (COLLECT, "SUCCEEDED", True),
        (Operation.CANCEL, "RUNNING", True),
        (Operation.CANCEL, "CANCELLED", False),
        (Operation.DELETE, "SUCCEEDED", True),
    ],
)
def test_what_a_look_shows_to_be_overcome_is_not_said_any_more(operation: Operation, state: str, left: bool) -> None:
    record = attempt(1, "PENDING", trouble=troubled(operation=operation))
    after = refresh(record, seen(attempt(1, state)), NOW)
    assert (after.trouble is not None) is left


def test_a_call_that_gets_through_overcomes_its_own_trouble_only() -> None:
    record = replace(ENDED, trouble=troubled(operation=COLLECT))
    assert overcome(record, COLLECT).trouble is None
    assert overcome(record, CREATE, UPLOAD) == record
    assert overcome(ENDED, COLLECT) == ENDED
