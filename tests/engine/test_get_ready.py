"""What creates need is loaded while the accounts are read, if a job is new."""

from __future__ import annotations

from typing import NoReturn

from batchctl.engine.passes import run_pass
from batchctl.engine.providers import Providers
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import Account
from tests.support.engine import job, made, results


def passed(world, *jobs, **changes):
    """The calls of creates so far, each time that the tools got ready in a pass."""
    ready: list[int] = []
    with world.process(get_ready=lambda: ready.append(made(world.here).total()), **changes) as tools:
        report = run_pass(world.asks(*jobs), tools)
    return ready, report


def test_it_is_done_once_and_before_a_job_is_created(world):
    ready, report = passed(world, job("a"), job("b"))
    assert ready == [0]
    assert results(report) == {"a": "done", "b": "done"}
    assert made(world.here).total() == 2


def test_it_is_not_done_where_no_job_is_new(world):
    passed(world, job("a"))
    assert passed(world, job("a"))[0] == []
    assert passed(world)[0] == []
    assert passed(world, job("a"), job("b"))[0] == [1]


def test_it_is_done_even_if_the_account_cannot_be_read(world):
    world.here.faults({"method": "batches.list", "kind": "status", "status": 403})
    ready, report = passed(world, job("a"))
    assert (ready, made(world.here).total()) == ([0], 0)
    assert list(report.errors) == [job("a").account]


def test_it_is_done_even_if_the_account_cannot_be_opened(world):
    def refuse(_: Account) -> NoReturn:
        raise BatchctlError("there is no key")

    ready, report = passed(world, job("a"), providers=Providers(refuse))
    assert ready == [0]
    assert [str(error) for error in report.errors.values()] == ["there is no key"]
