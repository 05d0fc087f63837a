"""Compares each short way of the planner with the long one that it stands for.

Nearly all jobs of a large stack are seen as they are recorded, so what can only differ for others is left out for them.
Here it is done for every job, and has to give the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from batchctl.reconcile import fold, planner
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.subjects import Reader
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.drift import find_drift, may_have_drifted
from batchctl.reconcile.view.subject import Subject
from tests.support.values import replace

_ARE_COMPLETE = Reader._are_complete
_BY_STACK_RULES = fold._by_stack_rules


def _are_complete(reader: Reader, name: str, views: tuple[AttemptView, ...]) -> bool:
    found = _ARE_COMPLETE(reader, name, views)
    if found:
        wanted = next((job for job in reader.context.desired.jobs if job.name == name), None)
        asked = None if reader.context.options.destroy else wanted
        assert reader._completed(name, views, wanted, asked) == views, name
    return found


def _may_have_drifted(subject: Subject) -> bool:
    found = may_have_drifted(subject)
    assert found or not list(find_drift(subject)), subject.name
    return found


def _by_stack_rules(decisions: Decisions, context: Context) -> Decisions:
    found = _BY_STACK_RULES(decisions, context)
    of_all = _BY_STACK_RULES(replace(decisions, moving=decisions.jobs.keys()), context)
    assert replace(of_all, moving=found.moving) == found
    return found


@contextmanager
def every_short_way_compared() -> Iterator[None]:
    """Within this, each short way is compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reader, "_are_complete", _are_complete)
        patch.setattr(fold, "_by_stack_rules", _by_stack_rules)
        patch.setattr(planner, "may_have_drifted", _may_have_drifted)
        yield
