"""What the guards have to know of this run: the flags that lift them, and the facts that only the machine tells."""

from __future__ import annotations

import os
from collections.abc import Mapping

from batchctl.cli.workspace import Workspace
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError
from batchctl.model.plan import Plan
from batchctl.reconcile import Options
from batchctl.rows.kept import has_results

_TRUE = frozenset({"1", "true"})


def guarded_options(workspace: Workspace, flags: Mapping[str, int | bool | None]) -> Options:
    """The options of a plan that may create jobs. Raises StateError, ResultsError."""
    found: frozenset[str] = frozenset()
    if workspace.state.load().is_new:
        results = workspace.stack.results
        found = frozenset(job.name for job in workspace.desired.jobs if has_results(results, job.name, job.digest))
    in_ci = os.environ.get("CI", "").lower() in _TRUE
    return Options(workspace.scope, in_ci=in_ci, has_results=found, **flags)  # type: ignore[arg-type]


def refuse_new_state(plan: Plan) -> None:
    """Raise GuardError where the plan doubts that the state may be empty.

    Then nothing at all is done: a single record would make the state look like one that was kept.
    """
    for guard in plan.guards:
        if guard.code == ErrorCode.NEW_STATE:
            raise GuardError(guard.message, code=guard.code, hint=f"{guard.flag}, if nothing of it has run before")
