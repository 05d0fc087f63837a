"""A call can take an hour and end the process: what was noted before it is in the state when it begins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.engine.journal import Journal
from batchctl.engine.observations import Observations
from batchctl.engine.preview import preview
from batchctl.engine.steps.admitting import Gate
from batchctl.engine.steps.runner import StepRunner
from batchctl.engine.steps.waiting import DURABLE
from batchctl.model.events import EventKind
from batchctl.model.steps import Cancel, Collect, Delete
from batchctl.reconcile import Options
from tests.support.engine import job

LATER = timedelta(seconds=10)
REMOVED = Options(allow_empty=True, consent=True)


@pytest.mark.parametrize("kind", [Cancel, Collect, Delete], ids=lambda kind: kind.__name__)
def test_what_was_noted_is_durable_before_the_call(world, kind):
    wanted = job("a", world.write_rows("a.jsonl", "k1", "k2"))
    (world.watch if kind is Delete else world.apply)(wanted)
    world.time.advance(timedelta() if kind is Cancel else LATER)
    desired = world.desired(*([wanted] if kind is Collect else []))
    with world.process() as tools, tools.state.lock() as session:
        (plan,) = preview(desired, REMOVED, tools).plan.jobs
        (step,) = [step for step in plan.steps if isinstance(step, kind)]
        journal = Journal(desired.stack, session, session.load(), tools.clock)
        run = StepRunner(desired, journal, Observations({}), Gate(journal, {}), tools).run(plan, (step,))
        journal.note_event("a", 1, EventKind.ADOPTED, "noted, and not written yet")
        assert EventKind.ADOPTED.words not in world.events("a")
        assert next(run) is DURABLE
        journal.commit()
        assert EventKind.ADOPTED.words in world.events("a")
        assert callable(next(run))
        run.close()
