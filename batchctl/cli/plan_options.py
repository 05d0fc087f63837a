"""The options of a plan that a saved plan carries: its target, its scope, and the guards that are lifted.

Values of variables are not saved, because they may be part of a prompt; the names of those that were given are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from batchctl.cli.budget_options import check_increases
from batchctl.cli.common import Common
from batchctl.cli.guard_options import Flag
from batchctl.cli.workspace import Workspace
from batchctl.manifests.manifest_files import STANDARD_INPUT, find_stack_file
from batchctl.manifests.variables import environment_name, set_in_environment
from batchctl.model.errors import UsageError
from batchctl.model.json_value import Json

_FLAGS: Mapping[str, str] = {
    "allowEmpty": "allow_empty",
    "allowProtected": "allow_protected",
    "adoptChanged": "adopt_changed",
    "pruneOrphans": "prune_orphans",
    "discardResults": "discard_results",
    "renameAsNew": "rename_as_new",
    "newState": "new_state",
    "allowUnknownCost": "allow_unknown_cost",
}
_NUMBERS: Mapping[str, str] = {"maxCreate": "max_create", "maxReplace": "max_replace", "maxDelete": "max_delete"}
_LISTS = ("paths", "names", "rerun", "variables", "budgetIncrease")


class PlanOptions(Struct, frozen=True):
    """The options with which a plan was made."""

    folder: str
    """The stack's folder, as the command line reached it; where the plan is applied, it may have another path."""
    paths: tuple[str, ...]
    """Of `-f`, relative to the stack's folder."""
    selector: str | None
    names: tuple[str, ...]
    guards: Mapping[str, Flag]
    variables: tuple[str, ...] = ()
    """The names given with `--set` or in the environment."""
    target: str | None = None

    @classmethod
    def of(cls, workspace: Workspace, selector: str | None, guards: Mapping[str, Flag]) -> PlanOptions:
        """The options of a command."""
        scope = workspace.scope
        stack = workspace.stack
        return cls(
            str(workspace.file.parent),
            tuple(sorted(scope.paths)),
            selector,
            tuple(sorted(scope.names)),
            guards,
            stack.variables_given,
            stack.target,
        )

    def fields(self) -> dict[str, Json]:
        """The options for a document."""
        rerun, increases = self.guards.get("rerun"), self.guards.get("budget_increase")
        return {
            "folder": self.folder,
            "target": self.target,
            "paths": list(self.paths),
            "selector": self.selector,
            "names": list(self.names),
            "rerun": sorted(rerun) if isinstance(rerun, tuple) else [],
            "variables": list(self.variables),
            **{name: bool(self.guards.get(flag)) for name, flag in _FLAGS.items()},
            "budgetIncrease": list(increases) if isinstance(increases, tuple) else [],
            **{name: self.guards.get(flag) for name, flag in _NUMBERS.items()},
        }

    @classmethod
    def read(cls, found: Json) -> PlanOptions:
        """Read what `fields` wrote. Raises ValueError for anything else."""
        known = {"folder", "target", "selector", *_LISTS, *_FLAGS, *_NUMBERS}
        if not isinstance(found, dict) or found.keys() != known:
            raise ValueError("its options are incomplete, or of another release of batchctl")
        lists = {name: _texts(found[name]) for name in _LISTS}
        selector, folder, target = found["selector"], found["folder"], found["target"]
        if not isinstance(folder, str) or not all(isinstance(one, str | None) for one in (selector, target)):
            raise ValueError("its options are invalid")
        guards: dict[str, Flag] = {flag: _flag(found[name]) for name, flag in _FLAGS.items()}
        guards |= {flag: _number(found[name]) for name, flag in _NUMBERS.items()}
        check_increases(lists["budgetIncrease"])
        guards |= {"rerun": lists["rerun"], "budget_increase": lists["budgetIncrease"]}
        return cls(folder, lists["paths"], selector, lists["names"], guards, lists["variables"], target)

    def require_readable(self) -> None:
        """Raise UsageError if the manifests were standard input, which cannot be read again."""
        if STANDARD_INPUT in self.paths:
            message = "this plan is of manifests from standard input, which cannot be read again"
            raise UsageError(message, hint="make the plan of files, or use `batchctl apply -f - --expect DIGEST`")

    def filenames(self, common: Common, env: Mapping[str, str]) -> tuple[str, ...]:
        """The paths of `-f` from the present folder, where the folder of the plan may have another path.

        Raises ManifestError if there is no stack file, and UsageError if a path was standard input.
        """
        self.require_readable()
        file = find_stack_file(common.config, env, [str(Path(self.folder) / path) for path in self.paths], Path())
        return tuple(str(file.parent / path) for path in self.paths)

    def with_target(self, common: Common) -> Common:
        """The common options with the target of the plan. Raises UsageError if they name another one."""
        if common.target not in (None, self.target):
            other = "no target" if self.target is None else f"the target {self.target}"
            hint = "leave --target and BATCHCTL_TARGET out, or make a new plan"
            raise UsageError(f"the plan was made with {other}, and not with {common.target}", hint=hint)
        return common._replace(target=self.target)

    def require_variables(self, common: Common, env: Mapping[str, str]) -> None:
        """Raise UsageError unless `--set` and the environment give the same variables."""
        found = set_in_environment(env)
        given = {text.partition("=")[0] for text in common.set_values}
        given |= {name for name in self.variables if environment_name(name) in found}
        if given != set(self.variables):
            if not self.variables:
                raise UsageError("the plan was made without --set", hint="leave --set out, or make a new plan")
            wanted = " ".join(f"--set {name}=…" for name in self.variables)
            message = f"the plan was made with {wanted}"
            raise UsageError(message, hint="give the same variables with the same values")


def _texts(found: Json) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("its options are invalid")
    return tuple(found)


def _flag(found: Json) -> bool:
    if not isinstance(found, bool):
        raise ValueError("its options are invalid")  # noqa: TRY004  a document with an error, not a wrong call
    return found


def _number(found: Json) -> int | None:
    if found is not None and (isinstance(found, bool) or not isinstance(found, int) or found < 0):
        raise ValueError("its options are invalid")
    return found
