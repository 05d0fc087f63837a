"""`rows.fallback`: rows that failed in a certain way are sent once with another model or request."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.observed import RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.row_settings import Fallback, RowSettings
from batchctl.model.row_work import RowChoice, RowHistory, RowsToSend, RowWork
from batchctl.model.sent_with import SentWith
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.model.steps import Create
from tests.support.decisions import Situation, collected, job, look, row, seen, with_rows
from tests.support.values import replace

PRO, LONG = SentWith("gemini-2.5-pro"), SentWith(request={"generationConfig": {"maxOutputTokens": 8192}})
FALLBACKS = (Fallback(frozenset({"MAX_TOKENS", "SCHEMA"}), PRO), Fallback(frozenset({"MAX_TOKENS"}), LONG))
CHOICE = RowChoice(fallbacks=FALLBACKS)


def bad(code: str, tries: int = 1, sent_with: SentWith | None = None) -> RowHistory:
    return RowHistory(code, is_good=False, tries=tries, sent_with=sent_with)


@pytest.mark.parametrize(
    ("history", "number"),
    [
        pytest.param(None, None, id="never sent"),
        pytest.param(bad("MAX_TOKENS"), 0, id="permanent: at once"),
        pytest.param(bad("SCHEMA"), None, id="may pass: sent as it is first"),
        pytest.param(bad("SCHEMA", 3), 0, id="after the normal attempts"),
        pytest.param(bad("SAFETY"), None, id="another verdict"),
        pytest.param(bad("MAX_TOKENS", 2, PRO), 1, id="the next entry"),
        pytest.param(bad("SCHEMA", 2, PRO), None, id="no later entry has the verdict"),
        pytest.param(bad("INTERNAL", 2, PRO), None, id="not sent again as it was"),
        pytest.param(bad("MAX_TOKENS", 3, LONG), None, id="the last entry"),
        pytest.param(bad("MAX_TOKENS", 2, SentWith("other")), 0, id="sent differently by order"),
        pytest.param(bad("MAX_TOKENS", 5), None, id="too often without any result"),
    ],
)
def test_a_verdict_chooses_the_entry(history: RowHistory | None, number: int | None) -> None:
    assert CHOICE.next_fallback(history) == number
    for entry in (0, 1):
        sent = replace(CHOICE, which=RowsToSend.FALLBACK, fallback=entry)
        assert sent.sends(history, "x") is (number == entry)
        assert sent.sent_with == FALLBACKS[entry].change
    assert CHOICE.sent_with is None


@pytest.mark.parametrize(("history", "may_pass"), [(bad("INTERNAL"), True), (bad("INTERNAL", 1, PRO), False)])
def test_a_row_of_a_fallback_is_not_retried_as_it_was(history: RowHistory, may_pass: bool) -> None:
    assert CHOICE.may_pass(history) is may_pass


def failed(retryable: int, *fallbacks: int) -> Situation:
    settings = RowSettings(fallbacks=FALLBACKS)
    ended = collected(rows=RowCounts(10, 7, 3))
    wanted = replace(
        job(retry_on=frozenset({"ROWS"})), source=InlineRows((RequestRow(None, {}),) * 10), row_settings=settings
    )
    work = RowWork(10, 7, 3, 3, retryable, fallbacks=fallbacks)
    return Situation(wanted, row(wanted, ended), look(seen(ended)), inventory=with_rows(work, ended))


@pytest.mark.parametrize(
    ("made", "choice", "words", "model", "rows"),
    [
        (failed(1, 1, 0), {"which": RowsToSend.RETRYABLE}, "1 row is sent again, 1 is not", "gemini-2.5-flash", 1),
        (
            failed(0, 2, 1),
            {"which": RowsToSend.FALLBACK},
            "2 of 10 rows are sent by rows.fallback (--set model=gemini-2.5-pro)",
            "gemini-2.5-pro",
            2,
        ),
        (
            failed(0, 0, 1),
            {"which": RowsToSend.FALLBACK, "fallback": 1},
            "1 of 10 rows are sent by rows.fallback (--set request.generationConfig.maxOutputTokens=8192)",
            "gemini-2.5-flash",
            1,
        ),
    ],
)
def test_fallbacks_come_after_the_normal_attempts(
    made: Situation, choice: dict[str, object], words: str, model: str, rows: int
) -> None:
    (plan,) = made.decide().jobs
    assert (plan.action, plan.code) == (Action.RETRY, Reason.ROWS_RETRIED)
    assert words in plan.reason
    assert [step.rows for step in plan.steps if isinstance(step, Create)] == [replace(CHOICE, **choice)]
    assert (plan.size.model, plan.size.rows) == (model, rows)


def test_without_rows_for_it_nothing_follows() -> None:
    (plan,) = failed(0, 0, 0).decide().jobs
    assert plan.action is not Action.RETRY
