"""Options of a plan from the command line: its scope, and the guards that are lifted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from msgspec import Struct, field

from batchctl.model.desired import DesiredJob
from batchctl.model.keys import AttemptKey
from batchctl.model.recorded import JobRow, Recorded
from batchctl.model.row_work import RowOrder
from batchctl.reconcile.selector import Selector

WHOLE_STACK = "."


class Scope(Struct, frozen=True):
    """Which jobs a plan is about. Empty fields narrow nothing."""

    paths: frozenset[str] = frozenset()
    """Files and folders relative to the stack's folder; `.` is the whole stack, `-` standard input."""
    selector: Selector = ()
    names: frozenset[str] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is narrowed, so that a job without a manifest differs from one out of scope."""
        return not self.selector and not self.names and (not self.paths or WHOLE_STACK in self.paths)

    def contains(self, name: str, path: str, labels: Mapping[str, str]) -> bool:
        """Whether a job is in scope, by the path and labels in its manifest or its record."""
        if self.names and name not in self.names:
            return False
        if not all(requirement.matches(labels) for requirement in self.selector):
            return False
        if not self.paths or WHOLE_STACK in self.paths:
            return True
        return path in self.paths or any(folder in self.paths for folder in _folders(path))


def names_in_scope(scope: Scope, manifests: Mapping[str, DesiredJob], recorded: Recorded) -> set[str]:
    """Every job in scope that is desired or recorded. Where there is a manifest, its path and labels count."""
    if scope.is_whole:
        return {*recorded.jobs, *manifests}
    owners: dict[str, DesiredJob | JobRow] = {name: job.row for name, job in recorded.jobs.items()}
    owners |= manifests
    return {name for name, owner in owners.items() if scope.contains(name, owner.path, owner.labels)}


def _folders(path: str) -> Iterator[str]:
    """The parent folders of a path, innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


class Options(Struct, frozen=True):
    """Scope, consent and lifted guards of one plan."""

    scope: Scope = field(default_factory=Scope)
    consent: bool = True
    """False leaves every action that needs consent, and says so: `watch` or `apply` without `--yes`."""
    destroy: bool = False
    """Nothing in scope is desired, by explicit order: the guard against emptiness is lifted."""
    any_number: bool = False
    """However many are to be removed, a person who saw the number agrees to it, where `max_delete` says no other."""
    cancel: bool = False
    """Cancel the active jobs in scope, and decide nothing else."""
    retry: bool = False
    """Order a new attempt of the jobs that the scope names, after one that has ended without success."""
    accept_canary: bool = False
    """With `retry`: buy the other rows although the canary failed."""
    retry_rows: RowOrder | None = None
    """With `retry`: the rows to send; None: those without a good answer."""
    allow_empty: bool = False
    allow_protected: bool = False
    adopt_changed: bool = False
    prune_orphans: bool = False
    discard_results: bool = False
    show_unmanaged: bool = False
    rerun: frozenset[str] = frozenset()
    """Jobs whose work is bought again, though results of it are here."""
    rename_as_new: bool = False
    """A removed job and a new one for the same work are intended: they are no rename."""
    new_state: bool = False
    """That the state is empty is right: nothing of this stack has run before."""
    in_ci: bool = False
    """Whether this is a run of a CI service, where files of earlier runs tend to be lost."""
    budget_increase: Decimal = Decimal(0)
    """Money by which the budgets are raised, in their currency."""
    tokens_increase: int = 0
    """Tokens by which the limits of tokens are raised."""
    bought: frozenset[AttemptKey] = frozenset()
    """Attempts that earlier passes of the same run created: they count for the limits of one run."""
    allow_unknown_cost: bool = False
    """Jobs of unknown cost do not count for the budgets, and are bought."""
    waits_for_budget: bool = False
    """For `watch`: jobs that the budgets do not allow wait, and the rest is bought. Else all of it is refused."""
    max_create: int | None = None
    """None takes the stack's limit; the same for the next two."""
    max_replace: int | None = None
    max_delete: int | None = None
