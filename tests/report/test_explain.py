"""What `explain` says: every fact of a plan has its words, and nothing is made up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind, QueuePlace
from batchctl.model.attempts import Intent, Operation
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Guard, Timer
from batchctl.model.errors import BatchctlError
from batchctl.model.events import Event
from batchctl.model.keys import Account, Api
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.observed import RowCounts, Status
from batchctl.model.recorded import RecordedJob
from batchctl.model.states import Phase
from batchctl.report.explain import ConditionType, JobCase, conditions, last_error, next_step
from batchctl.report.explain_document import explain_document
from batchctl.report.explain_text import write_explanation
from batchctl.report.reports import StatusRow
from tests.support.report_samples import (
    DESIRED,
    EXPLAINED,
    HOSTILE,
    NOW,
    RECORDED,
    TROUBLE,
    ago,
    job_plan,
    running,
    written,
)
from tests.support.values import replace

VERTEX = Account(Api.VERTEX, "https://x", "p", "l")
LATER = NOW + timedelta(hours=1)
PLACE = QueuePlace(2, 3, LimitKind.ACTIVE, 100, 100)
GUARD = Guard("TooManyCreates", "101 jobs to create", "--max-create 101")


def case(action=Action.WAIT, phase=Phase.WAITING, *, of=None, **plan):
    return JobCase("shop", job_plan("a", action, phase, "because", **plan), **(of or {}))


def held(one):
    return [(str(condition.type), condition.until) for condition in conditions(one)]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(case(Action.NONE, Phase.SUCCEEDED), [], id="nothing holds"),
        pytest.param(case(waits_for=("b",)), [("Dependencies", None)], id="dependsOn"),
        pytest.param(case(of={"is_stack_suspended": True}), [("Suspended", None)], id="the stack is suspended"),
        pytest.param(
            case(of={"desired": replace(DESIRED, lifecycle=Lifecycle(suspend=True))}),
            [("Suspended", None)],
            id="the job is suspended",
        ),
        pytest.param(case(queue=PLACE), [("Queued", None)], id="in the queue, until somebody makes room"),
        pytest.param(
            case(queue=PLACE, next_time=LATER, timer=Timer.ADMISSION),
            [("Queued", LATER)],
            id="in the queue for a while",
        ),
        *(
            pytest.param(case(next_time=LATER, timer=timer), [(condition, LATER)], id=f"{timer} runs")
            for timer, condition in {
                Timer.BACKOFF: "BackOff",
                Timer.DEADLINE: "Deadline",
                Timer.SETTLING: "Settling",
                Timer.TTL: "TtlAfterFinished",
                Timer.CANCEL: "Cancelling",
                Timer.ADMISSION: "Queued",
            }.items()
        ),
        pytest.param(case(guard=GUARD), [("Guarded", None)], id="a guard"),
        pytest.param(case(of={"problem": BatchctlError("down")}), [("Unseen", None)], id="its account cannot be read"),
        pytest.param(
            case(of={"recorded": RecordedJob(replace(RECORDED.row, retry_requested=NOW))}),
            [("RetryOrdered", None)],
            id="retry ordered",
        ),
        pytest.param(
            case(of={"recorded": RecordedJob(replace(RECORDED.row, cancel_requested=NOW))}),
            [("CancelOrdered", None)],
            id="cancelled",
        ),
        pytest.param(case(of={"recorded": RECORDED, "desired": DESIRED}), [], id="a record and a manifest alone"),
    ],
)
def test_what_holds(one, expected):
    assert held(one) == expected


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (case(waits_for=("b", "c")), "waits for b, c"),
        (case(waits_for=("b",), blocked=True), "blocked by b: it needs a change"),
        (case(queue=PLACE), "2 of 3 in the queue; active: 100 of 100 used"),
        (
            case(queue=QueuePlace(1, 1, LimitKind.TOKENS, 60, 100)),
            "1 of 1 in the queue; enqueuedTokens: about 60 of 100 used",
        ),
        (case(guard=GUARD), "TooManyCreates: 101 jobs to create (--max-create 101)"),
        (case(of={"is_stack_suspended": True}), "the stack's suspend stops creates and retries"),
    ],
)
def test_how_it_is_said(one, words):
    assert [condition.message for condition in conditions(one)] == [words]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        *((case(action), "the next pass") for action in sorted(set(Action) - {Action.WAIT, Action.NONE})),
        (case(Action.CREATE, guard=GUARD), "nothing, until you allow it with --max-create 101"),
        (
            case(Action.REPLACE, guard=GUARD, unfinished=True),
            "the present job is followed; nothing else until you allow",
        ),
        (case(next_time=LATER, timer=Timer.BACKOFF), "a new attempt is created"),
        (case(Action.WAIT, Phase.ACTIVE, next_time=LATER, timer=Timer.DEADLINE), "when it ends, its results are"),
        (case(Action.NONE, Phase.SUCCEEDED, next_time=LATER, timer=Timer.TTL), "the remote job is deleted"),
        (
            case(Action.WAIT, Phase.SETTLING, next_time=LATER, timer=Timer.SETTLING),
            "if its mark is not found, the create call",
        ),
        (case(waits_for=("b",)), "it is created when b has succeeded"),
        (case(waits_for=("b",), blocked=True), "nothing, until b is fixed"),
        (case(queue=PLACE), "it is created when there is capacity"),
        (case(), "nothing, until the condition above ends"),
        (case(Action.WAIT, Phase.ACTIVE), "when it ends, its results are collected"),
        (case(Action.WAIT, Phase.REMOVING), "it goes on when the remote job has ended"),
        (case(Action.WAIT, Phase.UNKNOWN), "batchctl checks it again"),
        (case(Action.NONE, Phase.SUCCEEDED), "nothing: it is done"),
        (case(Action.NONE, Phase.REJECTED), "nothing, until its manifest changes or `batchctl retry a` is run"),
        (case(Action.NONE, Phase.FAILED), "nothing, until its manifest changes or `batchctl retry a` is run"),
    ],
)
def test_what_happens_next(one, words):
    assert next_step(one).startswith(words)


def event(what, why="no room: 3 bytes", code="ResultsFailed"):
    return Event(ago(minutes=5), "a", 1, what, why, code=code)


FAILED = running("a", error=Status(13, "it broke"), state="JOB_STATE_FAILED")


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(case(), None, id="nothing went wrong"),
        pytest.param(
            case(of={"problem": BatchctlError("down", hint="wait"), "events": (event("failed"),)}),
            ("Error", "down", "wait", None),
            id="the account cannot be read now",
        ),
        pytest.param(
            case(of={"events": (event("create"), event("failed"), event("state"))}),
            ("ResultsFailed", "no room: 3 bytes", ErrorCode.RESULTS_FAILED.way_out, ago(minutes=5)),
            id="an error in the history, with its way out",
        ),
        pytest.param(
            case(of={"events": (event("refused", "words", "Odd"),)}),
            ("Odd", "words", "", ago(minutes=5)),
            id="a code that is not known any more",
        ),
        pytest.param(
            case(of={"events": (event("failed", "ResultsFailed: no room", None),)}),
            (None, "ResultsFailed: no room", "", ago(minutes=5)),
            id="an event of an older format has its code in its words alone",
        ),
        pytest.param(case(of={"events": (event("failed"), event("collected"))}), None, id="overcome since"),
        pytest.param(
            case(attempt=FAILED),
            (None, "it broke", "`batchctl retry a`, or change its manifest", None),
            id="what the API said of the job",
        ),
        pytest.param(case(attempt=replace(FAILED, error=None)), None, id="it failed, and nobody said why"),
    ],
)
def test_the_last_error(one, expected):
    found = last_error(one)
    assert (found and (found.code, found.message, found.way_out, found.time)) == expected


def test_the_text_has_it_all():
    told = written(write_explanation, EXPLAINED[1])
    for words in (
        "2 of 3 in the queue",
        "until 2026-11-22T10:36:07Z",
        "TooManyReplaces",
        "BadRequest",
        "way out: look at it",
    ):
        assert words in told, told
    assert "within 1m, if `batchctl watch` is running" in told
    assert "\x1b[2J" not in told


def test_a_job_without_steps_has_no_heading_for_them():
    shown = written(write_explanation, EXPLAINED[0], verbose=True)
    assert "Rules" in shown
    assert "Steps" not in shown


def test_a_short_case_is_told_in_few_lines():
    told = written(write_explanation, JobCase("shop", job_plan("a", attempt=running("a"))))
    assert "Conditions" not in told
    assert "Last error" not in told
    assert "When:" not in told
    assert "1, RUNNING, not created" in told


def test_of_an_unanswered_call_nobody_says_that_it_created_nothing():
    sent = replace(running("a"), state=None, intent=Intent(NOW))
    told = written(write_explanation, JobCase("shop", job_plan("a", attempt=sent)))
    assert "1, -, not known whether it was created" in told


@pytest.mark.parametrize("one", EXPLAINED)
def test_the_text_has_the_facts_of_the_document(one):
    document, told = explain_document(one), written(write_explanation, one)
    assert document["phase"] in told
    assert document["next"]["step"] in told
    assert all(condition["type"] in told for condition in document["conditions"])


def test_every_condition_is_in_the_words_of_the_schema():
    assert {str(one) for one in ConditionType} >= {found for found, _ in held(EXPLAINED[1])}
    assert HOSTILE in explain_document(EXPLAINED[1])["reason"]


def test_the_way_out_is_the_one_that_was_given_with_the_error():
    """A person who saw it in `apply` finds it again, and with it since when and until when it is tried again."""
    refused = running("a", state=None, rows=RowCounts(), remote=None, trouble=TROUBLE)
    one = case(
        attempt=refused, of={"events": (Event(NOW, "a", 1, "refused for now", "an older word", code="NotFound"),)}
    )
    found = last_error(one)
    assert (found.code, found.way_out, found.time) == ("ServiceDisabled", "enable the API", ago(minutes=2))
    shown = written(write_explanation, one)
    assert "way out: enable the API" in shown
    assert "create since 2026-" in shown
    assert "tried 7 times" in shown
    document = explain_document(one)["lastError"]
    assert (document["operation"], document["tries"], document["wayOut"]) == ("create", 7, "enable the API")
    assert document["firstTime"] < document["time"] < document["nextTime"] < document["until"]
    once = replace(TROUBLE, tries=1, next_time=None, until=None)
    plain = case(attempt=replace(refused, trouble=once))
    assert "tried" not in written(write_explanation, plain)
    assert explain_document(plain)["lastError"]["until"] is None


def test_status_says_what_goes_wrong_where_the_reason_does_not():
    hidden = replace(TROUBLE, operation=Operation.CANCEL, message="not yours")
    row = StatusRow.of(
        job_plan("a", reason="cancelling", attempt=running("a", trouble=hidden)), model="m", provider="p", clocks={}
    )
    assert row.reason.startswith("cancelling; cancel: not yours (since ")
    said = StatusRow.of(
        job_plan("a", reason="refused: not yours", attempt=running("a", trouble=hidden)),
        model="m",
        provider="p",
        clocks={},
    )
    assert said.reason == "refused: not yours"


def test_results_are_to_be_collected_within_48_hours_on_gemini():
    ended = running("a", state="JOB_STATE_SUCCEEDED", end_time=NOW)
    assert ended.collect_by == NOW + timedelta(hours=48)
    assert replace(ended, account=VERTEX).collect_by is None
    for over in (
        {"results": "a/1"},
        {"results_lost": True},
        {"end_time": None},
        {"state": "JOB_STATE_RUNNING"},
        {"delete_time": NOW},
    ):
        assert replace(ended, **over).collect_by is None
