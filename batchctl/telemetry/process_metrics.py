"""Metrics of the process: counted as its work ends. Implements `Observer`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import assert_never

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from batchctl import __version__
from batchctl.model.observing import ActionWork, CallWork, End, Ending, PassKind, PassWork, TokenUse, Work
from batchctl.telemetry import catalogue
from batchctl.telemetry.catalogue import Metric


class ProcessMetrics:
    """Counts passes, actions and API calls. Thread-safe."""

    def __init__(
        self,
        stack: str,
        registry: CollectorRegistry,
        now: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stack = stack
        self._now = now
        self._elapsed = elapsed
        self._calls = Counter(*_head(catalogue.API_CALLS), registry=registry)
        self._call_time = _histogram(catalogue.API_CALL_DURATION, registry)
        self._actions = Counter(*_head(catalogue.ACTIONS), registry=registry)
        self._passes = Counter(*_head(catalogue.PASSES), registry=registry)
        self._pass_time = _histogram(catalogue.PASS_DURATION, registry)
        self._success = Gauge(*_head(catalogue.LAST_SUCCESS), registry=registry)
        self._pass_time.labels(stack)
        self._success.labels(stack)
        for kind in (PassKind.FULL, PassKind.QUICK_CHECK):
            for result in ("success", "failure"):
                self._passes.labels(stack, kind.value, result)

    def begin(self, work: Work) -> End:
        started = self._elapsed()

        def end(ending: Ending) -> None:
            self._count(work, ending, self._elapsed() - started)

        return end

    def used(self, tokens: TokenUse) -> None:
        """Ignore it: the state has them."""

    def _count(self, work: Work, ending: Ending, seconds: float) -> None:
        match work:
            case CallWork():
                self._calls.labels(self._stack, work.method, ending.code).inc()
                self._call_time.labels(self._stack, work.method).observe(seconds)
            case ActionWork():
                self._actions.labels(self._stack, work.action, ending.code).inc()
            case PassWork(PassKind.LOOK):
                return
            case PassWork():
                result = "success" if ending.error is None else "failure"
                self._passes.labels(self._stack, work.kind.value, result).inc()
                if work.kind is PassKind.FULL:
                    self._pass_time.labels(self._stack).observe(seconds)
                if ending.error is None:
                    self._success.labels(self._stack).set(self._now())
            case _:
                assert_never(work)


def add_info(stack: str, registry: CollectorRegistry) -> None:
    """The metric that says which version this is."""
    Gauge(*_head(catalogue.INFO), registry=registry).labels(stack, __version__).set(1)


def _head(metric: Metric) -> tuple[str, str, tuple[str, ...]]:
    return metric.name, metric.help, ("stack", *metric.labels)


def _histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    name, words, labels = _head(metric)
    return Histogram(name, words, labels, registry=registry, buckets=metric.buckets)
