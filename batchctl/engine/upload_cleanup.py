"""Delete uploaded files that are no longer needed, at the end of a pass: the attempts that it has made count, too.

Which these are is decided in `reconcile`. Nothing depends on it: a file that cannot be deleted is left, and said once.
"""

from __future__ import annotations

from batchctl.engine.journal import Journal
from batchctl.engine.observations import Observations
from batchctl.engine.tools import Tools
from batchctl.model.errors import BatchctlError, NotFound, PermissionDenied
from batchctl.model.plan import Plan
from batchctl.model.recorded import RecordedFile
from batchctl.model.stack import Stack
from batchctl.reconcile import expects_attempt, find_unneeded, is_expired

_AGAIN = 3600.0
"""Seconds after which a file that could not be deleted is tried once more."""


def clean_up(stack: Stack, planned: Plan, journal: Journal, observations: Observations, tools: Tools) -> None:
    """Raises StateError."""
    recorded = journal.recorded
    for file in find_unneeded(recorded, observations.observed, stack, expects_attempt(planned), tools.clock.now()):
        if tools.clock.is_stopped():
            return
        _clean(file, journal, tools)
    journal.commit()


def _clean(file: RecordedFile, journal: Journal, tools: Tools) -> None:
    subject, now = f"the upload {file.name}", tools.clock.elapsed()
    if now < tools.postponed.get(file.name, now):
        return
    try:
        provider = tools.providers.get(file.account)
        if not is_expired(file, provider.now()):
            journal.check()
            provider.delete_file(file.name)
    except (NotFound, PermissionDenied):
        # Gone, or not ours to delete any more: the API says the same of both.
        pass
    except BatchctlError as error:
        tools.postponed[file.name] = now + _AGAIN
        tools.progress.warn(f"{subject} is needed no more, and could not be deleted: {error.message}")
        return
    journal.note_file_dropped(file)
