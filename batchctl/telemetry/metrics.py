"""All metrics of one process, in a registry of its own, as Prometheus reads them."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from batchctl.telemetry.process_metrics import ProcessMetrics, add_info
from batchctl.telemetry.snapshot import Source
from batchctl.telemetry.state_metrics import StateMetrics


class Metrics:
    """The metrics of a process that shows one stack. Thread-safe."""

    def __init__(
        self,
        stack: str,
        source: Source,
        now: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
        *,
        watches: bool = True,
    ) -> None:
        """`watches`: whether the process makes passes. One that only shows has no metrics of them."""
        self.registry = CollectorRegistry()
        self.observer = ProcessMetrics(stack, self.registry, now, elapsed) if watches else None
        """Counts the work of the process."""
        add_info(stack, self.registry)
        self.registry.register(StateMetrics(stack, source))
        # Memory, open files and processor time, by the names that every dashboard knows.
        ProcessCollector(registry=self.registry)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics, in the format that the header `Accept` asks for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
