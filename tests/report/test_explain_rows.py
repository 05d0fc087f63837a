"""The part of `explain` about rows without a good answer, and the commands that it offers."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.decision import Timer
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowsSent
from batchctl.model.rows_left import RowLeft, RowNext, RowsLeft
from batchctl.model.states import Phase
from batchctl.report.explain import JobCase, next_step
from batchctl.report.explain_document import explain_document
from batchctl.report.explain_rows import answers_words, write_rows_left
from batchctl.report.explain_text import write_explanation
from batchctl.report.explain_ways import ways_on
from tests.support.report_samples import DESIRED, HOSTILE, Terminal, ago, job_plan, running, written
from tests.support.values import replace

RETRIED = replace(DESIRED, lifecycle=replace(DESIRED.lifecycle, retry_on=frozenset({"ROWS"})))
AGAIN = RowLeft("k3", 3, "INTERNAL", 1, "Internal error.", RowNext.AGAIN)


def case(*first, good=7, not_sent=0, action=Action.WAIT, phase=Phase.WAITING, of=None, **plan):
    counts = {}
    for one in first:
        counts[one.next] = counts.get(one.next, 0) + 1
    left = RowsLeft(good + len(first) + not_sent, good, not_sent, counts, tuple(first))
    made = job_plan("a", action, phase, "because", attempt=running("a", 4), **plan)
    return JobCase("shop", made, **{"desired": RETRIED, "left": left, **(of or {})})


def row(next_=RowNext.NOTHING, **changed):
    return replace(AGAIN, next=next_, **changed)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (case(), "7 of 7 rows have a good answer"),
        (case(good=1), "1 of 1 rows has a good answer"),
        (
            case(AGAIN, row(), row(), row(RowNext.UNDER_WAY), row(RowNext.FALLBACK), not_sent=1200),
            (
                "7 of 1,212 rows have a good answer; 1 is in attempt 4, 1 is sent again, 1 is sent by rows.fallback,"
                " 2 are not sent again, 1,200 are not sent yet"
            ),
        ),
        (JobCase("shop", job_plan("a")), ""),
    ],
)
def test_the_rows_are_counted_by_what_happens_next(one, words):
    assert answers_words(one) == words


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (AGAIN, "failed 1 time; the next attempt sends it again"),
        (row(RowNext.UNDER_WAY, tries=2), "failed 2 times; attempt 4 sends it again"),
        (row(RowNext.UNDER_WAY, tries=0), "no answer yet; attempt 4 sends it again"),
        (row(RowNext.FALLBACK), "failed 1 time; rows.fallback sends it next"),
        (row(), "failed 1 time; not sent again\n"),
        (row(code="INTERNAL", tries=2), "failed 2 times; not sent again\n"),
        (row(tries=3), "failed 3 times; not sent again: rows.maxAttempts is 3"),
        (row(code="SAFETY"), "failed 1 time; not sent again: it would fail again"),
        (row(code="SAFETY", message=""), "Safety filters stopped the answer."),
        (row(code="LATER_RELEASE", message=""), "LATER_RELEASE  failed 1 time"),
        (row(message="words of the API"), "\n      words of the API"),
        (row(name="k" * 99), f"{'k' * 29}…  INTERNAL"),
    ],
)
def test_each_row_says_why_it_is_left_and_what_follows(one, words):
    shown = written(write_rows_left, case(one))
    assert words in shown


def test_many_rows_are_counted():
    one = case(AGAIN)
    one = replace(one, left=replace(one.left, total=1508))
    assert "Rows left (1 of 1,501)" in written(write_rows_left, one)


def test_text_of_the_api_neither_acts_on_a_terminal_nor_fills_it():
    one = case(row(message=HOSTILE * 9, name=HOSTILE))
    shown = written(write_explanation, one, stream=Terminal(), env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert "\x1b[2J" not in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("one", "commands"),
    [
        (case(not_sent=3), []),
        (case(AGAIN), ["results a --failed"]),
        (case(AGAIN, of={"results_attempt": 3}), ["results a --attempt 3 --failed"]),
        (
            case(AGAIN, next_time=ago(hours=-1), timer=Timer.BACKOFF),
            ["results a --failed", "retry a --rows failed"],
        ),
        (case(AGAIN, phase=Phase.ACTIVE), ["results a --failed", "cancel a"]),
        (
            case(row(), action=Action.NONE, phase=Phase.SUCCEEDED),
            ["results a --failed", "retry a --rows failed", "apply"],
        ),
        (
            case(row(code="MAX_TOKENS"), action=Action.NONE, phase=Phase.SUCCEEDED),
            [
                "results a --failed",
                "retry a --rows failed",
                "retry a --rows reason=MAX_TOKENS --set request.generationConfig.maxOutputTokens=8192",
            ],
        ),
        (
            case(row(), not_sent=95, action=Action.NONE, phase=Phase.FAILED, code=Reason.CANARY_FAILED),
            ["results a --failed", "retry a", "retry a --accept-canary"],
        ),
        (JobCase("shop", job_plan("a")), []),
    ],
)
def test_the_commands_fit_the_moment(one, commands):
    assert [way.command for way in ways_on(one)] == [f"batchctl {command}" for command in commands]
    assert [way["command"] for way in explain_document(one)["waysOn"]] == [way.command for way in ways_on(one)]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            case(AGAIN, next_time=ago(hours=-1), timer=Timer.BACKOFF),
            "a new attempt is created; it sends 1 row again: k3",
        ),
        (case(AGAIN, action=Action.RETRY), "the next pass creates a new attempt; it sends 1 row again: k3"),
        (case(row(), action=Action.RETRY), "the next pass creates a new attempt"),
        (case(row(), action=Action.NONE, phase=Phase.SUCCEEDED), "nothing: 1 row without a good answer"),
        (case(action=Action.NONE, phase=Phase.SUCCEEDED), "nothing: it is done"),
        (
            case(row(), action=Action.NONE, phase=Phase.FAILED, code=Reason.CANARY_FAILED),
            "nothing, until its manifest or its rows change, or `batchctl retry a` is run",
        ),
    ],
)
def test_the_next_step_names_the_rows(one, words):
    assert next_step(one) == words


def test_rows_that_are_not_all_known_by_name_are_counted():
    one = case(AGAIN, action=Action.RETRY)
    one = replace(one, left=replace(one.left, counts={RowNext.AGAIN: 40}))
    assert next_step(one).endswith("it sends 40 rows again")


def test_the_end_of_a_back_off_says_how_long_it_is():
    one = case(AGAIN, next_time=ago(seconds=-90), timer=Timer.BACKOFF, of={"now": ago(seconds=0)})
    shown = written(write_explanation, one)
    assert "When:  2026-11-22T10:32:37Z, in 1m30s, if `batchctl watch` is running" in shown
    assert "Conditions" not in shown
    assert "Next check" not in shown


def test_a_canary_says_what_it_decides():
    sent = RowsSent(5, 1_005, "", is_canary=True)
    one = JobCase("shop", job_plan("a", Action.WAIT, Phase.ACTIVE, "running", attempt=running("a", 1, sent=sent)))
    assert next_step(one) == "when it ends, its results are collected; they decide whether the other 1000 rows follow"
    assert "Attempt:  1 (canary), RUNNING" in written(write_explanation, one)


@pytest.mark.parametrize(
    ("of", "code", "words"),
    [
        ({"desired": DESIRED}, Reason.SUCCEEDED, "not sent again: retryOn has no ROWS"),
        ({"desired": DESIRED}, Reason.CANARY_FAILED, "not sent again\n"),
        ({"desired": None}, Reason.SUCCEEDED, "not sent again\n"),
    ],
)
def test_a_row_that_could_be_sent_again_says_what_the_manifest_lacks(of, code, words):
    one = case(row(), action=Action.NONE, phase=Phase.SUCCEEDED, code=code, of=of)
    assert words in written(write_rows_left, one)
