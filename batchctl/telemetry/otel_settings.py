"""Whether OpenTelemetry is asked for, by the environment variables of its specification. Imports none of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

PROTOCOL: Final = "http/protobuf"
"""The only protocol of the extra `otel`."""


class Signal(StrEnum):
    """The kinds of telemetry; the values are those in names of variables."""

    TRACES = "TRACES"
    METRICS = "METRICS"


class OtelSettings(Struct, frozen=True):
    """The signals that are exported, and the settings that batchctl cannot follow."""

    signals: frozenset[Signal]
    problems: tuple[str, ...] = ()


def read_settings(env: Mapping[str, str]) -> OtelSettings | None:
    """The settings; None if nothing is asked for.

    `OTEL_TRACES_EXPORTER=otlp` and `OTEL_METRICS_EXPORTER=otlp` ask for a signal. Where they are not set, an endpoint
    for the signal or for all does: what the specification has as its default needs a collector to be there.
    """
    if env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    problems: list[str] = []
    asked = {signal for signal in Signal if _is_asked(signal, env, problems)}
    usable = {signal for signal in asked if _can_export(signal, env, problems)}
    return OtelSettings(frozenset(usable), tuple(dict.fromkeys(problems))) if usable or problems else None


def _is_asked(signal: Signal, env: Mapping[str, str], problems: list[str]) -> bool:
    variable = f"OTEL_{signal}_EXPORTER"
    value = env.get(variable, "").strip()
    if not value:
        return any(env.get(name) for name in (f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"))
    if value not in {"otlp", "none"}:
        problems.append(f"{variable}: {value!r} is not supported; use otlp or none")
    return value == "otlp"


def _can_export(signal: Signal, env: Mapping[str, str], problems: list[str]) -> bool:
    names = (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    variable = next((name for name in names if env.get(name)), None)
    if variable is None or env[variable].strip() == PROTOCOL:
        return True
    problems.append(f"{variable}: {env[variable]!r} is not supported; use {PROTOCOL}")
    return False
