"""`batchctl retry --rows`: which rows an order sends, and why a job refuses it."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.desired import DesiredStack
from batchctl.model.observed import RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded
from batchctl.model.row_settings import RowSettings
from batchctl.model.row_work import OrderedRows, RowChoice, RowHistory, RowOrder, RowsSent, RowsToSend, RowWork
from batchctl.model.sent_with import SentWith
from batchctl.model.sources import InlineRows, RemoteSource, RequestRow
from batchctl.model.steps import Create
from batchctl.reconcile import Options, Scope, rows_to_survey
from batchctl.reconcile.decide.row_order import order_of_rows, ordered_words
from tests.support.decisions import (
    LOCAL,
    STACK,
    Situation,
    attempt,
    canary,
    collected,
    job,
    kept,
    look,
    row,
    seen,
    show,
    with_rows,
)
from tests.support.values import replace

ALL = RowOrder(is_all=True)
FAILED = RowOrder()
CUT = RowOrder(codes=frozenset({"MAX_TOKENS"}))
NAMED = RowOrder(keys=frozenset({"k1", "k2"}))
GOOD = RowHistory("OK", is_good=True, tries=0)
ACCEPTED = RowHistory("MAX_TOKENS", is_good=True, tries=0)
BAD = RowHistory("MAX_TOKENS", is_good=False, tries=9)
OTHER = RowHistory("SAFETY", is_good=False, tries=1)
ROWS = InlineRows((RequestRow("k1", {}),) * 3)


def command(order: RowOrder | None) -> Options:
    return Options(Scope(names=frozenset({"a"})), retry=True, retry_rows=order)


def work(order: RowOrder, rows: int = 1, *first: str, **fields: object) -> RowWork:
    return RowWork(3, 2, 1, 1, 0, ordered=OrderedRows(order, rows, first, **fields))


def done(known: RowWork | None, order: RowOrder | None, **counts: int) -> Situation:
    """A collected job of 3 rows, and the command."""
    wanted = replace(job(), source=ROWS)
    ended = collected(rows=RowCounts(3, counts.get("OK", 0), 3 - counts.get("OK", 0), counts))
    inventory = kept(ended) if known is None else with_rows(known, ended)
    return Situation(wanted, row(wanted, ended), look(seen(ended)), command(order), inventory=inventory)


@pytest.mark.parametrize(
    ("order", "history", "key", "sends"),
    [
        (ALL, None, "x", True),
        (ALL, GOOD, "x", True),
        (FAILED, None, "x", True),
        (FAILED, GOOD, "x", False),
        (FAILED, ACCEPTED, "x", False),
        (FAILED, BAD, "x", True),
        (CUT, None, "x", False),
        (CUT, GOOD, "x", False),
        (CUT, ACCEPTED, "x", True),
        (CUT, BAD, "x", True),
        (CUT, OTHER, "x", False),
        (RowOrder(codes=frozenset({"NOT_SENT"})), None, "x", True),
        (NAMED, GOOD, "k1", True),
        (NAMED, BAD, "x", False),
    ],
)
def test_the_order_alone_chooses_rows(order: RowOrder, history: RowHistory | None, key: str, sends: bool) -> None:
    assert RowChoice(order=order).sends(history, key) is sends


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (ALL, "all"),
        (FAILED, "failed"),
        (CUT, "reason=MAX_TOKENS"),
        (NAMED, "key=k1,k2"),
        (
            replace(CUT, sent_with=SentWith("m", {"generationConfig": {"seed": 7}, "labels": {}})),
            "reason=MAX_TOKENS --set model=m --set request.generationConfig.seed=7 --set request.labels={}",
        ),
    ],
)
def test_an_order_is_shown_as_it_is_written(order: RowOrder, text: str) -> None:
    assert str(order) == text


@pytest.mark.parametrize("order", [ALL, FAILED, CUT, NAMED])
def test_a_job_that_succeeded_sends_ordered_rows(order: RowOrder) -> None:
    (plan,) = done(work(order, 2, "k1"), order, OK=2, MAX_TOKENS=1).decide().jobs
    assert (plan.action, plan.code, plan.needs_consent) == (Action.RETRY, Reason.RETRY_ORDERED, True)
    assert f"`batchctl retry` --rows {order}: 2 of 3 rows to send: k1 and 1 more" in plan.reason
    assert [step.rows for step in plan.steps if isinstance(step, Create)] == [RowChoice(order=order)]
    assert (plan.size.rows, plan.buys) == (2, True)


def test_all_rows_of_a_source_that_batchctl_does_not_read() -> None:
    wanted = replace(job(), source=RemoteSource(("gs://b/in.jsonl",)))
    ended = collected()
    made = Situation(wanted, row(wanted, ended), look(seen(ended)), command(ALL), inventory=kept(ended))
    (plan,) = made.decide().jobs
    assert (plan.action, plan.reason) == (Action.RETRY, "tried again by `batchctl retry` --rows all")


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        (done(work(CUT, 0), CUT, OK=2, SAFETY=1), "no row has the verdict MAX_TOKENS; its failed rows have 1 SAFETY"),
        (done(work(CUT, 0), CUT, OK=3), "no row has the verdict MAX_TOKENS; every row has a good answer"),
        (done(work(FAILED, 0), FAILED, OK=3), "every row has a good answer; `--rows all`"),
        (
            done(work(NAMED, 1, "k1", unknown=("k2",), near="k22"), NAMED, OK=3),
            "no row has the key k2; did you mean k22?",
        ),
        (done(work(NAMED, 1, "k1", unknown=("k2",)), NAMED, OK=3), "no row has the key k2"),
        (done(None, CUT, OK=3), "no results of its rows are here; `batchctl retry a --rows all`"),
        (done(RowWork(3, 3, 0, 0, 0), CUT, OK=3), "no results of its rows are here"),
        (done(None, None, OK=3), "or name rows with `--rows`"),
        (
            replace(canary(SAFETY=50), options=command(ALL)),
            "only its canary was sent; `batchctl retry a` or `--accept-canary` comes before `--rows`",
        ),
    ],
)
def test_an_order_without_rows_is_refused(situation: Situation, words: str) -> None:
    (plan,) = situation.decide().jobs
    assert plan.guard is not None
    assert words in plan.guard.message
    assert not any(isinstance(step, Create) for step in plan.steps)


def test_rows_of_results_that_are_not_collected_are_not_known() -> None:
    wanted = replace(job(), source=ROWS)
    ended = attempt(1, "SUCCEEDED")
    made = Situation(wanted, row(wanted, ended), look(seen(ended)), command(CUT), inventory=kept())
    (plan,) = made.decide().jobs
    assert plan.guard is not None
    assert "its results are not collected yet" in plan.guard.message


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (NAMED, "`--rows all` sends its whole input again"),
        (RowOrder(is_all=True, sent_with=SentWith("gemini-2.5-pro")), "so `--set` cannot change them"),
    ],
)
def test_rows_that_batchctl_does_not_send_cannot_be_named_or_changed(order: RowOrder, words: str) -> None:
    wanted = replace(job(), source=RemoteSource(("gs://b/in.jsonl",)))
    ended = collected()
    made = Situation(wanted, row(wanted, ended), look(seen(ended)), command(order), inventory=kept(ended))
    (plan,) = made.decide().jobs
    assert plan.guard is not None
    assert words in plan.guard.message


@pytest.mark.parametrize("model", ["gemini-2.5-pro", None])
def test_the_size_of_changed_rows_is_of_their_model(model: str | None) -> None:
    order = replace(CUT, sent_with=SentWith(model, {"generationConfig": {"seed": 7}}))
    made = done(work(order, 1, "k1"), order, OK=2, MAX_TOKENS=1)
    (plan,) = made.decide().jobs
    assert made.wanted is not None
    assert plan.size.model == (model or made.wanted.model)


def test_the_order_is_kept_while_the_job_is_suspended_and_then_followed() -> None:
    made = done(work(CUT, 1, "k1"), CUT, OK=2, MAX_TOKENS=1)
    assert made.record is not None
    (plan,) = replace(made, suspended=True).decide().jobs
    assert "record job a@1 retry-requested" in [step.line for step in plan.steps]
    ordered = replace(made.record, row=replace(made.record.row, retry_requested=LOCAL, retry_rows=CUT))
    (plan,) = replace(made, record=ordered, options=Options()).decide().jobs
    assert [step.rows for step in plan.steps if isinstance(step, Create)] == [RowChoice(order=CUT)]
    assert not plan.needs_consent


@pytest.mark.parametrize(
    ("again", "work", "expected"),
    [
        (True, "1", "create Waiting | create a@2.0 token"),
        (False, "1", "reuse Waiting | reuse a@2.0 a/1"),
        (True, "2", "reuse Waiting"),
    ],
)
def test_a_call_that_was_put_off_is_not_replaced_by_known_results(again: bool, work: str, expected: str) -> None:
    wanted = replace(job(work=work), source=ROWS)
    ended = collected(digest=wanted.digest)
    put_off = attempt(2, None, remote=None, sent=RowsSent(1, 3, "", again=again))
    made = Situation(wanted, row(wanted, ended, put_off), look(seen(ended)), inventory=kept(ended))
    assert show(made.decide()).startswith(expected)


@pytest.mark.parametrize(
    ("choice", "again"),
    [
        (RowChoice(), False),
        (RowChoice(order=FAILED), True),
        (RowChoice(RowsToSend.RETRYABLE), True),
        (RowChoice(RowsToSend.ALL), True),
    ],
)
def test_the_choice_says_whether_rows_are_sent_again(choice: RowChoice, again: bool) -> None:
    assert choice.sends_again is again


@pytest.mark.parametrize(
    ("options", "recorded", "reuse", "order"),
    [
        (Options(), None, True, None),
        (Options(), None, False, None),
        (Options(), CUT, True, CUT),
        (Options(), CUT, False, CUT),
        (command(NAMED), CUT, True, NAMED),
        (command(None), CUT, True, None),
    ],
)
def test_the_ledger_is_read_for_an_order(
    options: Options, recorded: RowOrder | None, reuse: bool, order: RowOrder | None
) -> None:
    wanted = replace(job(), source=ROWS, row_settings=RowSettings(reuse=reuse))
    ordered = LOCAL if recorded else None
    record = row(wanted, collected(), retry_requested=ordered, retry_rows=recorded)
    found = rows_to_survey(DesiredStack(STACK, (wanted,)), Recorded({"a": record}), options)
    assert [choice.order for _, choice in found] == ([] if order is None else [order])


@pytest.mark.parametrize(("since", "expected"), [(2, "create Waiting"), (1, "reuse Waiting")])
def test_a_rerun_without_a_list_of_rows_is_not_replaced_by_known_results(since: int, expected: str) -> None:
    wanted = replace(job(), source=RemoteSource(("gs://in/x",)))
    ended = collected(digest=wanted.digest)
    made = Situation(
        wanted, row(wanted, ended, attempt(2, None, remote=None)), look(seen(ended)), inventory=kept(ended)
    )
    assert made.record is not None
    record = replace(made.record, row=replace(made.record.row, rows_since=since))
    assert show(replace(made, record=record).decide()).startswith(expected)


@pytest.mark.parametrize(
    ("options", "order"),
    [
        (Options(), FAILED),
        (Options(Scope(names=frozenset({"a"}))), FAILED),
        (Options(Scope(names=frozenset({"b"})), retry=True, retry_rows=ALL), FAILED),
        (command(ALL), ALL),
        (command(None), None),
    ],
    ids=["no command", "another command", "a command for another job", "this command", "without rows"],
)
def test_an_order_is_that_of_the_command_or_else_of_the_state(options: Options, order: RowOrder | None) -> None:
    recorded = row(job(), retry_requested=LOCAL, retry_rows=FAILED).row
    assert order_of_rows("a", recorded, options) == order
    assert order_of_rows("a", None, Options()) is None
    assert order_of_rows("a", row(job(), retry_rows=FAILED).row, Options()) is None


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (None, ""),
        (RowWork(3, 2, 1, 1, 0), ""),
        (work(FAILED, 2, "k1", "k2"), ": 2 of 3 rows to send: k1, k2"),
        (work(FAILED, 3, "k1", "k2"), ": 3 of 3 rows to send: k1, k2 and 1 more"),
    ],
)
def test_the_words_of_an_order_name_its_first_rows(known: RowWork | None, words: str) -> None:
    assert ordered_words(known) == words
