"""Metrics of the process, after real passes over the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from batchctl import __version__
from batchctl.engine.passes import run_pass
from batchctl.engine.preview import preview
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from batchctl.report.activity import Board
from batchctl.telemetry.catalogue import CATALOGUE, OF_THE_PROCESS, Kind
from batchctl.telemetry.metrics import Metrics
from batchctl.telemetry.process_metrics import ProcessMetrics, add_info
from tests.support.engine import World, job

NOW = 1_800_000_000.0


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path)
    made.activity = Board()
    yield made
    made.close()


class Hand:
    """A clock that moves a second with each look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def watched(world: World) -> Metrics:
    metrics = Metrics("shop", lambda: None, lambda: NOW, Hand())
    assert metrics.observer is not None
    world.activity.observe_by(metrics.observer)
    return metrics


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    text, _ = metrics.render()
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = {key: value for key, value in sample.labels.items() if key != "stack"}
            found[(sample.name, *(labels[key] for key in sorted(labels)))] = sample.value
    return found


def test_calls_passes_and_actions_are_counted(world):
    metrics = watched(world)
    before = samples(metrics)
    assert before["batchctl_last_success_timestamp_seconds",] == 0
    assert before["batchctl_info", __version__] == 1
    assert {
        before["batchctl_passes_total", kind, end] for kind in ("full", "quick check") for end in ("success", "failure")
    } == {0}
    world.here.faults({"method": "batches.create", "kind": "status", "status": 400, "count": 1})
    world.apply(job("a"))
    world.apply(job("b"))
    found = samples(metrics)
    assert found["batchctl_api_calls_total", "400", "batches.create"] == 1
    assert found["batchctl_api_calls_total", "200", "batches.create"] == 1
    assert found["batchctl_api_call_duration_seconds_count", "batches.create"] == 2
    assert found["batchctl_actions_total", "create", "BadRequest"] == 1
    assert found["batchctl_actions_total", "create", "OK"] == 1
    assert found["batchctl_passes_total", "full", "success"] == found["batchctl_pass_duration_seconds_count",] >= 2
    assert found["batchctl_last_success_timestamp_seconds",] == NOW


def test_a_pass_that_raises_is_a_failure(world):
    metrics = watched(world)

    def ask(_recorded):
        raise OSError(28, "No space left on device")

    with world.process() as tools, pytest.raises(OSError, match="No space"):
        run_pass(ask, tools)
    found = samples(metrics)
    assert found["batchctl_passes_total", "full", "failure"] == 1
    assert found["batchctl_last_success_timestamp_seconds",] == 0


def test_a_look_is_no_pass(world):
    metrics = watched(world)
    with world.process() as tools:
        preview(world.desired(job("a")), Options(), tools)
    found = samples(metrics)
    assert found["batchctl_api_calls_total", "200", "batches.list"] == 1
    assert sum(value for (name, *_), value in found.items() if name == "batchctl_passes_total") == 0
    assert found["batchctl_last_success_timestamp_seconds",] == 0


def test_a_call_without_a_reply_has_the_code_of_its_error(world):
    metrics = watched(world)
    world.here.faults({"method": "batches.create", "kind": "cut", "when": "after", "count": 1})
    world.apply(job("a"))
    assert samples(metrics)["batchctl_api_calls_total", "ReplyLost", "batches.create"] == 1


def test_prometheus_gets_the_format_that_it_asks_for(world):
    metrics = watched(world)
    world.apply(job("a"))
    text, kind = metrics.render()
    assert kind.startswith("text/plain")
    families = {family.name for family in text_string_to_metric_families(text.decode())}
    plain = {name for name in families if not name.endswith("_created")}
    openmetrics, kind = metrics.render("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert {family.name for family in read_openmetrics(openmetrics.decode())} == plain
    assert {"process_resident_memory_bytes", "batchctl_api_calls"} <= plain


def test_a_process_that_only_shows_has_no_metrics_of_passes():
    """A `last success` of 0 would be an alarm."""
    metrics = Metrics("shop", lambda: None, watches=False)
    names = {name for name, *_ in samples(metrics) if name.startswith("batchctl_")}
    assert (names, metrics.observer) == ({"batchctl_info"}, None)


def test_two_stacks_of_one_process_share_nothing():
    first, second = CollectorRegistry(), CollectorRegistry()
    for stack, registry in (("a", first), ("b", second)):
        ProcessMetrics(stack, registry)
        add_info(stack, registry)
    names = {family.name for family in first.collect()}
    assert names == {metric.name.removesuffix("_total") for metric in OF_THE_PROCESS}
    assert not names & {family.name for family in REGISTRY.collect()}


def test_names_follow_the_conventions_of_prometheus():
    names = [metric.name for metric in CATALOGUE]
    assert len(set(names)) == len(names)
    for metric in CATALOGUE:
        assert metric.name.startswith("batchctl_")
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)
        assert list(metric.buckets) == sorted(metric.buckets)
        assert not {"stack", "job", "instance", "le"} & set(metric.labels)
        if "duration" in metric.name or "timestamp" in metric.name:
            assert metric.name.endswith("_seconds")
        assert metric.help.endswith(".")


def test_a_small_limit_of_threads_changes_no_number(tmp_path):
    counts = []
    for number, limit in enumerate((1, 8)):
        world = World(tmp_path / str(number), limits=Limits(concurrency=limit))
        world.activity = Board()
        metrics = watched(world)
        world.apply(*(job(f"j{name}") for name in range(6)))
        counts.append({key: value for key, value in samples(metrics).items() if key[0] == "batchctl_api_calls_total"})
        world.close()
    assert counts[0] == counts[1]
