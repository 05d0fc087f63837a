"""One service at two addresses, and two services with one name for two jobs: whose job a remote job is."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Account
from batchctl.model.observed import RemoteJob
from batchctl.model.steps import Cancel
from tests.support.decisions import HERE, NOW, THERE, attempt, collected, decide, found, job, look, mark, row, show
from tests.support.values import replace

MOVED = replace(found(1, "SUCCEEDED"), account=THERE)


@pytest.mark.parametrize(
    ("record", "seen", "account"),
    [
        (collected(gone_time=NOW), MOVED, THERE),
        (collected(), MOVED, HERE),
        (collected(gone_time=NOW), replace(MOVED, account=HERE), HERE),
    ],
    ids=["gone here, seen there", "not known here", "seen here again"],
)
def test_a_record_that_counts_as_gone_moves_to_where_its_job_is_seen(
    record: RecordedAttempt, seen: RemoteJob, account: Account
) -> None:
    looks = [look(complete=False), look(seen, account=THERE)] if seen.account == THERE else [look(seen)]
    plan = decide([job()], [row(job(), record)], looks)
    (one,) = plan.jobs
    assert one.attempt is not None
    assert (one.attempt.account, one.attempt.gone_time) == (account, None)


@pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED"])
@pytest.mark.parametrize("account", [HERE, THERE])
def test_a_job_that_two_addresses_show_stays_where_it_is(account: Account, state: str) -> None:
    looks = [look(found(1, state)), look(replace(found(1, state), account=THERE), account=THERE)]
    record = collected(1, state, account=account) if state == "SUCCEEDED" else attempt(1, state, account=account)
    plan = decide([job(account=account)], [row(job(account=account), record)], looks)
    (one,) = plan.jobs
    assert one.attempt is not None
    assert (one.attempt.account, plan.drift, [step for step in one.steps if isinstance(step, Cancel)]) == (
        account,
        (),
        [],
    )


OTHER = replace(found(), account=THERE, mark=mark(1, token_of=7))
"""Another service's job that has the same name by chance."""


def test_another_services_job_of_one_name_is_not_the_recorded_one() -> None:
    plan = decide([job()], [row(job(), collected(gone_time=NOW))], [look(), look(OTHER, account=THERE)])
    (one,) = plan.jobs
    assert one.attempt is not None
    assert (one.attempt.account, one.attempt.token) == (HERE, "token00001")
    assert [(step.account, step.remote) for step in one.steps if isinstance(step, Cancel)] == [(THERE, OTHER.name)]


def test_while_its_own_account_is_unknown_it_is_not_taken_for_it() -> None:
    plan = decide([job()], [row(job(), attempt())], [look(complete=False), look(OTHER, account=THERE)])
    assert show(plan) == "wait Unknown"


def test_two_jobs_of_one_name_and_number_are_one_too_many() -> None:
    plan = decide([job()], [row(job(), attempt())], [look(found()), look(OTHER, account=THERE)])
    (one,) = plan.jobs
    assert [(step.account, step.remote) for step in one.steps if isinstance(step, Cancel)] == [(THERE, OTHER.name)]
    assert [drift.kind for drift in plan.drift] == ["Duplicate"]
