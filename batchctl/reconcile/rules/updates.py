"""Changes of settings that leave the work as it is: they cost nothing and need no consent."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Change, Decision
from batchctl.model.reasons import Reason
from batchctl.model.recorded import JobRow
from batchctl.model.settings import settings_of
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions

_SENT = ("spec.displayName", "spec.priority", "spec.webhookConfig.", "metadata.labels.")
"""Settings that a create call carries: no API takes them for a job that is there."""
_KEPT = "the remote job keeps what it was created with"


def find_updates(recorded: JobRow | None, row: JobRow, attempt: RecordedAttempt | None) -> tuple[Change, ...]:
    """The settings in which the job's new row differs from its recorded one, by path; none for a new job.

    `attempt` is the one that counts, in whose remote job some settings stay as they were.
    """
    if recorded is None:
        return ()
    if recorded.webhook is None:
        row = replace(row, webhook=None)
    if recorded.priority is None:
        row = replace(row, priority=None)
    if row == recorded:
        return ()  # nearly all jobs
    before, after = settings_of(recorded), settings_of(row)
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    lives = attempt is not None and _lives(attempt)
    return tuple(
        Change(path, before.get(path), after.get(path), detail=_KEPT if lives and path.startswith(_SENT) else "")
        for path in paths
    )


def _lives(attempt: RecordedAttempt) -> bool:
    return attempt.remote is not None and not attempt.is_gone and not attempt.has_ended


def label_updates(decisions: Decisions, _context: Context) -> Decisions:
    """Call a decision an update, where changed settings are all that is carried out. A guard refuses no update."""
    return decisions.map(lambda subject, one: one if subject.name in decisions.guards else _as_update(one))


def _as_update(decision: Decision) -> Decision:
    if not decision.updates or not decision.action.is_quiet:
        return decision
    reason = f"settings changed; {decision.reason}"
    return replace(decision, action=Action.UPDATE, code=Reason.SETTINGS_CHANGED, reason=reason)
