"""Families of samples, as prometheus-client takes them."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from batchctl.model.admission import short_model
from batchctl.model.attempts import RecordedAttempt
from batchctl.telemetry.catalogue import Metric


def gauge(metric: Metric, stack: str, values: Mapping[tuple[str, ...], float]) -> Family:
    """The family of a gauge; `values` by the labels of the metric without the stack's."""
    family = GaugeMetricFamily(metric.name, metric.help, labels=("stack", *metric.labels))
    for labels in sorted(values):
        family.add_metric((stack, *labels), values[labels])
    return family


def model_of(attempt: RecordedAttempt, recorded: str) -> str:
    """The model of an attempt; of one that was adopted, that of its job, as recorded."""
    return short_model(str(attempt.tree.get("model") or recorded))
