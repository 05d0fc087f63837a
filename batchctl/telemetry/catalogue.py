"""All metrics: name, kind, meaning and labels. The page docs/metrics.md is made from this."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """The types of Prometheus that are used."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(Struct, frozen=True):
    """One metric. Each has the label `stack` as well."""

    name: str
    """As it is queried: a counter ends in `_total`. A histogram has `_bucket`, `_sum` and `_count`."""
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, in seconds, without infinity."""

    @property
    def series(self) -> frozenset[str]:
        """The names of its time series."""
        if self.kind is Kind.HISTOGRAM:
            return frozenset(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return frozenset({self.name})


_MINUTE, _HOUR = 60.0, 3600.0
_WAITS = (
    _MINUTE,
    5 * _MINUTE,
    15 * _MINUTE,
    30 * _MINUTE,
    *(hours * _HOUR for hours in (1, 2, 4, 8, 12, 24, 48, 72)),
)
_CALLS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
_PASSES = (0.1, 0.5, 1.0, 5.0, 15.0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR)

# The state of the stack, as the last pass left it
JOBS = Metric("batchctl_jobs", Kind.GAUGE, "Jobs by phase.", ("phase",))
ATTEMPTS = Metric("batchctl_attempts", Kind.GAUGE, "Attempts in the state by how they ended, or are.", ("result",))
ROWS = Metric(
    "batchctl_rows", Kind.GAUGE, "Collected rows of the current attempts by the code of their verdict.", ("verdict",)
)
TOKENS = Metric(
    "batchctl_tokens",
    Kind.GAUGE,
    "Tokens that the API counted for the answers of the attempts in the state. `input` is without cached tokens, and "
    "`output` without thoughts. Modality `UNKNOWN`: thoughts, and what older releases have counted.",
    ("type", "modality", "model", "api"),
)
MONEY_SPENT = Metric(
    "batchctl_money_spent",
    Kind.GAUGE,
    "Cost of the counted answers of all jobs, by the price list. Absent without one.",
    ("currency",),
)
MONEY_ESTIMATED = Metric(
    "batchctl_money_estimated",
    Kind.GAUGE,
    "Estimated cost of the jobs that have not ended: `low` with the expected output, `high` with the most output.",
    ("currency", "bound"),
)
MONEY_UNKNOWN = Metric(
    "batchctl_money_unknown_jobs",
    Kind.GAUGE,
    "Jobs that are left out of a sum of money, because it is not known for them. Absent without a price list.",
    ("amount",),
)
BUDGET_LIMIT = Metric(
    "batchctl_budget_limit",
    Kind.GAUGE,
    "`limits.budget` in its currency, and `limits.tokens`. Absent without such a limit, like the other numbers of it.",
    ("unit",),
)
BUDGET_SPENT = Metric(
    "batchctl_budget_spent",
    Kind.GAUGE,
    "What the attempts of `limits.budgetPeriod` have used of the limit: as counted, or estimated before that.",
    ("unit",),
)
BUDGET_PLANNED = Metric(
    "batchctl_budget_planned",
    Kind.GAUGE,
    "What the work that is to be bought would use of the limit, as far as it is known.",
    ("unit",),
)
BUDGET_USED = Metric(
    "batchctl_budget_used_ratio",
    Kind.GAUGE,
    "The part of the limit that is spent: 1 is all of it.",
    ("unit",),
)
BUDGET_UNKNOWN = Metric(
    "batchctl_budget_unknown_attempts",
    Kind.GAUGE,
    "Attempts of the period whose cost is not known: they are in no other number.",
    ("unit",),
)
MODEL_RETIREMENT = Metric(
    "batchctl_model_retirement_timestamp_seconds",
    Kind.GAUGE,
    "The beginning of the day (UTC) on which a model of the manifests is shut down. Absent where it is not known.",
    ("model", "api"),
)
ENQUEUED_TOKENS = Metric(
    "batchctl_enqueued_tokens",
    Kind.GAUGE,
    "Input tokens of the jobs that have not ended at the API; an estimate before the API has counted.",
    ("model", "api"),
)
QUEUE_LENGTH = Metric(
    "batchctl_queue_length", Kind.GAUGE, "Jobs that wait for capacity, by the limit that they wait for.", ("limit",)
)
OLDEST_PENDING = Metric(
    "batchctl_oldest_pending_timestamp_seconds",
    Kind.GAUGE,
    "When the remote job was created that has waited longest for its start. Absent if none waits.",
)
STATE_DURATION = Metric(
    "batchctl_state_duration_seconds",
    Kind.HISTOGRAM,
    "How long the attempts in the state were pending (until their start) and running (until their end).",
    ("state", "model"),
    _WAITS,
)
JOBS_OVER_P90 = Metric(
    "batchctl_jobs_over_p90",
    Kind.GAUGE,
    "Jobs that have been in a state longer than nine of ten like them were, by the stack's own history.",
    ("state",),
)
JOBS_STUCK = Metric(
    "batchctl_jobs_stuck",
    Kind.GAUGE,
    "Jobs that have been in a state longer than that, times `limits.stuckFactor`.",
    ("state",),
)
EXPECTED_END = Metric(
    "batchctl_expected_end_timestamp_seconds",
    Kind.GAUGE,
    "When all jobs have ended in half (`p50`) or nine of ten (`p90`) of the cases. Absent where the history does not "
    "show it.",
    ("percentile",),
)
COLLECT_BY = Metric(
    "batchctl_collect_by_timestamp_seconds",
    Kind.GAUGE,
    "The earliest time until which results that are not collected yet certainly exist. Absent if there are none.",
)
DRIFT = Metric(
    "batchctl_drift", Kind.GAUGE, "Differences from the record that batchctl has not caused, by kind.", ("kind",)
)
UNREAD_ACCOUNTS = Metric(
    "batchctl_unread_accounts", Kind.GAUGE, "Accounts that the last pass could not read in full; nothing is done there."
)

# The process
INFO = Metric("batchctl_info", Kind.GAUGE, "1, with the version of batchctl.", ("version",))
API_CALLS = Metric(
    "batchctl_api_calls_total",
    Kind.COUNTER,
    "API calls by method and by HTTP status, or by the code of the error where no reply came.",
    ("method", "code"),
)
API_CALL_DURATION = Metric(
    "batchctl_api_call_duration_seconds",
    Kind.HISTOGRAM,
    "How long API calls took until their reply was read.",
    ("method",),
    _CALLS,
)
ACTIONS = Metric(
    "batchctl_actions_total",
    Kind.COUNTER,
    "Actions of jobs by result: `OK`, or the code of the error.",
    ("action", "code"),
)
PASSES = Metric(
    "batchctl_passes_total",
    Kind.COUNTER,
    "Passes (`full`), and checks that found none to be needed (`quick check`), by result.",
    ("kind", "result"),
)
PASS_DURATION = Metric(
    "batchctl_pass_duration_seconds",
    Kind.HISTOGRAM,
    "How long full passes took, waiting for the lock included.",
    (),
    _PASSES,
)
LAST_SUCCESS = Metric(
    "batchctl_last_success_timestamp_seconds",
    Kind.GAUGE,
    "When a pass or a quick check last came to its end without an error. 0 before the first.",
)

OF_THE_STATE = (
    JOBS,
    ATTEMPTS,
    ROWS,
    TOKENS,
    MONEY_SPENT,
    MONEY_ESTIMATED,
    MONEY_UNKNOWN,
    BUDGET_LIMIT,
    BUDGET_SPENT,
    BUDGET_PLANNED,
    BUDGET_USED,
    BUDGET_UNKNOWN,
    MODEL_RETIREMENT,
    ENQUEUED_TOKENS,
    QUEUE_LENGTH,
    OLDEST_PENDING,
    STATE_DURATION,
    JOBS_OVER_P90,
    JOBS_STUCK,
    EXPECTED_END,
    COLLECT_BY,
    DRIFT,
    UNREAD_ACCOUNTS,
)
OF_THE_PROCESS = (INFO, API_CALLS, API_CALL_DURATION, ACTIONS, PASSES, PASS_DURATION, LAST_SUCCESS)
CATALOGUE = (*OF_THE_STATE, *OF_THE_PROCESS)
