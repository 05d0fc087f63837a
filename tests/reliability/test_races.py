"""Several processes at once: on one state they take turns; with a state each they find and heal what they did twice."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from tests.support.audit import Rest, audit
from tests.support.long_mode import effort
from tests.support.processes import Death
from tests.support.scenes import A_MINUTE, SOON
from tests.support.workplace import LIMITS

NAMES = tuple(f"job{number}" for number in range(6))
COLLECTED = Rest(dict.fromkeys(NAMES, (1, "ab")))
CREATED = Rest(dict.fromkeys(NAMES, (1, None)))
AT_ONCE = {**LIMITS, "concurrency": 4}
PACE = 0.02
"""Seconds that a sleep takes, so that one process does not run away with the clock."""
WAITS = ("--lock-timeout", "3m")


def write_jobs(site, rule):
    site.service.rules(rule)
    for name in NAMES:
        site.write_job(name)


def events(site):
    """How often each thing was noted for each job."""
    return Counter((event.job, event.what) for event in site.state().events(None, 10_000))


@pytest.mark.parametrize("seed", range(effort(3, 40)))
def test_two_applies_and_a_watch_on_one_state_lose_nothing(make_site, still, api, seed):
    site = make_site(still, api, limits=AT_ONCE)
    site.empty_service()
    write_jobs(site, SOON)
    commands = [("apply", "--yes", *WAITS), ("apply", "--yes"), ("watch", "--yes", *WAITS)]
    random.Random(seed).shuffle(commands)
    begun = [site.start(*command, pace=PACE) for command in commands]
    ends = {command: process.wait() for command, process in zip(commands, begun, strict=True)}
    for command, ended in ends.items():
        assert ended.code == 0 or (ended.code == 5 and command[-1] == "--yes"), (seed, command, ended)
    site.run("watch", "--yes")
    audit(site, COLLECTED)
    noted = events(site)
    assert {noted[name, what] for name in NAMES for what in ("create", "created", "collected")} == {1}


def test_the_second_exits_5_or_waits_while_the_first_works(make_site, still, api):
    site = make_site(still, api, limits=AT_ONCE)
    site.empty_service()
    write_jobs(site, A_MINUTE)
    first = site.start("apply", "--yes", death=Death(14, "stop"))
    assert first.wait().stopped
    for command in (("apply", "--yes"), ("watch", "--yes"), ("apply", "--yes", "--lock-timeout", "2s")):
        at_once = () if "--lock-timeout" in command else ("--lock-timeout", "0s")
        refused = site.run(*command, *at_once)
        assert refused.code == 5, refused
        assert f"pid {first.pid}" in refused.err
    waiting = [site.start(*command, *WAITS, pace=PACE) for command in (("apply", "--yes"), ("watch", "--yes"))]
    assert first.go_on().code == 0
    assert [process.wait().code for process in waiting] == [0, 0]
    audit(site, COLLECTED)
    assert site.run("status", "-o", "json").code == 0


def test_status_and_plan_need_no_lock(make_site, still, api):
    site = make_site(still, api)
    site.empty_service()
    write_jobs(site, A_MINUTE)
    first = site.start("apply", "--yes", death=Death(14, "stop"))
    assert first.wait().stopped
    assert [site.run(command).code for command in ("status", "plan", "drift", "validate")] == [0, 0, 0, 0]
    assert first.go_on().code == 0


@pytest.fixture
def machines(make_site, still, api):
    """Two folders with one stack, a state each."""
    both = [make_site(still, api, limits=AT_ONCE) for _ in range(2)]
    both[0].empty_service()
    for site in both:
        write_jobs(site, A_MINUTE)
    return both


def test_two_machines_with_a_state_each_find_heal_and_tell_what_both_created(machines):
    slow, fast = machines
    # One looks and sees nothing; before it creates, the other has looked, too.
    listed = slow.run("apply", "--yes", death=Death(10_000)).trace.index("after read")
    slow.empty_service()
    slow.service.rules(A_MINUTE)
    (slow.path / "state.db").unlink()
    late = slow.start("apply", "--yes", death=Death(listed, "stop"))
    assert late.wait().stopped
    assert fast.run("apply", "--yes").code == 0
    assert late.go_on().code == 0
    assert Counter(job.attempt for job in slow.jobs()) == {None: 3, **{f"{name}@1.0": 2 for name in NAMES}}
    slow.service.advance("10s")
    found = fast.run("drift", "-o", "json")
    assert (found.code, duplicates(found)) == (3, set(NAMES))
    healed = fast.run("apply", "--yes", "-o", "json")
    assert (healed.code, duplicates(healed)) == (0, set(NAMES))
    assert {events(fast)[name, "cancel"] for name in NAMES} == {1}
    slow.service.advance("10s")
    for site in (slow, fast):
        again = site.run("apply", "--yes", "-o", "json")
        assert (again.code, duplicates(again)) == (0, set())
        audit(site, CREATED, twice=everything())
    assert remotes(slow) == remotes(fast)
    slow.service.advance("10m")
    for site in (slow, fast):
        assert site.run("watch").code == 0
        audit(site, COLLECTED, twice=everything())


@pytest.mark.parametrize("seed", range(effort(2, 40)))
def test_machines_that_race_end_with_one_live_job_each(machines, seed):
    dice = random.Random(seed)
    for _ in range(2):
        begun = [site.start("apply", "--yes", pace=PACE) for site in dice.sample(machines, 2)]
        ends = [process.wait() for process in begun]
        assert [ended.code for ended in ends] == [0, 0], (seed, ends)
    for site in machines:
        # By now the lists show all.
        site.service.advance("10s")
        assert site.run("apply", "--yes").code == 0
    for site in machines:
        audit(site, CREATED, twice=everything())
    assert remotes(machines[0]) == remotes(machines[1])


def duplicates(ended):
    return {item["job"] for item in json.loads(ended.out)["drift"] if item["kind"] == "Duplicate"}


def everything():
    return {f"{name}@1.0" for name in NAMES}


def remotes(site):
    return {name: job.attempts[0].remote for name, job in site.recorded().jobs.items()}
