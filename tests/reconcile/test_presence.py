"""Whether the remote job of a recorded attempt is present, gone or unknown in the observations of a pass."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.observed import Gone, Observation, Presence, Present, Unknown
from batchctl.reconcile.view.attempts import look_up
from tests.support.decisions import HERE, NOW, attempt, collected, look, seen, unanswered

SHOWN = seen(attempt())
TORN = Unknown("page 2 failed")
REUSED = collected(remote=None)


@pytest.mark.parametrize(
    ("record", "observation", "presence"),
    [
        pytest.param(attempt(), look(SHOWN), Present(SHOWN), id="in the list"),
        pytest.param(attempt(), look(SHOWN, complete=False), Present(SHOWN), id="in a part of the list"),
        pytest.param(attempt(), look(shown={"batches/a-1": SHOWN}), Present(SHOWN), id="a direct get shows it"),
        pytest.param(attempt(gone_time=NOW), look(SHOWN), Present(SHOWN), id="it is back"),
        pytest.param(attempt(), look(complete=False), TORN, id="the list is incomplete"),
        pytest.param(attempt(delete_time=NOW), look(complete=False), TORN, id="deleted, and the list is incomplete"),
        pytest.param(attempt(gone_time=NOW), look(complete=False), Gone(), id="it was confirmed gone before"),
        pytest.param(attempt(delete_time=NOW), look(), Gone(), id="deleted by batchctl"),
        pytest.param(attempt(), look(gone=["batches/a-1"]), Gone(), id="a direct get says 404"),
        pytest.param(attempt(), look(forbidden=["batches/a-1"]), Unknown("403"), id="a direct get fails"),
        pytest.param(
            attempt(), look(), Unknown("it is not in the list, and no direct get was made"), id="no direct get was made"
        ),
        pytest.param(attempt(), None, Unknown(f"{HERE} was not read"), id="the account was not read"),
        pytest.param(attempt(gone_time=NOW), None, Gone(), id="gone, and the account was not read"),
        pytest.param(unanswered(), look(), Gone(), id="an unanswered call, and a complete list"),
        pytest.param(unanswered(), look(complete=False), TORN, id="an unanswered call, and an incomplete list"),
        pytest.param(REUSED, look(), Gone(), id="it was never sent"),
        pytest.param(REUSED, look(complete=False), Gone(), id="it was never sent, and the list is incomplete"),
        pytest.param(REUSED, None, Gone(), id="it was never sent, and the account was not read"),
    ],
)
def test_a_remote_job_is_present_gone_or_unknown(
    record: RecordedAttempt, observation: Observation | None, presence: Presence
) -> None:
    assert look_up(record, {} if observation is None else {HERE: observation}) == presence
