"""Spans and counters of OpenTelemetry for the work of a run. Implements `Observer`.

Names and attributes follow OpenTelemetry's semantic conventions for HTTP clients and for generative AI; what has no
convention is below `batchctl.`. Errors have their code, never their message: an API's message may repeat what was sent.
Importing this module imports the API of OpenTelemetry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import assert_never

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from batchctl import __version__
from batchctl.model.cost.tokens import Modality
from batchctl.model.keys import Api
from batchctl.model.observing import ActionWork, CallWork, End, Ending, PassKind, PassWork, TokenUse, Work

_SCOPE = "batchctl"
PROVIDERS: Mapping[Api, str] = {Api.GEMINI: "gcp.gemini", Api.VERTEX: "gcp.vertex_ai"}
"""`gen_ai.provider.name`, by the conventions for generative AI."""
_MODALITIES: Mapping[Modality, str] = {one: one.value.lower() for one in Modality}
_UNKNOWN = "unknown"
_FIRST_ERROR = 400
_USAGE = "gen_ai.client.inference.usage"
_COUNTERS = {
    f"{_USAGE}.input_tokens": "The number of input tokens, cached ones included.",
    f"{_USAGE}.output_tokens": "The number of output tokens, thoughts included.",
    f"{_USAGE}.cache_read.input_tokens": "The number of input tokens that came from a cache.",
    f"{_USAGE}.reasoning.output_tokens": "The number of output tokens that are thoughts.",
}


class Tracing:
    """Makes a span of each pass, action and API call, and counts tokens. Thread-safe."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider, env: Mapping[str, str]) -> None:
        """`TRACEPARENT` and `TRACESTATE` of the environment name the span that started this process, if any."""
        self.stack: str | None = None
        """Set when it is known."""
        self._tracer = tracers.get_tracer(_SCOPE, __version__)
        carrier = {name.lower(): env[name] for name in ("TRACEPARENT", "TRACESTATE") if name in env}
        self._outside: Context = TraceContextTextMapPropagator().extract(carrier, Context())
        meter = meters.get_meter(_SCOPE, __version__)
        self._counters = {name: meter.create_counter(name, "{token}", words) for name, words in _COUNTERS.items()}

    def begin(self, work: Work) -> End:
        is_inside = trace.get_current_span().get_span_context().is_valid
        attributes = {name: value for name, value in self._attributes(work).items() if value is not None}
        span = self._tracer.start_span(
            _name(work),
            None if is_inside else self._outside,
            SpanKind.CLIENT if isinstance(work, CallWork) else SpanKind.INTERNAL,
            attributes,
        )
        # Nothing belongs to a call, and a stream may be closed in another context than it was opened in.
        token = None if isinstance(work, CallWork) else context.attach(trace.set_span_in_context(span))

        def end(ending: Ending) -> None:
            if ending.http is not None:
                span.set_attribute("http.response.status_code", ending.http)
            if ending.error is not None or (ending.http or 0) >= _FIRST_ERROR:
                span.set_attribute("error.type", ending.code)
                span.set_status(Status(StatusCode.ERROR))
            if token is not None:
                context.detach(token)
            span.end()

        return end

    def used(self, tokens: TokenUse) -> None:
        common: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "embeddings" if tokens.is_embedding else "generate_content",
            "gen_ai.provider.name": PROVIDERS[tokens.api],
            "gen_ai.request.model": tokens.model,
        }
        for (name, modality), number in _counts(tokens).items():
            if number:
                self._counters[f"{_USAGE}.{name}"].add(number, {**common, "gen_ai.token.modality": modality})

    def _attributes(self, work: Work) -> dict[str, AttributeValue | None]:
        own: dict[str, AttributeValue | None] = {"batchctl.stack": self.stack}
        match work:
            case PassWork():
                return own | {"batchctl.pass.kind": work.kind.value}
            case ActionWork():
                return own | {
                    "batchctl.job": work.job,
                    "batchctl.action": work.action,
                    "batchctl.reason": work.reason,
                    "batchctl.attempt": work.attempt,
                    "gen_ai.request.model": work.model,
                    "gen_ai.provider.name": None if work.api is None else PROVIDERS[work.api],
                }
            case CallWork():
                return own | {
                    "batchctl.api.method": work.method,
                    "http.request.method": work.verb,
                    "server.address": work.host,
                    "server.port": work.port,
                }
            case _:
                assert_never(work)


def _name(work: Work) -> str:
    match work:
        case PassWork():
            return "batchctl pass" if work.kind is PassKind.FULL else f"batchctl {work.kind.value}"
        case ActionWork():
            return f"batchctl {work.action}"
        case CallWork():
            return work.method
        case _:
            assert_never(work)


def _counts(use: TokenUse) -> Counter[tuple[str, str]]:
    """The tokens by counter and modality."""
    found: Counter[tuple[str, str]] = Counter()
    tokens = use.tokens
    if tokens is None:
        found["input_tokens", _UNKNOWN] = use.input or 0
        return found
    for modality, number in tokens.input.items():
        found["input_tokens", _MODALITIES[modality]] += number
    for modality, number in tokens.cached.items():
        found["input_tokens", _MODALITIES[modality]] += number
        found["cache_read.input_tokens", _MODALITIES[modality]] += number
    for modality, number in tokens.output.items():
        found["output_tokens", _MODALITIES[modality]] += number
    found["output_tokens", _UNKNOWN] += tokens.thoughts
    found["reasoning.output_tokens", _UNKNOWN] += tokens.thoughts
    return found
