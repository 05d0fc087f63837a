"""The settings of a manifest that changed without a change of the work: free, and followed without leave."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.plan import Action, Change
from batchctl.model.reasons import Reason
from batchctl.model.recorded import RecordedJob
from batchctl.model.settings import settings_of
from batchctl.reconcile.decision import Decision


def find_updates(recorded: RecordedJob | None, row: RecordedJob) -> tuple[Change, ...]:
    """What the job's new row says otherwise than its recorded one, sorted by path; nothing for a new job."""
    if recorded is None:
        return ()
    if recorded.webhook is None:
        row = replace(row, webhook=None)
    if recorded.priority is None:
        row = replace(row, priority=None)
    before, after = settings_of(recorded), settings_of(row)
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return tuple(Change(path, before.get(path), after.get(path)) for path in paths)


def label_update(decision: Decision) -> Decision:
    """The decision as an update, where changed settings are all that is to be carried out."""
    if not decision.updates or decision.action not in {Action.WAIT, Action.NONE}:
        return decision
    reason = f"settings changed; {decision.reason}"
    return replace(decision, action=Action.UPDATE, code=Reason.SETTINGS_CHANGED, reason=reason)
