"""A damaged mark is not a foreign job: what is left of it holds creates, and says so."""

from __future__ import annotations

import pytest

from batchctl.model.keys import BrokenMark, Mark, spaced, without_mark
from batchctl.model.plan import DriftKind
from batchctl.model.reasons import Reason
from batchctl.reconcile import Options
from tests.support.decisions import (
    HERE,
    LOCAL,
    NOW,
    THERE,
    Situation,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    mark,
    row,
    seen,
    show,
    unanswered,
)
from tests.support.values import replace

MARK = "[bc1 shop/a@1.0 111111111111 token00001 abc123]"


@pytest.mark.parametrize(
    "text",
    [
        MARK,
        f"Job {MARK}",
        f"Job {MARK}  \n",
        f"Job {MARK[:-1]}",
        MARK.replace(" ", "\u00a0"),
        MARK.replace(" ", "  "),
        MARK.replace(" ", "\t"),
        MARK.replace(" ", "\u2003\u200b"),
        MARK.replace("/", "\u200b/"),
        f"\ufeff{MARK}",
        MARK.replace("[", "[ ").replace("]", " ]"),
    ],
)
def test_white_space_and_a_lost_bracket_change_nothing(text: str) -> None:
    assert str(Mark.find(text)) == MARK
    assert BrokenMark.find(text) is None
    assert without_mark(text) == ("Job" if "Job" in text else "")


@pytest.mark.parametrize(
    ("text", "stack", "named"),
    [
        ("Job [bc1", None, None),
        ("Job [bc1 ", None, None),
        ("Job [bc1 sho", None, None),
        ("Job [bc1 shop/", "shop", None),
        ("Job [bc1 shop/a", "shop", None),
        ("Job [bc1 shop/a@", "shop", "a"),
        ("Job [bc1 shop/a@1.0 111111111111 tok", "shop", "a"),
        ("Job [bc1 shop/a@1.0 111111111111 token00001 abc12", "shop", "a"),
        (f"{MARK}…", "shop", "a"),
        (f"{MARK} (copy)", "shop", "a"),
        (MARK.replace("11111", "…"), "shop", "a"),
        (MARK.upper(), "shop", "a"),
        (MARK.replace(" ", ""), "shop", "a"),
        (MARK.removeprefix("["), "shop", "a"),
        ("Job bc1 shop / a @ 1.0", "shop", "a"),
    ],
)
def test_what_is_left_of_a_mark(text: str, stack: str | None, named: str | None) -> None:
    broken = BrokenMark.find(text)
    assert broken is not None
    assert (broken.stack, broken.job) == (stack, named)
    assert Mark.find(text) is None
    assert without_mark(text) == ("Job" if text.startswith("Job") else "")


@pytest.mark.parametrize("text", ["", "Job", "[b", "bc1", "abc1 x/y@1", "see bc1 for details", "[bc12 a/b@1]", "a/b@1"])
def test_other_names_are_left_alone(text: str) -> None:
    assert BrokenMark.find(text) is None
    assert without_mark(text) == spaced(text) == text


# --- what follows

CUT = BrokenMark("[bc1 shop/a@1.0 1111", "shop", "a")
NAMELESS = BrokenMark("[bc1 shop/", "shop")
OTHERS = BrokenMark("[bc1 mine/a@1.0 1111", "mine", "a")


def damaged(number: int = 1, broken: BrokenMark = CUT, **fields):
    return replace(found(number, **fields), mark=None, broken=broken)


@pytest.mark.parametrize("record", [attempt(), collected()], ids=["works", "finished"])
def test_a_recorded_job_with_a_damaged_mark_holds_all_creates_on_its_account(record) -> None:
    wanted = [job("a"), job("b"), job("c", account=THERE)]
    shown = replace(seen(record), mark=None, broken=CUT)

    made = decide(wanted, [row(wanted[0], record)], [look(shown), look(account=THERE)])

    assert show(made, "b") == "wait Waiting consent"
    assert "batches/a-1 shows a damaged mark, '[bc1 shop/a@1.0 1111'" in made.jobs[1].reason
    assert made.jobs[1].code is Reason.MARK_DAMAGED
    assert "create c@1.0" in show(made, "c"), "another account is another service"
    assert made.drift[0].kind is DriftKind.CHANGED
    assert "damaged mark" in made.drift[0].detail
    assert show(made, "a").startswith(("wait Active", "none Succeeded")), "the job itself is followed all the same"


def test_what_a_get_shows_counts_too() -> None:
    shown = replace(seen(attempt()), mark=None, broken=CUT)

    made = decide([job("a"), job("b")], [row(job("a"), attempt())], [look(shown={"batches/a-1": shown})])

    assert show(made, "b") == "wait Waiting consent"


def test_no_lost_call_is_sent_again_meanwhile() -> None:
    lost = unanswered(first_look=LOCAL - 100 * (NOW - LOCAL), name="b")
    shown = replace(seen(attempt()), mark=None, broken=CUT)

    made = decide([job("a"), job("b")], [row(job("a"), attempt()), row(job("b"), lost)], [look(shown)])

    assert show(made, "b") == "wait Waiting"


def test_nothing_is_stopped_to_be_replaced_meanwhile() -> None:
    shown = replace(seen(attempt()), mark=None, broken=CUT)

    made = Situation(job(work="2"), row(job(work="2"), attempt()), look(shown)).decide()

    assert show(made).startswith("wait Active")
    assert "cancel" not in show(made)


def test_a_removal_goes_on() -> None:
    shown = replace(seen(attempt()), mark=None, broken=CUT)

    made = Situation(None, row(job(), attempt()), look(shown), Options(allow_empty=True)).decide()

    assert "cancel a@1.0 remove" in show(made)


LOST = unanswered(first_look=LOCAL - 100 * (NOW - LOCAL))


@pytest.mark.parametrize(
    ("broken", "holds"), [(CUT, True), (NAMELESS, True), (OTHERS, False)], ids=["named", "cut", "other"]
)
def test_what_an_unanswered_call_may_have_made_holds_its_being_sent_again(broken: BrokenMark, holds: bool) -> None:
    made = decide([job("a"), job("b")], [row(job("a"), LOST)], [look(damaged(broken=broken))])

    assert (show(made, "a") == "wait Waiting") is holds
    assert ("create a@1.0" in show(made, "a")) is not holds
    assert "create b@1.0" in show(made, "b")


def test_another_jobs_damaged_mark_holds_no_call() -> None:
    other = replace(CUT, job="z")

    made = decide([job("a")], [row(job("a"), LOST)], [look(damaged(broken=other))])

    assert "create a@1.0" in show(made, "a")


@pytest.mark.parametrize("broken", [CUT, NAMELESS, OTHERS])
def test_what_nobody_here_may_have_made_is_a_strangers(broken: BrokenMark) -> None:
    made = decide([job("a")], [], [look(damaged(broken=broken))])

    assert "create a@1.0" in show(made, "a")
    assert (made.drift, made.unmanaged) == ((), 1)


@pytest.mark.parametrize(("length", "shown"), [(119, 119), (120, 120), (121, 120), (500, 120)])
def test_a_long_mark_is_shown_in_part(length: int, shown: int) -> None:
    text = "[bc1 shop/".ljust(length, "x")

    made = decide([job("a")], [row(job("a"), LOST)], [look(damaged(broken=BrokenMark(text, "shop")))])

    cut = "…" if shown < length else ""
    assert f"shows a damaged mark, '{text[:shown]}{cut}';" in made.jobs[0].reason


def test_a_whole_mark_holds_nothing() -> None:
    made = decide([job("a"), job("b")], [row(job("a"), attempt())], [look(found(mark=mark()))])

    assert "create b@1.0" in show(made, "b")
    assert made.drift == ()
    assert HERE in made.clocks
