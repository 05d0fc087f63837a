"""`/metrics`, `/healthz` and `/readyz` of real processes: `watch --serve` and `ui`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.test_service import Watcher
from tests.support.closed_schemas import check_closed
from tests.support.command_line import LONG, SOON, Cli, Service, StackFolder
from tests.support.patience import PATIENCE


@pytest.fixture
def started() -> Iterator[list[Watcher]]:
    """The processes of a test, which end with it."""
    found: list[Watcher] = []
    yield found
    for one in found:
        one.kill()


def served(watcher: Watcher) -> str:
    """The address that a process has announced."""
    found = re.search(r"http://\S+/", watcher.wait_for("web page: "))
    assert found is not None
    return found[0]


def samples(url: str, **options: Any) -> dict[tuple[str, ...], float]:
    """All samples without their stack, which is the same in all."""
    answer = httpx.get(f"{url}metrics", timeout=PATIENCE, verify=False, **options)
    assert answer.status_code == 200, answer.text
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = dict(sample.labels)
            if family.name.startswith("batchctl_"):
                assert labels.pop("stack") == "shop"
            found[(sample.name, *(labels[key] for key in sorted(labels)))] = sample.value
    return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def health(url: str, path: str) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"{url}{path}", timeout=PATIENCE, verify=False)
    document = answer.json()
    check_closed("health", document)
    assert (answer.status_code == 200) == (document["status"] == "ok")
    return answer.status_code, document


def test_a_watch_has_its_numbers_and_its_health(
    stack: StackFolder, service: Service, started: list[Watcher], tmp_path: Path
) -> None:
    service.rules({"match": {"displayName": "*/slow@*"}, **LONG}, SOON)
    for name in ("a", "slow"):
        stack.write_job(name)
    watcher = Watcher(stack.path, "--serve", "127.0.0.1:0")
    started.append(watcher)
    url = served(watcher)
    watcher.wait_for("results collected")
    until(lambda: samples(url).get(("batchctl_jobs", "Succeeded")) == 1)
    found = samples(url)
    assert found["batchctl_jobs", "Active"] == 1
    assert found["batchctl_attempts", "succeeded"] == found["batchctl_attempts", "active"] == 1
    assert found["batchctl_rows", "OK"] > 0
    assert found["batchctl_actions_total", "create", "OK"] == 2
    assert found["batchctl_api_calls_total", "200", "batches.create"] == 2
    assert found["batchctl_passes_total", "full", "success"] >= 2
    assert abs(found["batchctl_last_success_timestamp_seconds",] - time.time()) < PATIENCE
    assert found["process_resident_memory_bytes",] > 1e6
    until(lambda: health(url, "readyz")[0] == 200)
    assert health(url, "readyz")[1]["checks"].keys() == {"state", "watch", "lastPass"}
    assert health(url, "healthz")[1]["checks"].keys() == {"watch"}


def test_a_watch_whose_passes_fail_is_alive_and_not_ready(
    stack: StackFolder, service: Service, started: list[Watcher]
) -> None:
    stack.write_job("a")
    watcher = Watcher(stack.path, "--serve", "127.0.0.1:0")
    started.append(watcher)
    url = served(watcher)
    until(lambda: health(url, "readyz")[0] == 200)
    state = stack.path / ".batchctl" / "state.db"
    state.rename(stack.path / "away.db")
    state.write_bytes(b"not a state at all" * 100)
    until(lambda: health(url, "readyz")[0] == 503)
    assert health(url, "readyz")[1]["checks"]["state"]["status"] == "failed"
    assert str(stack.path) not in json.dumps(health(url, "readyz")[1])
    assert health(url, "healthz")[0] == 200


def test_with_a_token_metrics_need_it_and_health_does_not(
    stack: StackFolder, service: Service, started: list[Watcher], tmp_path: Path
) -> None:
    token = "0123456789abcdef0123"
    (tmp_path / "token").write_text(token)
    stack.write_job("a")
    watcher = Watcher(stack.path, "--serve", "127.0.0.1:0", "--token-file", str(tmp_path / "token"))
    started.append(watcher)
    url = served(watcher)
    assert httpx.get(f"{url}metrics", timeout=PATIENCE, verify=False).status_code == 401
    assert httpx.get(f"{url}healthz", timeout=PATIENCE, verify=False).status_code == 200
    assert samples(url, headers={"authorization": f"Bearer {token}"})
    assert token not in "".join(watcher.told)


def test_the_page_alone_has_the_numbers_of_the_state(
    stack: StackFolder, service: Service, cli: Cli, started: list[Watcher]
) -> None:
    stack.write_job("a")
    cli.ok("apply", "--yes")
    page = Watcher(stack.path, command=("ui", "--serve", "127.0.0.1:0"))
    started.append(page)
    url = served(page)
    until(lambda: httpx.get(f"{url}readyz", timeout=PATIENCE, verify=False).status_code == 200)
    until(lambda: ("batchctl_jobs", "Active") in samples(url))
    found = samples(url)
    assert found["batchctl_jobs", "Active"] == 1
    assert not [name for name, *_ in found if name.startswith(("batchctl_passes", "batchctl_last", "batchctl_api"))]
    assert health(url, "healthz") == (200, {"format": "batchctl/health/v1", "status": "ok", "checks": {}})
