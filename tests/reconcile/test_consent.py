"""Which actions a person has to agree to: what buys, stops or lets go of something."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause
from batchctl.model.decision import Guard
from batchctl.model.lifecycle import OnMissing, OnRemove
from batchctl.model.steps import Cancel, Create, Delete, Forget, RecordJob
from batchctl.reconcile import Options
from tests.support.decisions import (
    LOCAL,
    NOW,
    SECOND,
    Situation,
    attempt,
    collected,
    found,
    job,
    look,
    row,
    seen,
)
from tests.support.values import replace

REPLACED = {"cancel_time": NOW, "cancel_cause": CancelCause.REPLACE}


@pytest.mark.parametrize(
    ("situation", "needed"),
    [
        pytest.param(Situation(job()), True, id="create"),
        pytest.param(Situation(job(), None, look(found())), False, id="adopt"),
        pytest.param(
            Situation(
                job(backoff_limit=1),
                row(job(backoff_limit=1), attempt(1, "FAILED")),
                look(found(1, "FAILED", end_time=NOW - 30 * SECOND)),
            ),
            False,
            id="retry",
        ),
        pytest.param(Situation(job(work="2"), row(job(), attempt()), look(found())), True, id="replace"),
        pytest.param(
            Situation(job(work="2"), row(job(), attempt(1, **REPLACED)), look(found())), False, id="replace, begun"
        ),
        pytest.param(
            Situation(job(active_deadline=SECOND), row(job(active_deadline=SECOND), attempt()), look(found())),
            False,
            id="cancel at a deadline",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt()), look(found()), Options(cancel=True)), True, id="batchctl cancel"
        ),
        pytest.param(
            Situation(None, row(job(), attempt()), look(found()), Options(allow_empty=True)), True, id="remove"
        ),
        pytest.param(
            Situation(None, row(job(), attempt(), removing_time=LOCAL), look(found())), False, id="remove, begun"
        ),
        pytest.param(
            Situation(
                job(ttl_after_finished=SECOND),
                row(job(ttl_after_finished=SECOND), collected()),
                look(seen(collected())),
            ),
            False,
            id="delete after ttl",
        ),
        pytest.param(
            Situation(None, row(job(on_remove=OnRemove.KEEP), attempt()), look(found()), Options(allow_empty=True)),
            True,
            id="let go",
        ),
        pytest.param(Situation(None, row(job(), attempt(gone_time=NOW))), False, id="forget what is gone"),
        pytest.param(
            Situation(job(), row(job(), attempt(1, "SUCCEEDED")), look(found(1, "SUCCEEDED"))), False, id="collect"
        ),
        pytest.param(Situation(job(), row(job(), attempt()), look(found())), False, id="wait"),
        pytest.param(Situation(job(), row(job(), collected()), look(seen(collected()))), False, id="none"),
        pytest.param(
            Situation(
                job(on_missing=OnMissing.RECREATE),
                row(job(on_missing=OnMissing.RECREATE), attempt(gone_time=NOW)),
            ),
            False,
            id="recreate, a policy that was agreed to",
        ),
    ],
)
def test_consent(situation: Situation, *, needed: bool) -> None:
    agreed = situation.decide()
    held = replace(situation, options=replace(situation.options, consent=False)).decide()

    assert agreed.jobs[0].needs_consent is needed
    assert agreed.jobs[0].guard is None
    if needed:
        assert held.guards == (Guard("ConsentNeeded", "these changes need consent", "--yes"),)
        assert held.jobs[0].action == agreed.jobs[0].action
        assert not any(isinstance(step, Create | Cancel | Delete | Forget | RecordJob) for step in held.jobs[0].steps)
    else:
        assert held == agreed
