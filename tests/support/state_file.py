"""What the tests of `state …` share: the state file itself, and what happens to it behind the commands' back."""

from __future__ import annotations

from batchctl.engine.clock import SystemClock
from batchctl.model.attempts import Intent
from batchctl.model.writes import SaveAttempt
from batchctl.state.store import FileState, open_state
from tests.support.command_line import StackFolder
from tests.support.values import replace


def state_of(stack: StackFolder) -> FileState:
    path = stack.path / ".batchctl" / "state.db"
    return open_state(path, stack="shop", uid="a1b2c3", clock=SystemClock(), who="tester")


def open_intent(stack: StackFolder, name: str, token: str | None = None) -> None:
    """As if the answer to the create call had been lost; `token`: as if that had been another call."""
    with state_of(stack).lock() as session:
        (attempt,) = session.load().jobs[name].attempts
        lost = replace(attempt, token=token or attempt.token, remote=None, state=None)
        session.commit([SaveAttempt(replace(lost, intent=Intent(SystemClock().now())))])
