"""The options of a run that guards need: the flags that allow something, and whether it is a CI run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypeAlias

from batchctl.cli.budget_options import read_increases
from batchctl.cli.workspace import Workspace
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError, UsageError
from batchctl.model.plan import Plan
from batchctl.reconcile import Options

_TRUE = frozenset({"1", "true"})


Flag: TypeAlias = int | bool | tuple[str, ...] | None


def guarded_options(workspace: Workspace, flags: Mapping[str, Flag]) -> Options:
    """The options of a plan that may create jobs. Raises StateError, and BatchctlError for an unknown `--rerun`."""
    in_ci = os.environ.get("CI", "").lower() in _TRUE
    increases = flags.get("budget_increase")
    money, tokens = increases_of(workspace, increases if isinstance(increases, tuple) else ())
    given = {name: frozenset(value) if isinstance(value, tuple) else value for name, value in flags.items()}
    given |= {"budget_increase": money, "tokens_increase": tokens}  # type: ignore[dict-item]
    options = Options(workspace.scope, in_ci=in_ci, **given)  # type: ignore[arg-type]
    _require_manifests(workspace, options.rerun)
    return options


def increases_of(workspace: Workspace, given: Iterable[str]) -> tuple[Decimal, int]:
    """The money and the tokens of `--budget-increase`. Raises UsageError."""
    return read_increases(given, workspace.stack.limits.spending.currency)


def _require_manifests(workspace: Workspace, names: frozenset[str]) -> None:
    """Raise for a job without a manifest."""
    if not names:
        return
    workspace.require(names, workspace.recorded)
    manifests = {job.name for job in workspace.desired.jobs}
    for name in names:
        if name not in manifests:
            raise UsageError(f"--rerun {name}: it has no manifest any more", hint="restore its manifest")


def refuse_new_state(plan: Plan) -> None:
    """Raise GuardError if the plan refuses to start with an empty state.

    Nothing is written in that case: a single record would make the state look like one that was kept.
    """
    for guard in plan.guards:
        if guard.code == ErrorCode.NEW_STATE:
            raise GuardError(guard.message, code=guard.code, hint=f"{guard.way_out}, if the stack has not run before")
