"""What moves the digest of a plan, and what makes a reviewed plan stale."""

from __future__ import annotations

import pytest

from batchctl.model.admission import AdmissionLimits
from batchctl.model.attempts import CancelCause
from batchctl.model.desired import DesiredStack
from batchctl.model.lifecycle import OnRemove
from batchctl.model.plan import Plan
from batchctl.model.plan_digest import PlanDigest, reviewed_terms
from batchctl.model.recorded import Recorded
from batchctl.model.stack import Limits
from batchctl.reconcile import Options, find_stale, plan
from tests.support.decisions import (
    HERE,
    HOUR,
    LOCAL,
    NOW,
    STACK,
    Situation,
    attempt,
    collected,
    decide,
    found,
    job,
    kept,
    look,
    row,
    seen,
    unanswered,
)
from tests.support.values import replace

CREATE = Situation(job())
RUNNING = attempt()
REPLACE = Situation(job(work="2"), row(job(), RUNNING), look(seen(RUNNING)))
REMOVE = Situation(None, row(job(), RUNNING), look(seen(RUNNING)))
DONE = collected()
ENDED = Situation(job(work="2"), row(job(), DONE), look(seen(DONE)), inventory=kept(DONE))
UPDATE = Situation(job(backoff_limit=2), row(job(), RUNNING), look(seen(RUNNING)))


def fits(reviewed: Plan, present: Plan) -> bool:
    """Whether a present plan may be carried out, by its digest and by its terms: both ways agree."""
    stale = find_stale(reviewed_terms(reviewed), present)
    allowed = PlanDigest.parse(str(PlanDigest.of(reviewed))).allows(PlanDigest.of(present))
    assert allowed == (not stale), stale
    return allowed


STEADY = [
    pytest.param(CREATE, replace(CREATE, local=LOCAL + HOUR), id="time"),
    pytest.param(CREATE, replace(CREATE, wanted=job(path="other/a.yaml")), id="the manifest's place"),
    pytest.param(CREATE, replace(CREATE, wanted=job(tokens=9_000)), id="size and tokens"),
    pytest.param(CREATE, replace(CREATE, options=Options(consent=False)), id="consent"),
    pytest.param(REPLACE, replace(REPLACE, look=look(seen(RUNNING, "PENDING"))), id="queued or running"),
    pytest.param(
        REPLACE,
        replace(REPLACE, record=row(job(), replace(RUNNING, rows=replace(RUNNING.rows, ok=3)))),
        id="progress of rows",
    ),
    pytest.param(
        ENDED, replace(ENDED, record=row(job(), replace(DONE, results=None)), inventory=None), id="collection"
    ),
    pytest.param(
        UPDATE, replace(UPDATE, record=row(job(backoff_limit=2), RUNNING)), id="a free change that is made already"
    ),
    pytest.param(
        UPDATE, replace(UPDATE, look=look(seen(RUNNING, "SUCCEEDED", end_time=NOW))), id="a free change, job ended"
    ),
    pytest.param(UPDATE, Situation(), id="a free change, and no job"),
    pytest.param(
        Situation(job(), row(job(), RUNNING), look(seen(RUNNING))),
        Situation(job(), row(job(), RUNNING), look(seen(RUNNING, "SUCCEEDED", end_time=NOW))),
        id="a job that only ends",
    ),
    pytest.param(
        Situation(None, row(job(), RUNNING, removing_time=NOW), look(seen(RUNNING))),
        Situation(None, row(job(), RUNNING, removing_time=NOW), look(gone=["batches/a-1"])),
        id="a removal under way",
    ),
]


@pytest.mark.parametrize(("reviewed", "present"), STEADY)
def test_what_does_not_move_a_plan(reviewed: Situation, present: Situation) -> None:
    assert fits(reviewed.decide(), present.decide())


MOVED = [
    pytest.param(CREATE, replace(CREATE, wanted=job(work="2")), "its manifest has changed", id="work"),
    pytest.param(CREATE, replace(CREATE, wanted=job(priority=3)), "its manifest has changed", id="settings"),
    pytest.param(
        CREATE, replace(CREATE, wanted=None), "create was planned, and the job is not here any more", id="no manifest"
    ),
    pytest.param(
        CREATE,
        Situation(job(), row(job(), RUNNING), look(seen(RUNNING))),
        "create was planned, and is not due now (wait: running)",
        id="created since",
    ),
    pytest.param(
        CREATE,
        Situation(job(), row(job(), unanswered(first_look=LOCAL - HOUR)), look()),
        "create was planned, and is not due now (create: ",
        id="an open intent",
    ),
    pytest.param(
        CREATE,
        REPLACE,
        "replace is due now, and create was planned; its current attempt is 1, and was none",
        id="other change",
    ),
    pytest.param(
        REPLACE,
        replace(REPLACE, record=row(job(work="3"), attempt(work="3")), look=look(found(work="3"))),
        "its recorded work is 33333333, and was 11111111",
        id="recorded digest",
    ),
    pytest.param(
        REPLACE,
        replace(REPLACE, record=row(job(), attempt(1, "FAILED"), attempt(2)), look=look(found(1, "FAILED"), found(2))),
        "its current attempt is 2, and was 1",
        id="attempt",
    ),
    pytest.param(
        REPLACE,
        replace(REPLACE, look=look(seen(RUNNING, "SUCCEEDED", end_time=NOW))),
        "it is succeeded, and was active",
        id="phase",
    ),
    pytest.param(
        REPLACE,
        replace(REPLACE, look=look(seen(RUNNING, "FAILED", end_time=NOW))),
        "it is failed, and was active",
        id="failed",
    ),
    pytest.param(
        ENDED, replace(ENDED, look=look(gone=["batches/a-1"])), "its remote job is gone, and was present", id="observed"
    ),
    pytest.param(
        REPLACE,
        replace(REPLACE, record=row(job(), replace(RUNNING, cancel_time=NOW, cancel_cause=CancelCause.REPLACE))),
        "replace was planned, and is not due now (replace: ",
        id="begun since",
    ),
    pytest.param(
        REMOVE,
        replace(REMOVE, record=row(job(on_remove=OnRemove.CANCEL), RUNNING)),
        "delete (onRemove: cancel) is due now, and delete (onRemove: delete) was planned",
        id="onRemove",
    ),
    pytest.param(
        REMOVE,
        replace(REMOVE, options=Options(discard_results=True)),
        "delete (onRemove: delete), discarding results is due now",
        id="results discarded",
    ),
    pytest.param(
        replace(CREATE, options=Options(max_create=0)),
        CREATE,
        "it was refused (TooManyCreates), and is not now",
        id="allowed now",
    ),
    pytest.param(
        CREATE, replace(CREATE, options=Options(max_create=0)), "it is refused now (TooManyCreates)", id="refused"
    ),
    pytest.param(
        Situation(job(), row(job(), RUNNING), look(seen(RUNNING))),
        UPDATE,
        "update is not in the plan",
        id="a new free change",
    ),
    pytest.param(
        UPDATE, replace(UPDATE, wanted=job(backoff_limit=3)), "its manifest has changed", id="another free change"
    ),
    pytest.param(Situation(None), CREATE, "create is not in the plan", id="a new manifest"),
]


@pytest.mark.parametrize(("reviewed", "present", "why"), MOVED)
def test_what_moves_a_plan(reviewed: Situation, present: Situation, why: str) -> None:
    before, now = reviewed.decide(), present.decide()
    assert not fits(before, now)
    (stale,) = find_stale(reviewed_terms(before), now)
    assert stale.job == "a"
    assert why in stale.what


def test_a_create_is_the_same_whether_it_can_begin_or_waits_for_its_turn() -> None:
    wanted = [job("a"), job("b", needs=["a"]), job("c")]
    free = decide(wanted, looks=[look()])
    full = decide(wanted, looks=[look()], limits=Limits(admission=AdmissionLimits(active=1)))
    assert [one.action for one in free.jobs] != [one.action for one in full.jobs]
    assert fits(free, full)
    assert {name: terms["change"] for name, terms in reviewed_terms(free).items()} == dict.fromkeys("abc", "create")


def test_a_job_that_cannot_be_seen_is_no_difference_of_a_saved_plan() -> None:
    """The pass does nothing about it, and its account's error is the result. A digest cannot show which job it is."""
    reviewed, hidden = CREATE.decide(), replace(CREATE, look=look(complete=False)).decide()
    assert find_stale(reviewed_terms(reviewed), hidden) == ()
    assert not PlanDigest.of(reviewed).allows(PlanDigest.of(hidden))


def planned(lineage: str, serial: int) -> Plan:
    return plan(DesiredStack(STACK, (job(),)), Recorded(serial=serial, lineage=lineage), {HERE: look()}, LOCAL)


@pytest.mark.parametrize(
    ("before", "now", "fit"),
    [
        pytest.param(("one", 3), ("one", 9), True, id="a serial moved"),
        pytest.param(("one", 3), ("two", 3), False, id="another lineage"),
        pytest.param(("one", 0), ("two", 5), True, id="no record then"),
        pytest.param(("one", 3), ("two", 0), False, id="no record now"),
    ],
)
def test_a_serial_may_move_and_a_lineage_may_not(before: tuple[str, int], now: tuple[str, int], *, fit: bool) -> None:
    assert PlanDigest.of(planned(*before)).allows(PlanDigest.of(planned(*now))) is fit


def test_a_plan_of_another_stack_has_another_digest() -> None:
    mine = CREATE.decide()
    assert not PlanDigest.of(mine).allows(PlanDigest.of(replace(mine, uid="zzzzzz")))
    assert not PlanDigest.of(mine).allows(PlanDigest.of(replace(mine, stack="other")))


@pytest.mark.parametrize(
    ("situation", "phase", "observed"),
    [
        (CREATE, "new", "none"),
        (Situation(job(work="2"), row(job(), attempt(1, None, remote=None, rejected=True))), "unsent", "none"),
        (REPLACE, "active", "present"),
        (replace(REPLACE, look=look(seen(RUNNING, "PARTIALLY_SUCCEEDED", end_time=NOW))), "succeeded", "present"),
        (replace(REPLACE, look=look(seen(RUNNING, "EXPIRED", end_time=NOW))), "failed", "present"),
        (replace(UPDATE, look=look(seen(RUNNING, "BREWING"))), "other", "present"),
        (replace(UPDATE, look=look(gone=["batches/a-1"]), confirmed=False), "active", "missing"),
        (replace(UPDATE, look=look(complete=False)), "active", "unknown"),
        (replace(ENDED, look=look(gone=["batches/a-1"])), "succeeded", "gone"),
    ],
)
def test_the_terms_have_the_phase_and_what_was_observed(situation: Situation, phase: str, observed: str) -> None:
    terms = reviewed_terms(situation.decide())["a"]
    assert (terms["phase"], terms["observed"]) == (phase, observed)


def test_an_unknown_digest_is_refused() -> None:
    for text in ("", "p1:12", "p2:" + "0" * 64, "p1:" + "G" * 64, "p1:" + "0" * 65):
        with pytest.raises(ValueError, match="not the digest of a plan"):
            PlanDigest.parse(text)
