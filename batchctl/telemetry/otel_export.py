"""Exports telemetry over OTLP/HTTP, as the environment says. Importing this module imports the SDK of OpenTelemetry.

A collector that is not there costs nothing but a warning: exports run on threads of their own, and the end of the
process waits for them for a few seconds at most.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import MeterProvider as AnyMeterProvider
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NoOpTracerProvider
from opentelemetry.trace import TracerProvider as AnyTracerProvider

from batchctl import __version__
from batchctl.telemetry.otel_settings import OtelSettings, Signal
from batchctl.telemetry.tracing import Tracing

_PATIENCE: Final = 5.0
"""Seconds that the end of the process waits for the last export."""
_LOGGER: Final = "opentelemetry"
_LONGEST: Final = 200
_LEAST_SECRET: Final = 4


class Export:
    """The export of one process, until `close`."""

    def __init__(self, settings: OtelSettings, run: str, env: Mapping[str, str], warn: Callable[[str], None]) -> None:
        """`run` identifies the process; `warn` is called once, on any thread, if an export fails."""
        self._problems = _Problems(env, warn)
        logging.getLogger(_LOGGER).addHandler(self._problems)
        logging.getLogger(_LOGGER).propagate = False
        resource = _resource(run, env)
        self._tracers = _tracers(resource) if Signal.TRACES in settings.signals else None
        self._meters = _meters(resource) if Signal.METRICS in settings.signals else None
        tracers: AnyTracerProvider = self._tracers or NoOpTracerProvider()
        meters: AnyMeterProvider = self._meters or NoOpMeterProvider()
        self.observer = Tracing(tracers, meters, env)

    def close(self) -> None:
        """Export the rest, for a few seconds at most."""
        providers = [one for one in (self._tracers, self._meters) if one is not None]
        threads = [threading.Thread(target=one.shutdown, name="last export", daemon=True) for one in providers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_PATIENCE)
        logger = logging.getLogger(_LOGGER)
        # A thread that is still at it is not heard any more: without a handler, Python would print it.
        logger.addHandler(logging.NullHandler())
        logger.removeHandler(self._problems)


def _resource(run: str, env: Mapping[str, str]) -> Resource:
    own = {"service.version": __version__, "service.instance.id": run}
    if not env.get("OTEL_SERVICE_NAME") and "service.name=" not in env.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        own["service.name"] = "batchctl"
    return Resource.create(own)


def _tracers(resource: Resource) -> TracerProvider:
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _meters(resource: Resource) -> MeterProvider:
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    return MeterProvider([reader], resource, shutdown_on_exit=False)


def _shown_endpoint(env: Mapping[str, str]) -> str:
    """` at HOST` for messages: an address may have a password. Empty if no variable names one."""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", *(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT" for signal in Signal))
    given = next((env[name] for name in names if env.get(name)), "")
    try:
        found = urlsplit(given)
        port = "" if found.port is None else f":{found.port}"
    except ValueError:
        return ""
    return f" at {found.hostname}{port}" if found.hostname else ""


class _Problems(logging.Handler):
    """Turns the first message of OpenTelemetry into a warning: all later ones are about the same collector."""

    def __init__(self, env: Mapping[str, str], warn: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        headers = [value for name, value in env.items() if name.startswith("OTEL_") and name.endswith("HEADERS")]
        pairs = [pair.partition("=")[2].strip() for value in headers for pair in value.split(",")]
        # The values are URL-encoded there, and may be repeated either way.
        self._secrets = [text for pair in pairs for text in (pair, unquote(pair)) if len(text) >= _LEAST_SECRET]
        self._place = _shown_endpoint(env)
        self._warn = warn
        self._has_warned = False

    def emit(self, record: logging.LogRecord) -> None:
        with self.lock or threading.RLock():
            if self._has_warned:
                return
            self._has_warned = True
        words = record.getMessage()
        for secret in self._secrets:
            words = words.replace(secret, "…")
        shown = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
        self._warn(f"OpenTelemetry{self._place}: {shown}; the work goes on without it")
