"""`spec.moved`: a rename is written down, buys nothing and cancels nothing, and is harmless when it is repeated."""

from __future__ import annotations

import pytest

from batchctl.model.desired import DesiredStack
from batchctl.model.keys import AttemptKey
from batchctl.model.locations import Location
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.stack import Moved
from batchctl.model.writes import RenameJob, SaveAttempt, SaveJob
from batchctl.reconcile import Options, find_moves, plan, rename
from batchctl.reconcile.view.renames import final_names, renamed
from tests.support.decisions import LOCAL, STACK, attempt, collected, found, job, look, mark, row, show, token, with_row
from tests.support.values import replace


def moves(*pairs: str) -> tuple[Moved, ...]:
    return tuple(Moved(*pair.split(">"), Location("batchctl.yaml", 6, 5)) for pair in pairs)


def recorded(*records: RecordedJob) -> Recorded:
    return Recorded({one.name: one for one in records}, serial=1)


def outline(pairs: tuple[Moved, ...], before: Recorded) -> list[str]:
    made = find_moves(pairs, before)
    lines = [f"{'move' if one.is_new else 'know'} {one.before}>{one.after}" for one in made.due]
    return [*lines, *(f"clash {old}>{new}" for old, new in sorted(made.clashes.items()))]


A, B, C = (row(job(name), attempt(name=name)) for name in "abc")


@pytest.mark.parametrize(
    ("pairs", "before", "expected"),
    [
        pytest.param(moves(), recorded(A), [], id="nothing was moved"),
        pytest.param(moves("a>b"), recorded(), [], id="nothing is recorded"),
        pytest.param(moves("a>b"), recorded(A), ["move a>b"], id="a rename"),
        pytest.param(moves("a>b"), recorded(with_row(B, former_names=("a",))), [], id="it was made before"),
        pytest.param(moves("a>b"), recorded(B), ["know a>b"], id="made, and the former name is not known"),
        pytest.param(moves("a>b"), recorded(A, B), ["clash a>b"], id="both are recorded"),
        pytest.param(
            moves("a>b"), recorded(with_row(A, released_time=LOCAL), B), [], id="the old one was let go of long ago"
        ),
        pytest.param(moves("a>b", "b>c"), recorded(A), ["move a>c", "know b>c"], id="a chain from its beginning"),
        pytest.param(moves("a>b", "b>c"), recorded(B), ["move b>c", "know a>c"], id="a chain from its middle"),
        pytest.param(
            moves("a>b", "b>c"), recorded(A, B), ["move b>c", "clash a>c"], id="the nearer one keeps the name"
        ),
        pytest.param(moves("b>c", "a>b"), recorded(A), ["move a>c", "know b>c"], id="a chain in any order"),
        pytest.param(moves("a>c", "b>d"), recorded(A, B), ["move a>c", "move b>d"], id="two renames"),
    ],
)
def test_what_is_due(pairs: tuple[Moved, ...], before: Recorded, expected: list[str]) -> None:
    assert outline(pairs, before) == expected


@pytest.mark.parametrize("pairs", [moves("a>b"), moves("a>b", "b>c"), moves("a>c", "b>d")])
@pytest.mark.parametrize("before", [recorded(A), recorded(B), recorded(A, B), recorded(A, B, C)])
def test_what_was_done_is_not_due_again(pairs: tuple[Moved, ...], before: Recorded) -> None:
    once = find_moves(pairs, before)
    again = find_moves(pairs, once.recorded)
    assert (again.due, again.clashes, again.recorded) == ((), once.clashes, once.recorded)


def test_all_of_a_job_goes_with_its_name() -> None:
    record = row(job(), collected(1, "FAILED", results="a/f00-1"), attempt(2, results="elsewhere/x"))
    other = row(job("z", needs=["a", "q"]), attempt(name="z"))
    made = find_moves(moves("a>b"), recorded(record, other))
    (move,) = made.due
    assert move.writes[0] == RenameJob("a", "b")
    rows = [write.job for write in move.writes if isinstance(write, SaveJob)]
    assert [(one.name, one.former_names, one.depends_on) for one in rows] == [
        ("b", ("a",), ()),
        ("z", (), ("b", "q")),
    ]
    attempts = [write.attempt for write in move.writes if isinstance(write, SaveAttempt)]
    assert [(one.key, one.results) for one in attempts] == [
        (AttemptKey("b", 1), "b/f00-1"),
        (AttemptKey("b", 2), "elsewhere/x"),
    ]
    assert made.recorded.jobs.keys() == {"b", "z"}
    assert made.recorded.jobs["b"] == renamed(record, "b")
    assert made.recorded.jobs["z"].row.depends_on == ("b", "q")


def test_a_name_that_comes_back_is_no_former_one() -> None:
    there = renamed(A, "b")
    assert renamed(there, "a").row.former_names == ("b",)


def test_the_ends_of_chains() -> None:
    assert final_names(moves("a>b", "b>c", "x>y")) == {"a": "c", "b": "c", "x": "y"}


def decide(pairs: tuple[Moved, ...], wanted: str, *records: RecordedJob, at=None, serial: int = 1) -> Plan:
    stack = replace(STACK, moved=pairs)
    observation = at or look(found())
    jobs = tuple(job(name) for name in wanted)
    record = Recorded({one.name: one for one in records}, serial=serial)
    return plan(DesiredStack(stack, jobs), record, {observation.account: observation}, LOCAL, Options(allow_empty=True))


def test_a_renamed_job_is_as_it_was() -> None:
    made = decide(moves("a>b"), "b", A)
    assert [decided.job for decided in made.jobs] == ["b"]
    assert show(made, "b").startswith("wait Active")
    assert not any(word in show(made, "b") for word in ("create", "cancel", "delete", "forget"))
    assert made.drift == ()


def test_without_the_entry_it_would_be_removed_and_bought_again() -> None:
    made = decide((), "b", A)
    assert (show(made, "a").split()[0], show(made, "b").split()[0]) == ("delete", "create")


def test_with_the_state_lost_the_mark_of_the_former_name_is_known() -> None:
    made = decide(moves("a>b"), "b", serial=0)
    assert show(made, "b").startswith("adopt Active")
    assert made.drift == ()


def test_a_clash_is_held_back_and_the_others_go_on() -> None:
    theirs = replace(found(name="b"), mark=mark(1, name="b", token_of=7))
    second = replace(B, attempts=(replace(B.attempts[0], token=token(7)),))
    made = decide(moves("a>b"), "bc", A, second, at=look(found(), theirs))
    assert show(made, "a") == "delete Active consent | ! MovedTwice"
    assert "spec.moved says that a is b now" in made.guards[0].message
    assert show(made, "b") == "wait Active"
    assert show(made, "c").startswith("create")


def test_a_rename_by_hand_takes_along_what_depends_on_it() -> None:
    before = recorded(row(job(), attempt(1)), row(job("z", needs=["a"]), attempt(name="z")))
    writes = rename(before.jobs["a"], "c", before)
    assert writes[0] == RenameJob("a", "c")
    saved = {write.job.name: write.job for write in writes if isinstance(write, SaveJob)}
    assert saved["c"].former_names == ("a",)
    assert saved["z"].depends_on == ("c",)
