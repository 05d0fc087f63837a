"""The cost of one job: the estimate of its work, and what its attempts did cost."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from msgspec import Struct

from batchctl.model.admission import QuotaKey, quota_of, short_model
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.cost.job_cost import (
    Actual,
    CostEstimate,
    DayBasis,
    InputBasis,
    JobCost,
    MoneyRange,
    OutputBasis,
    Pricing,
    TokenEstimate,
    add_actual,
)
from batchctl.model.cost.prices import Price, Prices
from batchctl.model.cost.tokens import LONG_PROMPT, Counted, Counts, Tokens, Usage
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Account, Api
from batchctl.model.kinds import Kind, kind_of_rows
from batchctl.model.recorded import RecordedJob
from batchctl.model.work_size import WorkSize, ceiling, rows_sent
from batchctl.reconcile.admission.tokens import learn_rates
from batchctl.reconcile.cost.learned import Learned, by_modality, learn_answers, model_of, output_for, prompt_parts
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.view.subject import Subject

_NOTHING = Tokens()


class Costing:
    """Computes the costs of the jobs of one plan. Looks each price up once."""

    def __init__(self, prices: Prices | None, learned: Learned, rates: Container[QuotaKey], now: datetime) -> None:
        """`rates`: the accounts and models whose tokens a byte were learned."""
        self._prices = prices
        self._learned = learned
        self._rates = rates
        self._now = now
        self._today = utc_day(now)
        self._found: dict[tuple[str, Api, date], Price | None] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Costing) and self._facts() == other._facts()

    __hash__ = None  # type: ignore[assignment] # it has mappings

    def _facts(self) -> tuple[object, ...]:
        return self._prices, self._learned, self._rates, self._now

    def pricing_of(self, subject: Subject, *, bought: bool) -> Pricing | None:
        """Computes on demand what `cost_of` gives; None if that follows from the job's attempts."""
        if subject.desired is None:
            return None
        for view in subject.views:
            if view.attempt.counted is not None or (view.attempt.expected is not None and not bought):
                return None
        return _Estimated(self, subject.desired)

    def cost_of(self, subject: Subject, size: WorkSize, *, bought: bool, end: datetime | None = None) -> JobCost:
        """The cost of a job, whose work has this size. `end`: when it is expected to end."""
        estimate = None if bought else self._recorded(subject)
        account = _account(subject)
        if estimate is None and account is not None:
            estimate = self._estimate(subject.name, subject.desired, _kind(subject, account, size), account, size, end)
        actual = add_actual(self._actual(subject.recorded, [view.attempt for view in subject.views]))
        return JobCost(self._currency, estimate, actual, self._error(subject))

    def estimated(self, desired: DesiredJob, size: WorkSize, end: datetime | None) -> JobCost:
        """The cost of a job whose attempts tell nothing about it."""
        estimate = self._estimate(desired.name, desired, desired.row_kind, desired.account, size, end)
        return JobCost(self._currency, estimate)

    @property
    def _currency(self) -> str | None:
        return None if self._prices is None else self._prices.currency

    def _recorded(self, subject: Subject) -> CostEstimate | None:
        """The estimate that the current attempt was created with."""
        if all(view.attempt.expected is None for view in subject.views):
            return None
        current = [view.attempt for view in subject.views if subject.is_current(view)]
        found = (self.expected_of(subject.recorded, one, one.expected) for one in current if one.expected is not None)
        return next(found, None)

    def _estimate(
        self,
        name: str,
        desired: DesiredJob | None,
        kind: Kind | None,
        account: Account,
        size: WorkSize,
        end: datetime | None,
    ) -> CostEstimate | None:
        if size.tokens is None:
            return None
        key = quota_of(account, size.model or "")
        like = self._learned.find(name, key)
        seen = _NOTHING if like is None else like[0].usage.all
        parts = by_modality(size.tokens, {} if like is None else prompt_parts(seen))
        low = high = output_basis = None
        if kind is Kind.EMBEDDINGS_BATCH_JOB:
            low, high, output_basis = 0, 0, OutputBasis.NONE
        elif size.rows is not None:
            high = _most_output(desired, size.rows)
            if like is not None:
                expected, output_basis = output_for(size.rows, like[0]), like[1]
                low = expected if high is None else min(expected, high)
        basis = self._basis(key, size)
        tokens = TokenEstimate(size.tokens, basis, parts, low, high, output_basis, size.sampled_rows)
        day, day_basis = (utc_day(end), DayBasis.FORECAST) if end else (self._today, DayBasis.TODAY)
        money = self._money(key, tokens, size.rows, seen.output, day)
        return CostEstimate(tokens, day, day_basis, money)

    def _basis(self, key: QuotaKey, size: WorkSize) -> InputBasis:
        if size.is_counted:
            return InputBasis.COUNTED
        if size.sampled_rows:
            return InputBasis.COUNT_TOKENS
        return InputBasis.LEARNED if key in self._rates else InputBasis.BYTES

    def _money(
        self, key: QuotaKey, tokens: TokenEstimate, rows: int | None, like: Counts, day: date
    ) -> MoneyRange | None:
        """The money for an estimate; None if a price that it needs is not known."""
        if self._prices is None:
            return None

        def amount(output: int | None) -> Decimal | None:
            if output is None:
                return None
            parts = Tokens(tokens.parts, output=by_modality(output, like))
            # Prompts of rows that are longer than the average may be long although the average is not.
            is_long = bool(rows) and tokens.input > LONG_PROMPT * (rows or 0)
            price = self._price(key.model, key.account.api, day)
            return None if price is None else price.cost(Usage(long=parts) if is_long else Usage(parts))

        own = amount(0)
        return None if own is None else MoneyRange(own, amount(tokens.output_low), amount(tokens.output_high))

    def _error(self, subject: Subject) -> Decimal | None:
        """The actual cost of the current attempt less the expected one, both at the prices of its end."""
        if self._prices is None:
            return None
        current = [view.attempt for view in subject.views if subject.is_current(view)]
        actual = add_actual(self._actual(subject.recorded, current))
        if actual is None or actual.money is None or any(one.counted is None for one in current):
            return None
        expected = self._recorded(subject)
        return None if expected is None else _less(actual.money, expected.money)

    def expected_of(self, job: RecordedJob | None, attempt: RecordedAttempt, tokens: TokenEstimate) -> CostEstimate:
        """The estimate that an attempt was created with, at the price of the day on which it ended, else of today."""
        day = utc_day(attempt.end_time or self._now)
        key = quota_of(attempt.account, model_of(job, attempt))
        rows = None if attempt.sent is None else attempt.sent.rows
        return CostEstimate(tokens, day, money=self._money(key, tokens, rows, {}, day))

    def _actual(self, job: RecordedJob | None, attempts: Iterable[RecordedAttempt]) -> list[Actual]:
        return [self.actual_of(job, attempt) for attempt in attempts if attempt.counted is not None]

    def actual_of(self, job: RecordedJob | None, attempt: RecordedAttempt) -> Actual:
        """The cost of an attempt whose answers were counted, at the price of the day on which it ended."""
        assert attempt.counted is not None
        ended = attempt.end_time or attempt.create_time
        return self.actual_for(model_of(job, attempt), attempt.account.api, ended, attempt.counted)

    def actual_for(self, model: str, api: Api, ended: datetime | None, counted: Counted) -> Actual:
        """The cost of answers that were counted, at the price of the day on which their attempt ended."""
        money = None
        if not counted.uncounted and ended is not None:
            price = self._price(model, api, utc_day(ended))
            money = None if price is None else price.cost(counted.usage)
        return Actual(counted.usage, counted.rows, counted.uncounted, money)

    def _price(self, model: str, api: Api, day: date) -> Price | None:
        key = model, api, day
        if key not in self._found:
            self._found[key] = None if self._prices is None else self._prices.find(*key)
        return self._found[key]


class _Estimated(Struct, frozen=True, gc=False):
    """The cost of a job whose attempts tell nothing about it. Implements Pricing."""

    costing: Costing
    desired: DesiredJob

    def cost_of(self, size: WorkSize, end: datetime | None) -> JobCost:
        """See Pricing."""
        return self.costing.estimated(self.desired, size, end)


def costing_of(context: Context) -> Costing:
    """The costing of a plan."""
    rates = context.learn(learn_rates)
    return Costing(context.stack.prices, context.learn(learn_answers), rates.learned, context.now)


def _less(actual: Decimal, expected: MoneyRange | None) -> Decimal | None:
    return None if expected is None or expected.low is None else actual - expected.low


def utc_day(time: datetime) -> date:
    """The day of a time in UTC, as price lists count days."""
    return time.astimezone(UTC).date()


def _account(subject: Subject) -> Account | None:
    if subject.desired is not None:
        return subject.desired.account
    return None if subject.current is None else subject.current.attempt.account


def _kind(subject: Subject, account: Account, size: WorkSize) -> Kind | None:
    if subject.desired is not None:
        return subject.desired.row_kind
    return (
        None
        if subject.recorded is None
        else kind_of_rows(account.api, subject.recorded.row.kind, short_model(size.model or ""))
    )


def _most_output(desired: DesiredJob | None, rows: int) -> int | None:
    """The most tokens of output of so many of its rows; None if a row sets no limit."""
    most, total = (None, None) if desired is None else (desired.output_tokens, rows_sent(desired))
    return None if most is None or not total else ceiling(most * rows, total)
