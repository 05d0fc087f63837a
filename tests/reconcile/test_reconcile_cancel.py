"""What `batchctl cancel` does: stop what works, keep the order, decide nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reconcile_build import (
    LOCAL,
    NOW,
    SECOND,
    THERE,
    Situation,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    seen,
    show,
    unanswered,
)

from batchctl.model.plan import RecordJob
from batchctl.model.recorded import RecordedAttempt
from batchctl.reconcile import Options, Scope

CANCEL = Options(cancel=True)


def ordered(record: RecordedAttempt, state: str | None = None, **lifecycle: object) -> Situation:
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, record), look(seen(record, state)), CANCEL)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        *(
            pytest.param(
                ordered(attempt(1, state)),
                "cancel Removing unfinished consent | row a@1 cancel-requested | cancel a@1.0 user",
                id=f"{state}: cancelled",
            )
            for state in ("QUEUED", "PENDING", "RUNNING", "CANCELLING")
        ),
        pytest.param(
            ordered(attempt(1, cancel_time=NOW - SECOND)),
            "cancel Removing unfinished consent | row a@1 cancel-requested",
            id="a cancel was sent a moment ago: the order is kept",
        ),
        pytest.param(
            ordered(attempt(1, "PENDING"), "RUNNING"),
            "cancel Removing unfinished consent | record a@1.0 refreshed | row a@1 cancel-requested | cancel a@1.0 user",
            id="what was seen is written down",
        ),
        pytest.param(
            ordered(attempt(), "SUCCEEDED"), "none Succeeded | record a@1.0 refreshed", id="it has ended: nothing"
        ),
        pytest.param(ordered(collected()), "none Succeeded", id="it has ended and is collected: nothing"),
        pytest.param(
            Situation(job(), None, look(found()), CANCEL), "none Unknown", id="found by its mark only: adopted first"
        ),
        pytest.param(
            ordered(attempt(1, "SUCCEEDED", results_lost=True)), "none ResultsLost", id="its results are lost: nothing"
        ),
        *(
            pytest.param(ordered(attempt(1, state)), "none Unknown", id=f"{state}: never cancelled")
            for state in ("PAUSED", "UPDATING", "BREWING")
        ),
        pytest.param(replace(ordered(attempt()), look=look()), "wait Unknown", id="not known in this pass: wait"),
        pytest.param(replace(ordered(attempt()), look=look(account=THERE)), "wait Unknown", id="nobody looked: wait"),
        pytest.param(
            replace(ordered(attempt()), look=look(gone=["batches/a-1"])),
            "none Unknown | record a@1.0 gone | ~ Missing",
            id="gone: nothing to cancel",
        ),
        pytest.param(
            replace(ordered(attempt()), look=look(found(), complete=False)),
            "cancel Removing unfinished consent | row a@1 cancel-requested | cancel a@1.0 user",
            id="a page failed, but the job is seen: a person's order is carried out",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered()), look(), CANCEL), "none Unknown", id="an open intent: nothing yet"
        ),
        pytest.param(Situation(job(), None, look(), CANCEL), "none Waiting", id="never created: nothing"),
        pytest.param(Situation(job(), row(job()), look(), CANCEL), "none Waiting", id="no attempt yet: nothing"),
        pytest.param(
            ordered(attempt(), protect=True),
            "cancel Removing consent | ! Protected",
            id="protected: refused",
        ),
    ],
)
def test_cancel(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_a_recorded_job_without_a_manifest_can_be_cancelled_by_name() -> None:
    options = replace(CANCEL, scope=Scope(names=frozenset({"a"})))

    made = decide([], [row(job(), attempt())], [look(found())], options)

    assert show(made) == "cancel Removing unfinished consent | row a@1 cancel-requested | cancel a@1.0 user"


def test_the_order_keeps_its_time() -> None:
    step = ordered(attempt()).decide().jobs[0].steps[0]

    assert step == RecordJob(row(job(), cancel_requested=LOCAL))


def test_all_that_works_is_cancelled_and_nothing_else_is_decided() -> None:
    wanted = [job("a"), job("b", work="2"), job("c")]
    records = [row(wanted[0], attempt()), row(job("b"), collected(name="b"))]

    made = decide(wanted, records, [look(found(), seen(collected(name="b")))], CANCEL)

    assert [decided.action for decided in made.jobs] == ["cancel", "none", "none"]
