"""The variables of OpenTelemetry's specification, as a table."""

from __future__ import annotations

import pytest

from batchctl.telemetry.otel_settings import OtelSettings, Signal, read_settings

T, M = Signal.TRACES, Signal.METRICS
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("env", "signals"),
    [
        ({}, None),
        ({"OTEL_SERVICE_NAME": "x"}, None),
        (ENDPOINT, {T, M}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, None),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, {T}),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:4318/v1/metrics"}, {M}),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, {T}),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, {M}),
        ({**ENDPOINT, "OTEL_METRICS_EXPORTER": "none"}, {T}),
        ({**ENDPOINT, "OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}, None),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, None),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "TRUE"}, None),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "1"}, {T, M}),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, {T, M}),
    ],
)
def test_what_is_asked_for(env, signals):
    assert read_settings(env) == (None if signals is None else OtelSettings(frozenset(signals)))


@pytest.mark.parametrize(
    ("env", "signals", "problem"),
    [
        (
            {"OTEL_TRACES_EXPORTER": "zipkin"},
            set(),
            "OTEL_TRACES_EXPORTER: 'zipkin' is not supported; use otlp or none",
        ),
        ({"OTEL_TRACES_EXPORTER": "console"}, set(), "OTEL_TRACES_EXPORTER: 'console'"),
        ({"OTEL_TRACES_EXPORTER": "otlp,console"}, set(), "OTEL_TRACES_EXPORTER: 'otlp,console'"),
        ({**ENDPOINT, "OTEL_METRICS_EXPORTER": "prometheus"}, {T}, "OTEL_METRICS_EXPORTER: 'prometheus'"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, set(), "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, {M}, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc'"),
    ],
)
def test_what_cannot_be_followed_is_named_once(env, signals, problem):
    settings = read_settings(env)
    assert settings is not None
    assert settings.signals == signals
    (words,) = settings.problems
    assert words.startswith(problem)
