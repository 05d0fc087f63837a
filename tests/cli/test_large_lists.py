"""Lists of thousands of jobs, over HTTP, from services with different ideas of a page: no job is missed in any of them.

What is looked for is the oldest: a list that ends too early lacks it, and it would be bought again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.job_store import Job, add_job, all_jobs
from batchctl.emulator.seed import load_seed
from tests.support.apis import APIS, STACK, UID, ApiCase
from tests.support.command_line import Cli, StackFolder
from tests.support.values import replace
from tests.support.workplace import Served, serve

MANY = 2500
SERVICES: dict[str, dict[str, Any]] = {
    "a thousand a page": {},
    "a hundred a page": {"pageLimit": 100},
    "refuses more": {"pageLimit": 100, "pagesOverLimit": "refuse"},
    "empty if more": {"pageLimit": 100, "pagesOverLimit": "empty"},
    "ends if more": {"pageLimit": 100, "pagesOverLimit": "end"},
    "four hundred a page, ends if more": {"pageLimit": 400, "pagesOverLimit": "end"},
}
CALLS = dict(zip(SERVICES, (4, 27, 28, 28, 27, 9), strict=True))
"""The list calls of a plan; pages of a hundred are 26. After a refusal a call is made without its mask, too."""
MARK = re.compile(r"/\S+?@1\.0 (\S{12}) \S{10}")


def write_stack(path: Path, api: ApiCase) -> StackFolder:
    """The stack with its two jobs, as it is in a checkout: without a state."""
    folder = StackFolder(path)
    folder.write_stack(name=STACK, uid=UID, providers={"main": dict(api.provider)})
    for name in ("first", "second"):
        src: Any = [{"key": "a", "text": f"say {name}"}]
        if not api.takes_rows:
            src = {"file": f"{name}.jsonl"}
            (path / "jobs" / src["file"]).write_text(f'{{"key": "a", "text": "say {name}"}}\n')
        folder.write_job(name, src=src, **api.spec(name))
    return folder


def forgotten(job: Job, number: int) -> Job:
    """A newer job of the stack whose manifest and record are gone."""
    token, short = f"t{number:09}", f"{number:018}" if job.parent else f"{number:036}"
    labels = {**job.labels, "batchctl-job": f"old-{number}", "batchctl-token": token} if job.labels else {}
    return replace(
        job,
        name=job.name.replace(job.short, short),
        display_name=MARK.sub(rf"/old-{number}@1.0 \1 {token}", job.display_name or ""),
        labels=labels,
        created=job.created + number,
    )


@pytest.fixture(scope="module", params=APIS, ids=lambda api: api.name)
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiCase, Served]]:
    """A service with the two jobs of the stack, and thousands that came after them."""
    from batchctl.cli.main import run

    api: ApiCase = request.param
    path = tmp_path_factory.mktemp(api.name)
    with serve(path, still=False) as served, pytest.MonkeyPatch.context() as patch:
        if api.seed:
            (path / "seed.yaml").write_text(api.seed)
            load_seed(served.emulator, path / "seed.yaml")
        served.service.rules({"pending": "0s", "running": "48h"})
        patch.setenv("BATCHCTL_EMULATOR", served.url)
        patch.chdir(write_stack(path / "stack", api).path)
        assert run(["apply", "--yes", "--quiet"]) == 0
        store = served.emulator.store
        one = all_jobs(store)[0]
        with store.transaction():
            for number in range(1, MANY + 1):
                add_job(store, forgotten(one, number))
        yield api, served


@pytest.fixture
def stack(crowd: tuple[ApiCase, Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackFolder:
    """The stack in another checkout."""
    monkeypatch.setenv("BATCHCTL_EMULATOR", crowd[1].url)
    folder = write_stack(tmp_path / "stack", crowd[0])
    monkeypatch.chdir(folder.path)
    return folder


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("name", SERVICES)
def test_a_lost_state_finds_its_jobs(crowd: tuple[ApiCase, Served], cli: Cli, name: str) -> None:
    api, served = crowd
    served.service.settings(**SERVICES[name])
    before = served.service.calls(f"{api.methods}.list")
    ran = cli.ok("plan", "-o", "json")
    assert ran.actions() == {"first": "adopt", "second": "adopt"}
    assert {item["kind"] for item in ran.json["drift"]} == {"Orphan"}
    assert len(ran.json["drift"]) == MANY
    assert served.service.calls(f"{api.methods}.list") - before == CALLS[name]


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("name", ["a thousand a page", "four hundred a page, ends if more"])
def test_a_lost_state_buys_nothing_again(crowd: tuple[ApiCase, Served], cli: Cli, name: str) -> None:
    _, served = crowd
    served.service.settings(**SERVICES[name])
    ran = cli.ok("apply", "--yes", "-o", "json")
    assert ran.actions() == {"first": "adopt", "second": "adopt"}
    assert ran.results() == {"first": "done", "second": "done"}
    assert served.service.creates == 2
