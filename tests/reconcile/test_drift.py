"""Drift: how observed can differ from recorded through no act of ours, and what is not ours at all."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause
from batchctl.model.observed import Moment
from batchctl.model.plan import Drift, DriftKind
from batchctl.reconcile import Options
from tests.support.decisions import (
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
)
from tests.support.values import replace

UNCONFIRMED = "; a second look has yet to confirm it"
NOW_MISSED = Moment(LOCAL, NOW)
CANCELLED = attempt(1, "CANCELLED", results="a/1")


def drift_of(situation: Situation) -> list[tuple[DriftKind, str]]:
    return [(drift.kind, drift.detail) for drift in situation.decide().drift]


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(), row(job(), attempt()), look(found(1, "CANCELLED"))),
            [(DriftKind.CANCELLED, "batches/a-1 was cancelled, and not by batchctl")],
            id="cancelled by a stranger",
        ),
        pytest.param(
            Situation(job(), row(job(), CANCELLED), look(seen(CANCELLED))),
            [(DriftKind.CANCELLED, "batches/a-1 was cancelled, and not by batchctl")],
            id="cancelled by a stranger, written down: it stays",
        ),
        pytest.param(
            Situation(job(), row(job(), replace(CANCELLED, cancel_time=NOW)), look(seen(CANCELLED))),
            [],
            id="cancelled by us",
        ),
        pytest.param(
            Situation(job(), row(job(), replace(CANCELLED, adopted=True)), look(seen(CANCELLED))),
            [],
            id="cancelled by nobody knows whom before it was adopted",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt()), look(gone=["batches/a-1"])),
            [(DriftKind.MISSING, "batches/a-1 is gone, and had not ended")],
            id="missing",
        ),
        pytest.param(
            Situation(
                job(), row(job(), attempt(cancel_time=NOW, cancel_cause=CancelCause.USER)), look(gone=["batches/a-1"])
            ),
            [],
            id="gone after our cancel",
        ),
        pytest.param(Situation(job(), row(job(), attempt(delete_time=NOW))), [], id="gone by our delete"),
        pytest.param(
            Situation(job(), row(job(), collected()), look(gone=["batches/a-1"]), confirmed=False),
            [(DriftKind.VANISHED, f"batches/a-1 has ended and is gone; results are at a/1{UNCONFIRMED}")],
            id="vanished, collected",
        ),
        pytest.param(
            Situation(job(), row(job(), collected(missed=NOW_MISSED)), look(gone=["batches/a-1"]), confirmed=False),
            [],
            id="vanished, collected, written down by apply",
        ),
        pytest.param(
            Situation(job(), row(job(), collected()), look(gone=["batches/a-1"])),
            [],
            id="vanished, collected, and confirmed",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt()), look(gone=["batches/a-1"]), confirmed=False),
            [(DriftKind.MISSING, f"batches/a-1 is gone, and had not ended{UNCONFIRMED}")],
            id="missing, seen by one look alone",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1, "SUCCEEDED")), look(gone=["batches/a-1"])),
            [(DriftKind.VANISHED, "batches/a-1 has ended and is gone; its results were not collected")],
            id="vanished, not collected",
        ),
        pytest.param(
            Situation(job(), row(job(), collected(gone_time=LOCAL)), look(gone=["batches/a-1"])),
            [],
            id="vanished, acknowledged by apply",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt()), look(found(mark=None))),
            [(DriftKind.CHANGED, "batches/a-1 has lost its mark")],
            id="changed: no mark any more",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt()), look(found(mark=mark(token_of=9)))),
            [
                (
                    DriftKind.CHANGED,
                    "batches/a-1 carries the mark of another attempt: [bc1 shop/a@1.0 111111111111 token00009 abc123]",
                )
            ],
            id="changed: another token",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt()), look(found(mark=mark(3, uid="fedcba", token_of=1)))),
            [
                (
                    DriftKind.CHANGED,
                    "batches/a-1 carries the mark of another attempt: [bc1 shop/a@3.0 111111111111 token00001 fedcba]",
                )
            ],
            id="changed: another number",
        ),
        pytest.param(Situation(job(), None, look(found())), [], id="adopted: no drift"),
        pytest.param(Situation(job()), [], id="nothing known: no drift"),
        pytest.param(Situation(job(), row(job(), attempt()), look()), [], id="unknown: no drift"),
    ],
)
def test_drift(situation: Situation, expected: list[tuple[DriftKind, str]]) -> None:
    assert drift_of(situation) == expected


def test_an_orphan_is_told() -> None:
    made = decide([], [], [look(found(2), found(1, "SUCCEEDED"))])

    words = "has this stack's mark, but is neither in a manifest nor in the state"
    assert made.drift == (
        Drift("a", DriftKind.ORPHAN, f"batches/a-1 (JOB_STATE_SUCCEEDED) {words}"),
        Drift("a", DriftKind.ORPHAN, f"batches/a-2 (JOB_STATE_RUNNING) {words}"),
    )
    assert made.jobs == ()
    assert not made.has_changes


def test_drift_comes_sorted() -> None:
    wanted = [job("c"), job("a")]
    records = [row(each, attempt(name=each.name)) for each in wanted]
    jobs = [found(name="c", state="CANCELLED"), found(name="b")]

    made = decide(wanted, records, [look(*jobs, gone=["batches/a-1"])])

    assert [(drift.job, drift.kind) for drift in made.drift] == [("a", "Missing"), ("b", "Orphan"), ("c", "Cancelled")]


FOREIGN = replace(found(1, mark=None, display_name="hand-made"), name="batches/z")
OTHER_UID = replace(found(1, mark=mark(uid="fedcba")), name="batches/y")


def test_unmanaged_jobs_are_counted_and_named_when_asked_for() -> None:
    wanted, record = job(), row(job(), attempt())
    shown = look(FOREIGN, OTHER_UID, found())

    plain = decide([wanted], [record], [shown])
    asked = decide([wanted], [record], [shown], Options(show_unmanaged=True))

    assert plain.unmanaged == asked.unmanaged == 2
    assert plain.drift == ()
    assert asked.drift == (
        Drift("batches/y", DriftKind.UNMANAGED, f"JOB_STATE_RUNNING, {OTHER_UID.display_name!r}"),
        Drift("batches/z", DriftKind.UNMANAGED, "JOB_STATE_RUNNING, 'hand-made'"),
    )


def test_an_imported_job_is_managed_though_it_carries_no_mark() -> None:
    made = decide([job()], [row(job(), attempt(1, remote="batches/z"))], [look(FOREIGN)])

    assert made.unmanaged == 0
    assert made.jobs[0].remote == "batches/z"


@pytest.mark.parametrize(
    ("looks", "count"),
    [
        pytest.param([], None, id="nobody looked"),
        pytest.param([look()], 0, id="none there"),
        pytest.param([look(FOREIGN)], 1, id="one there"),
        pytest.param([look(FOREIGN), look(found(1, mark=None), account=THERE)], 2, id="in two accounts"),
        pytest.param([look(FOREIGN, complete=False)], None, id="a page failed"),
        pytest.param([look(FOREIGN, lists_foreign=False)], None, id="the list hides other people's jobs"),
        pytest.param([look(FOREIGN), look(account=THERE, complete=False)], None, id="a page failed elsewhere"),
        pytest.param([look(FOREIGN), look(account=THERE, lists_foreign=False)], None, id="hidden elsewhere"),
    ],
)
def test_the_count_of_unmanaged_jobs_is_told_where_it_is_known(looks: list, count: int | None) -> None:
    assert decide([], [], looks).unmanaged == count


def test_problems_name_the_accounts_that_were_not_read_in_full() -> None:
    made = decide([], [], [look(account=THERE, complete=False), look()])

    assert made.problems == {THERE: "page 2 failed"}


@pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED"])
def test_a_deleted_job_that_a_lagging_list_still_shows_is_gone(state: str) -> None:
    record = attempt(1, state, delete_time=NOW, results="a/1")

    made = decide([], [row(job(), record)], [look(seen(record, mark=None))])

    assert show(made) == "forget Removing | forget a"


def test_the_plan_names_the_stack() -> None:
    assert decide([], [], []).stack == "shop"
