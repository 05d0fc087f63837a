"""Quick checks of long lists: what a service makes of large pages changes the number of calls, and of nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from batchctl.emulator.job_store import add_job, all_jobs
from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.engine.passes import run_pass
from batchctl.model.errors import StoppedError
from batchctl.providers import job_lists
from batchctl.providers.job_lists import JobLists
from batchctl.reconcile import Options
from tests.support.engine import job
from tests.support.values import replace

OTHERS = 245
OURS = 5
SERVICES = {
    "a hundred a page": ({"pageLimit": 100}, 3),
    "forty a page": ({"pageLimit": 40}, 7),
    "ten a page": ({"pageLimit": 10}, 25),
    "refuses more": ({"pageLimit": 10, "pagesOverLimit": "refuse"}, 25),
    "empty if more": ({"pageLimit": 10, "pagesOverLimit": "empty"}, 25),
    "ends if more": ({"pageLimit": 10, "pagesOverLimit": "end"}, 25),
    "forty a page, ends if more": ({"pageLimit": 40, "pagesOverLimit": "end"}, 7),
}
"""The settings of each service, and the calls of a list in the end."""


@pytest.fixture
def crowd(world, monkeypatch):
    """Jobs of somebody else on pages of ten, or a hundred; ours are found by lists, however many calls these take."""
    monkeypatch.setattr(job_lists, "SMALL", 10)
    monkeypatch.setattr(job_lists, "LARGE", 100)
    monkeypatch.setattr(JobLists, "calls", lambda _lists, _jobs: 1)
    request = {"contents": [{"parts": [{"text": "x"}]}]}
    body = {"batch": {"displayName": "other", "inputConfig": {"requests": {"requests": [{"request": request}]}}}}
    world.here.rules({"pending": "1s", "running": "5h"})
    world.here.api("POST", "models/gemini-2.5-flash:batchGenerateContent", body)
    store = world.here.emulator.store
    (one,) = all_jobs(store)
    with store.transaction():
        for number in range(1, OTHERS):
            add_job(store, replace(one, name=f"batches/other-{number}"))
    return world


@pytest.mark.parametrize("name", SERVICES)
def test_a_pass_is_made_only_after_ten_checks(crowd, monkeypatch, name):
    world, passes, looks = crowd, [], Counter()
    settings, in_the_end = SERVICES[name]
    world.here.control("PUT", "settings", settings)
    monkeypatch.setattr(
        "batchctl.engine.loop.drive.run_pass", lambda *given, **more: passes.append(1) or run_pass(*given, **more)
    )

    def during(number):
        looks[number] = sum(entry.what == "list" and not entry.ended for entry in world.log)
        if number >= 24:
            world.clock.stop()

    with world.process() as tools:
        world.clock.during = during
        jobs = [job(f"job-{number}") for number in range(OURS)]
        around = Around(lambda: world.desired(*jobs), glance=lambda: True)
        report = drive(around, Options(), Until(ended=True, forever=True), tools)
    assert isinstance(report.stopped, StoppedError)
    assert {action.phase.value for action in report.plan.jobs} == {"Active"}
    assert world.here.calls("batches.create") == OURS + 1
    assert len(passes) <= 6
    assert looks[24] - looks[14] == 10 * in_the_end
    assert max(world.clock.sleeps) <= timedelta(minutes=2).total_seconds()
