"""Spans and counters of real passes over the emulator, in the SDK's own exporters in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from batchctl.model.cost.tokens import Modality, Tokens
from batchctl.model.keys import Api
from batchctl.model.observing import TokenUse
from batchctl.report.activity import Board
from batchctl.telemetry.tracing import Tracing
from tests.support.engine import MODEL, World, inline, job

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Traced:
    """A world whose work is traced."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.world = World(folder)
        self.world.activity = board = Board()
        self.spans, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.tracing = Tracing(tracers, MeterProvider([self.reader], shutdown_on_exit=False), env or {})
        self.tracing.stack = "shop"
        board.observe_by(self.tracing)

    def all(self) -> dict[int, ReadableSpan]:
        return {span.context.span_id: span for span in self.spans.get_finished_spans() if span.context}

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all().values() if span.name == name]

    def parent(self, span: ReadableSpan) -> ReadableSpan | None:
        return None if span.parent is None else self.all().get(span.parent.span_id)

    def counters(self) -> dict[str, dict[tuple[str, ...], int]]:
        """By name of the counter: modality, operation, provider and model, and the number."""
        data = self.reader.get_metrics_data()
        found: dict[str, dict[tuple[str, ...], int]] = {}
        for one in data.resource_metrics if data is not None else ():
            for metric in one.scope_metrics[0].metrics:
                assert metric.unit == "{token}"
                points = found.setdefault(metric.name.removeprefix("gen_ai.client.inference.usage."), {})
                for point in metric.data.data_points:
                    points[tuple(point.attributes[key] for key in sorted(point.attributes))] = point.value
        return found


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    made = Traced(tmp_path)
    yield made
    made.world.close()


def test_calls_are_inside_their_action_and_that_inside_the_pass(traced: Traced) -> None:
    names = [f"job-{number}" for number in range(6)]
    traced.world.apply(*map(job, names))
    creates = traced.named("batches.create")
    actions = [traced.parent(span) for span in creates]
    assert sorted(str(span.attributes["batchctl.job"]) for span in actions if span and span.attributes) == names
    passes = {traced.parent(span).name for span in actions if span}  # type: ignore[union-attr]
    assert passes == {"batchctl pass"}
    assert {traced.parent(span) for span in traced.named("batchctl pass")} == {None}
    assert {traced.parent(span).name for span in traced.named("batches.list")} == {"batchctl pass"}  # type: ignore[union-attr]
    assert {span.kind for span in creates} == {SpanKind.CLIENT}
    assert dict(creates[0].attributes or {}) == {
        "batchctl.stack": "shop",
        "batchctl.api.method": "batches.create",
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "here.invalid",
    }
    (action, *_) = [span for span in actions if span]
    assert (
        dict(action.attributes or {}).items()
        >= {
            "batchctl.action": "create",
            "batchctl.reason": "New",
            "gen_ai.request.model": MODEL,
            "gen_ai.provider.name": "gcp.gemini",
        }.items()
    )
    assert {span.status.status_code for span in traced.all().values()} == {StatusCode.UNSET}


def test_errors_have_their_code_and_no_message(traced: Traced) -> None:
    secret = "the prompt that the service repeats"
    traced.world.here.faults(
        {"method": "batches.create", "kind": "status", "status": 400, "message": secret, "count": 1},
        {"method": "batches.create", "kind": "cut", "when": "after", "count": 1},
    )
    traced.world.apply(job("a"), job("b"))
    failed = [span for span in traced.all().values() if span.status.status_code is StatusCode.ERROR]
    found = Counter((span.name, (span.attributes or {})["error.type"]) for span in failed)
    assert found == {
        ("batches.create", "400"): 1,
        ("batchctl create", "BadRequest"): 1,
        ("batches.create", "ReplyLost"): 1,
        ("batchctl create", "ReplyLost"): 1,
    }
    assert not [span for span in traced.all().values() if secret in span.to_json()]
    assert {span.status.description for span in failed} == {None}


def test_the_span_that_started_the_process_is_the_parent_of_its_passes(tmp_path: Path) -> None:
    traced = Traced(tmp_path, {"TRACEPARENT": PARENT})
    traced.world.apply(job("a"))
    traced.world.close()
    assert {span.context.trace_id for span in traced.all().values() if span.context} == {int(PARENT.split("-")[1], 16)}
    (one,) = {span.parent.span_id for span in traced.named("batchctl pass") if span.parent}
    assert one == int(PARENT.split("-")[2], 16)


@pytest.mark.parametrize("value", ["", "nonsense", "00-0-0-00"])
def test_a_parent_that_is_not_valid_is_ignored(tmp_path: Path, value: str) -> None:
    traced = Traced(tmp_path, {"TRACEPARENT": value})
    traced.world.apply(job("a"))
    traced.world.close()
    assert {span.parent for span in traced.named("batchctl pass")} == {None}


def test_tokens_are_counted_by_the_conventions_for_generative_ai(traced: Traced) -> None:
    traced.world.watch(job("a", inline("k1", "k2")), job("b"))
    counted = [traced.world.attempt(name).counted for name in "ab"]
    tokens = sum((one.usage.all for one in counted if one is not None), Tokens())
    found = traced.counters()
    place = ("generate_content", "gcp.gemini", MODEL, "text")
    assert found["input_tokens"] == {place: tokens.prompt}
    assert found["output_tokens"] == {place: sum(tokens.output.values())}


def test_cached_tokens_and_thoughts_are_parts_of_the_others(traced: Traced) -> None:
    text, image = Modality.TEXT, Modality.IMAGE
    tokens = Tokens({text: 5, image: 100}, {text: 2}, {text: 7}, 3)
    traced.tracing.used(TokenUse(Api.VERTEX, "m", False, tokens, 105))
    traced.tracing.used(TokenUse(Api.VERTEX, "e", True, None, 40))
    traced.tracing.used(TokenUse(Api.VERTEX, "none", True, None, None))
    chat, vectors = ("generate_content", "gcp.vertex_ai", "m"), ("embeddings", "gcp.vertex_ai", "e")
    assert traced.counters() == {
        "input_tokens": {(*chat, "text"): 7, (*chat, "image"): 100, (*vectors, "unknown"): 40},
        "output_tokens": {(*chat, "text"): 7, (*chat, "unknown"): 3},
        "cache_read.input_tokens": {(*chat, "text"): 2},
        "reasoning.output_tokens": {(*chat, "unknown"): 3},
    }
