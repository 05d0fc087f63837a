"""The arguments of `apply`: names of jobs, or one saved plan.

A word is a plan exactly if it cannot be the name of a job, as `plan.json` and `./plan`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from batchctl.cli.common import Common
from batchctl.cli.guard_options import Flag
from batchctl.cli.saved_plan import SavedPlan, read_plan
from batchctl.cli.workspace import Workspace
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError, ManifestError, UsageError
from batchctl.model.keys import JOB_NAME
from batchctl.model.plan_digest import PlanDigest


def read_saved(
    words: Sequence[str], filenames: Sequence[str], selector: str | None, guards: Mapping[str, Flag]
) -> SavedPlan | None:
    """The saved plan that the arguments name; None if they name jobs, or nothing. Raises UsageError."""
    plans = [word for word in words if not JOB_NAME.fullmatch(word)]
    if not plans:
        return None
    path = plans[0]
    if path == "-":
        raise UsageError("a saved plan is a file", hint="`-f -` reads manifests from standard input")
    saved = read_plan(path)
    if len(words) > 1:
        raise UsageError(f"{path} is a saved plan, which is applied alone", hint="leave the other arguments out")
    given = ["-f"] * bool(filenames) + ["-l"] * (selector is not None) + _flags(guards)
    if given:
        message = f"{path} has its own scope and flags, so {', '.join(given)} cannot be added"
        raise UsageError(message, hint="give them to `batchctl plan --out FILE`")
    return saved


def _flags(guards: Mapping[str, Flag]) -> list[str]:
    named = {"rename_as_new": "yes-rename-as-new"}
    return [
        f"--{named.get(name, name).replace('_', '-')}"
        for name, value in guards.items()
        if value not in (None, False, ())
    ]


def open_saved(
    saved: SavedPlan, common: Common, expected: PlanDigest | None
) -> tuple[Common, tuple[str, ...], str | None, dict[str, Flag]]:
    """The common options, the paths, the selector and the flags of a saved plan. Raises UsageError and GuardError."""
    if expected is not None and saved.digest != expected:
        raise GuardError(
            f"{saved.path} is not the reviewed plan: its digest is {saved.digest}",
            code=ErrorCode.PLAN_STALE,
            hint="use the file of the plan that was reviewed",
        )
    common = saved.options.with_target(common)
    saved.options.require_variables(common, os.environ)
    try:
        filenames = saved.options.filenames(common, os.environ)
    except ManifestError as error:
        message = f"there is no stack file here for {saved.path}, a plan for stack {saved.stack}"
        raise UsageError(message, hint="run it where the plan was made, or with -C") from error
    return common, filenames, saved.options.selector, dict(saved.options.guards)


def require_jobs(workspace: Workspace, names: Sequence[str]) -> None:
    """Raise unless all are names of jobs."""
    known = workspace.known(workspace.recorded)
    for name in names:
        if name not in known and Path(name).is_file():
            raise UsageError(f"there is no job {name}, but a file", hint=f"write ./{name} if it is a saved plan")
    workspace.require(names, workspace.recorded)
