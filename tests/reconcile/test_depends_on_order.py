"""`dependsOn` in reverse: what is removed before what, and the order itself."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.lifecycle import OnRemove
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.recorded import RecordedJob
from batchctl.reconcile import Options
from batchctl.reconcile.view.order import sort_by_needs
from tests.support.decisions import LOCAL, NOW, attempt, collected, decide, job, look, row, seen, show, with_row


def of(made: Plan, name: str = "a") -> JobPlan:
    (found_plan,) = [one for one in made.jobs if one.job == name]
    return found_plan


def done(name: str = "n", **fields: object) -> RecordedAttempt:
    return collected(name=name, **fields)


# --- removal


def leaving(**changes: object) -> tuple[list[RecordedJob], list[RecordedAttempt]]:
    """`a` needs `n`; both have succeeded, and no manifest names them any more."""
    attempts = [collected(), done()]
    records = [row(job(needs=["n"]), attempts[0], **changes), row(job("n"), attempts[1])]
    return records, attempts


def test_a_dependant_is_removed_first() -> None:
    records, attempts = leaving()
    quiet = Options(allow_empty=True)

    first = decide([], records, [look(*map(seen, attempts))], quiet)
    second = decide([], [with_row(records[1], removing_time=LOCAL)], [look(seen(attempts[1]))], quiet)

    assert show(first) == "delete Succeeded consent | delete a@1.0 | forget a"
    assert show(first, "n") == "delete Succeeded unfinished consent | record job n@1 removing"
    assert (of(first, "n").waits_for, of(first, "n").reason) == (("a",), "no longer in a manifest; after a")
    assert show(second, "n") == "delete Removing | delete n@1.0 | forget n"


def test_removals_are_counted_and_guarded_while_they_wait() -> None:
    records, attempts = leaving()

    made = decide([], records, [look(*map(seen, attempts))], Options(allow_empty=True, max_delete=1))

    assert show(made, "n") == "delete Succeeded consent | ! TooManyDeletes"


def test_what_is_waited_for_is_collected_meanwhile_and_marked_once() -> None:
    uncollected = attempt(1, "SUCCEEDED", name="n")
    records = [row(job(needs=["n"]), collected()), row(job("n"), uncollected, removing_time=LOCAL)]

    made = decide([], records, [look(seen(collected()), seen(uncollected))], Options(allow_empty=True))

    assert show(made, "n") == "delete Removing unfinished | collect n@1.0"


@pytest.mark.parametrize(
    ("dependant", "waits"),
    [
        pytest.param(attempt(), True, id="still cancelling"),
        pytest.param(collected(delete_time=NOW, gone_time=LOCAL), False, id="nothing left of it"),
    ],
)
def test_nothing_is_cancelled_before_its_dependants_are_gone(dependant: RecordedAttempt, waits: bool) -> None:
    records = [row(job(needs=["n"]), dependant), row(job("n"), attempt(name="n"))]
    shown = [seen(one) for one in (dependant, attempt(name="n")) if not one.is_gone]

    made = decide([], records, [look(*shown)], Options(allow_empty=True))

    steps = "record job n@1 removing" if waits else "record job n@1 removing | cancel n@1.0 remove"
    assert show(made, "n") == f"delete Active unfinished consent | {steps}"


def test_a_dependant_that_is_let_go_of_or_still_wanted_holds_nothing_up() -> None:
    let_go = [row(job(needs=["n"], on_remove=OnRemove.KEEP), collected()), row(job("n"), done())]
    shown = [look(seen(collected()), seen(done()))]

    assert show(decide([], let_go, shown, Options(allow_empty=True)), "n").endswith("forget n")
    assert show(decide([job()], let_go, shown), "n").endswith("forget n")


def test_recorded_circles_do_not_keep_each_other() -> None:
    records = [row(job(needs=["n"]), collected()), row(job("n", needs=["a"]), done())]

    made = decide([], records, [look(seen(collected()), seen(done()))], Options(allow_empty=True))

    assert [one.unfinished for one in made.jobs] == [False, False]


def test_what_a_manifest_names_is_recorded() -> None:
    wanted = job(needs=["n"])
    record = row(job(), collected())

    made = decide([wanted, job("n")], [record], [look(seen(collected()))])

    assert of(made).steps[0].job.depends_on == ("n",)  # type: ignore[union-attr]


# --- order


@pytest.mark.parametrize(
    ("needs", "names", "circles"),
    [
        ({}, "", ""),
        ({"b": [], "a": []}, "ab", ""),
        ({"a": "b", "b": "c", "c": ""}, "cba", ""),
        ({"a": "bc", "b": "d", "c": "d", "d": "x"}, "dbca", ""),
        ({"a": "a", "b": ""}, "ba", "a"),
        ({"a": "b", "b": "a", "c": "a", "d": ""}, "dabc", "abc"),
    ],
)
def test_sort_by_needs(needs: dict[str, str], names: str, circles: str) -> None:
    made = sort_by_needs(needs)

    assert ("".join(made.names), made.in_circles) == (names, frozenset(circles))


def test_long_chains_are_sorted() -> None:
    needs = {f"{number:05}": [f"{number + 1:05}"] for number in range(20_000)}

    assert sort_by_needs(needs).names[0] == "19999"
