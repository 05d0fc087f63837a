"""The cost of the recorded attempts of a period, past or still to come: in money or in tokens."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from msgspec import Struct

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.cost.job_cost import Actual, CostEstimate
from batchctl.model.history import PastAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.reconcile.cost.estimates import Costing

NOTHING = Decimal(0)


class Measure(Struct, frozen=True):
    """The unit of a limit: money, or tokens. None: it is not known."""

    actual: Callable[[Actual], Decimal | None]
    estimate: Callable[[CostEstimate], Decimal | None]
    """The most, else what is expected."""


def _money_of_estimate(estimate: CostEstimate) -> Decimal | None:
    money = estimate.money
    return None if money is None else money.low if money.high is None else money.high


def _tokens_of_estimate(estimate: CostEstimate) -> Decimal | None:
    tokens = estimate.tokens
    output = tokens.output_low if tokens.output_high is None else tokens.output_high
    return None if output is None else Decimal(tokens.input + output)


MONEY = Measure(lambda actual: actual.money, _money_of_estimate)
TOKENS = Measure(
    lambda actual: None if actual.uncounted else Decimal(actual.usage.all.total),
    _tokens_of_estimate,
)


def find_spent(
    recorded: Recorded, since: datetime, measure: Measure, costing: Costing, renewed: Container[AttemptKey]
) -> tuple[Decimal, int]:
    """The cost of the attempts since a time, past or still to come, and the number of attempts whose cost is not known.

    `renewed`: attempts without an answer whose create call is sent again: they count as work to buy.
    """
    amounts = [
        _cost(job, shards, measure, costing)
        for job in recorded.jobs.values()
        for shards in _attempts(job, since, renewed)
    ]
    # Forgotten jobs were paid for, too.
    amounts += [_past_cost(past, measure, costing) for past in recorded.history if past.create_time >= since]
    known = [amount for amount in amounts if amount is not None]
    return sum(known, NOTHING), len(amounts) - len(known)


def find_bought(recorded: Recorded, keys: Iterable[AttemptKey], measure: Measure, costing: Costing) -> Decimal:
    """The cost of these attempts, past or still to come; of those that were sent, and whose cost is known.

    A run forgets no job that it has bought. What another process forgets meanwhile is in the history without its key,
    and counts for the limits of the stack alone.
    """
    chosen = {(key.job, key.attempt) for key in keys}
    amounts = [
        _cost(job, shards, measure, costing)
        for name in sorted({job for job, _ in chosen})
        if (job := recorded.jobs.get(name)) is not None
        for number, all_shards in groupby(job.attempts, key=lambda one: one.key.attempt)
        if (name, number) in chosen and (shards := [one for one in all_shards if _is_sent(one)])
    ]
    return sum((amount for amount in amounts if amount is not None), NOTHING)


def _past_cost(past: PastAttempt, measure: Measure, costing: Costing) -> Decimal | None:
    if past.counted is None:
        return None
    return measure.actual(costing.actual_for(past.model, past.account.api, past.end_time, past.counted))


def _attempts(job: RecordedJob, since: datetime, renewed: Container[AttemptKey]) -> Iterator[Sequence[RecordedAttempt]]:
    """The shards of each attempt that was sent since a time, or may have been."""
    for _, shards in groupby(job.attempts, key=lambda one: one.key.attempt):
        sent = [one for one in shards if _is_sent(one) and not (one.remote is None and one.key in renewed)]
        times = [time for one in sent if (time := _time(one)) is not None]
        if sent and (not times or max(times) >= since):
            yield sent


def _is_sent(attempt: RecordedAttempt) -> bool:
    return not attempt.rejected and (attempt.remote is not None or attempt.intent is not None)


def _time(attempt: RecordedAttempt) -> datetime | None:
    if attempt.create_time is not None or attempt.intent is None:
        return attempt.create_time
    return attempt.intent.time


def _cost(job: RecordedJob, shards: Sequence[RecordedAttempt], measure: Measure, costing: Costing) -> Decimal | None:
    """The cost of an attempt: as counted if all of it is, else as estimated when it was created."""
    counted = [measure.actual(costing.actual_of(job, one)) for one in shards if one.counted is not None]
    known = [one for one in counted if one is not None]
    if len(known) == len(shards):
        return sum(known, NOTHING)
    # The first shard has the estimate of all of them.
    estimates = (costing.expected_of(job, one, one.expected) for one in shards if one.expected is not None)
    return next((measure.estimate(one) for one in estimates), None)
