"""Metrics of the state: computed when they are asked for, from the latest snapshot."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from batchctl.model.admission import LimitKind
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.history import PastAttempt
from batchctl.model.observed import RowCounts
from batchctl.model.plan import DriftKind, Plan
from batchctl.model.recorded import Recorded
from batchctl.model.states import JobState, Phase
from batchctl.telemetry import catalogue
from batchctl.telemetry.budget_metrics import budget
from batchctl.telemetry.catalogue import Metric
from batchctl.telemetry.families import gauge, model_of
from batchctl.telemetry.forecast_metrics import expected_end, over_p90, stuck
from batchctl.telemetry.snapshot import Snapshot, Source
from batchctl.telemetry.usage_metrics import estimated, spent, tokens, unknown_money

_PENDING = frozenset({JobState.QUEUED.value, JobState.PENDING.value})


class StateMetrics(Collector):
    """Implements prometheus_client's `Collector`. Thread-safe: families of one snapshot are made once, and kept."""

    def __init__(self, stack: str, source: Source) -> None:
        self._stack = stack
        self._source = source
        self._made: tuple[Snapshot, tuple[Family, ...]] | None = None

    def collect(self) -> Iterable[Family]:
        """The families of all metrics of the state; none before the first pass."""
        snapshot = self._source()
        if snapshot is None:
            return ()
        made = self._made
        if made is None or made[0] is not snapshot:
            made = self._made = (snapshot, tuple(_families(self._stack, snapshot)))
        return made[1]

    def describe(self) -> Iterable[Family]:
        """None: registering must not compute anything."""
        return ()


def _families(stack: str, snapshot: Snapshot) -> Iterator[Family]:
    plan, recorded = snapshot.plan, snapshot.recorded
    attempts = [attempt for job in recorded.jobs.values() for attempt in job.attempts]
    yield gauge(catalogue.JOBS, stack, _by_one(Counter(job.phase.value for job in plan.jobs), Phase))
    yield gauge(catalogue.ATTEMPTS, stack, _by_one(Counter(map(_result, attempts))))
    yield gauge(catalogue.ROWS, stack, _by_one(_verdicts(plan)))
    yield gauge(catalogue.TOKENS, stack, tokens(recorded))
    yield gauge(catalogue.MONEY_SPENT, stack, spent(plan))
    yield gauge(catalogue.MONEY_ESTIMATED, stack, estimated(plan))
    yield gauge(catalogue.MONEY_UNKNOWN, stack, unknown_money(plan))
    yield from (gauge(metric, stack, values) for metric, values in budget(plan))
    yield gauge(catalogue.MODEL_RETIREMENT, stack, _retirements(plan))
    yield gauge(catalogue.ENQUEUED_TOKENS, stack, _enqueued(plan))
    queue = Counter(job.queue.limit.value for job in plan.jobs if job.queue is not None)
    yield gauge(catalogue.QUEUE_LENGTH, stack, _by_one(queue, LimitKind))
    pending = (attempt.create_time for attempt in attempts if attempt.state in _PENDING and not attempt.is_gone)
    yield _moment(catalogue.OLDEST_PENDING, stack, pending)
    yield _durations(stack, recorded)
    yield gauge(catalogue.JOBS_OVER_P90, stack, over_p90(plan))
    yield gauge(catalogue.JOBS_STUCK, stack, stuck(plan))
    yield gauge(catalogue.EXPECTED_END, stack, expected_end(plan))
    yield _moment(catalogue.COLLECT_BY, stack, (attempt.collect_by for attempt in attempts))
    yield gauge(catalogue.DRIFT, stack, _by_one(Counter(one.kind.value for one in plan.drift), DriftKind))
    yield gauge(catalogue.UNREAD_ACCOUNTS, stack, {(): len(plan.problems)})


def _by_one(counts: Mapping[str, int], known: Iterable[str] = ()) -> dict[tuple[str, ...], int]:
    """Counts by one label; 0 for each known value that has none, so that no series comes and goes."""
    found: dict[tuple[str, ...], int] = {(value,): 0 for value in known}
    return found | {(value,): number for value, number in counts.items()}


def _moment(metric: Metric, stack: str, times: Iterable[datetime | None]) -> Family:
    """The earliest time, as a Unix time; no sample if there is none."""
    known = [time for time in times if time is not None]
    return gauge(metric, stack, {(): min(known).timestamp()} if known else {})


def _result(attempt: RecordedAttempt) -> str:
    """How an attempt ended, or what it is doing."""
    if attempt.rejected:
        return "rejected"
    if attempt.is_reused:
        return "reused"
    if attempt.has_ended:
        return attempt.state_name.lower()
    if attempt.remote is None:
        return "unsent" if attempt.intent is None else "unanswered"
    if attempt.is_gone:
        return "gone"
    return "active" if attempt.is_active else "unknown"


def _verdicts(plan: Plan) -> Counter[str]:
    found: Counter[str] = Counter()
    for job in plan.jobs:
        if job.attempt is not None:
            found.update(_rows(job.attempt).verdicts)
    return found


def _rows(attempt: RecordedAttempt) -> RowCounts:
    """The rows of an attempt; of one with several shards, those of all."""
    return attempt.rows if attempt.merged is None else attempt.merged.rows


def _retirements(plan: Plan) -> dict[tuple[str, ...], float]:
    found = {(one.model, one.api.value): one.day for one in plan.retirements}
    return {labels: datetime.combine(day, time(), UTC).timestamp() for labels, day in found.items()}


def _enqueued(plan: Plan) -> dict[tuple[str, ...], int]:
    found: Counter[tuple[str, ...]] = Counter()
    for job in plan.jobs:
        if job.attempt is not None and job.attempt.is_active and job.size.tokens is not None:
            found[model_of(job.attempt, job.size.model or ""), job.attempt.account.api.value] += job.size.tokens
    return dict(found)


def _durations(stack: str, recorded: Recorded) -> Family:
    metric = catalogue.STATE_DURATION
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            for state, seconds in _times(attempt):
                found[state, model_of(attempt, job.row.model)].append(seconds)
    for past in recorded.history:
        for state, seconds in _times(past):
            found[state, past.model].append(seconds)
    family = HistogramMetricFamily(metric.name, metric.help, labels=("stack", *metric.labels))
    for labels in sorted(found):
        family.add_metric((stack, *labels), _buckets(found[labels], metric.buckets), sum_value=sum(found[labels]))
    return family


def _times(attempt: RecordedAttempt | PastAttempt) -> Iterator[tuple[str, float]]:
    """The time that an attempt spent in each state that it has left. A clock that was wrong gives 0, never less."""
    created, started, ended = attempt.create_time, attempt.start_time, attempt.end_time
    if created is not None and started is not None:
        yield "pending", max(0.0, (started - created).total_seconds())
    if started is not None and ended is not None:
        yield "running", max(0.0, (ended - started).total_seconds())


def _buckets(values: list[float], bounds: tuple[float, ...]) -> list[tuple[str, float]]:
    """The cumulative counts at each upper bound."""
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    found, below = [], 0
    for bound, number in zip((*bounds, float("inf")), counts, strict=True):
        below += number
        found.append(("+Inf" if bound == float("inf") else str(bound), float(below)))
    return found
