"""Limits of money and tokens: what the work to buy adds to what was spent, and what is refused or waits for it.

In a run that a person starts, all of the work or none of it is bought, as with the limits of numbers. `watch` buys what
the limits allow, in the order of the queue; the rest waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.cost.amounts import money_words
from batchctl.model.cost.job_cost import JobCost
from batchctl.model.cost.spending import FINEST_MONEY, BudgetUse, SpendingLimits, Use, period_words
from batchctl.model.decision import Decision, Guard
from batchctl.model.keys import AttemptKey
from batchctl.model.reasons import Reason
from batchctl.model.steps import Create
from batchctl.reconcile.admission.sizes import is_bought, planned_size
from batchctl.reconcile.admission.tokens import learn_rates
from batchctl.reconcile.cost.estimates import Costing, costing_of
from batchctl.reconcile.cost.spent import MONEY, NOTHING, TOKENS, Measure, find_bought, find_spent
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.options import Options
from batchctl.reconcile.rules.held_create import hold_create
from batchctl.reconcile.view.subject import Subject

_TOKENS = "tokens"
_INCREASE = "--budget-increase"


class _Limit(Struct, frozen=True):
    """One of the two limits, with its use without the work to buy."""

    use: Use
    measure: Measure
    increase: Decimal
    bought: Decimal
    """By earlier passes of this run."""

    def excess(self, planned: Decimal) -> Decimal:
        """By how much the work to buy goes beyond the limits."""
        use = self.use
        over_stack = NOTHING if use.limit is None else use.spent + planned - use.limit - self.increase
        over_run = NOTHING if use.run_limit is None else self.bought + planned - use.run_limit - self.increase
        return max(over_stack, over_run, NOTHING)


def keep_budget(decisions: Decisions, context: Context) -> Decisions:
    """Refuse the work to buy if it goes beyond the limits, or let it wait."""
    limits = context.stack.limits.spending
    rates = context.learn(learn_rates)
    costing = costing_of(context)
    to_buy = {
        name: costing.cost_of(subject, planned_size(subject, decision, context.rows_of(subject), rates), bought=True)
        for name, subject, decision in decisions.of_moving()
        if is_bought(decision) and name not in decisions.guards and not _is_under_way(subject, decision)
    }
    renewed = {step.key for _, _, one in decisions.of_moving() for step in one.steps if isinstance(step, Create)}
    found = list(_limits(limits, costing, renewed, context))
    decisions = replace(decisions, budget=_used(found, to_buy, limits))
    if context.options.waits_for_budget:
        return _hold(found, to_buy, decisions, context)
    refused = _refusals(found, to_buy, context)
    return replace(decisions, guards={**decisions.guards, **refused})


def _is_under_way(subject: Subject, decision: Decision) -> bool:
    """Whether only further shards of an attempt are created, whose estimate is that of the whole attempt."""
    sent = {view.key.attempt for view in subject.views if view.attempt.remote is not None}
    creates = [step.key.attempt for step in decision.steps if isinstance(step, Create)]
    return bool(creates) and sent.issuperset(creates)


def _limits(limits: SpendingLimits, costing: Costing, renewed: set[AttemptKey], context: Context) -> Iterator[_Limit]:
    since, options = context.now - limits.period, context.options

    def limit(unit: str, most: Sequence[Decimal | None], measure: Measure, increase: Decimal) -> _Limit:
        spent, unknown = find_spent(context.recorded, since, measure, costing, renewed)
        of_stack, of_run = most
        bought = (
            NOTHING if of_run is None else find_bought(context.recorded, options.bought - renewed, measure, costing)
        )
        return _Limit(Use(unit, of_stack, of_run, spent, NOTHING, unknown), measure, increase, bought)

    stack, run = limits.budget, limits.budget_per_run
    given = stack or run
    if given is not None:
        amounts = [None if one is None else one.amount for one in (stack, run)]
        yield limit(given.currency, amounts, MONEY, options.budget_increase)
    numbers = [None if one is None else Decimal(one) for one in (limits.tokens, limits.tokens_per_run)]
    if numbers != [None, None]:
        yield limit(_TOKENS, numbers, TOKENS, Decimal(options.tokens_increase))


def _used(found: Iterable[_Limit], to_buy: Mapping[str, JobCost], limits: SpendingLimits) -> BudgetUse:
    uses = {}
    for one in found:
        amounts = [_amount(cost, one.measure) for cost in to_buy.values()]
        known = [amount for amount in amounts if amount is not None]
        use = replace(one.use, planned=sum(known, NOTHING), unknown_planned=len(amounts) - len(known))
        uses[_TOKENS if use.unit == _TOKENS else "money"] = use
    return BudgetUse(limits.period, **uses)


def _refusals(found: Iterable[_Limit], to_buy: Mapping[str, JobCost], context: Context) -> dict[str, Guard]:
    """The guards by job: of unknown costs, and then of each limit for all jobs together."""
    guards: dict[str, Guard] = {}
    for limit in found:
        amounts = {name: _amount(cost, limit.measure) for name, cost in to_buy.items()}
        if not context.options.allow_unknown_cost:
            unknown = {name: _unknown(name, to_buy[name], limit) for name, one in amounts.items() if one is None}
            guards = {**unknown, **guards}
        planned = sum((one for one in amounts.values() if one is not None), NOTHING)
        excess = limit.excess(planned)
        if excess:
            guard = _beyond(limit, planned, excess, context)
            guards = {**{name: guard for name, one in amounts.items() if one}, **guards}
    return guards


def _hold(found: Iterable[_Limit], to_buy: Mapping[str, JobCost], decisions: Decisions, context: Context) -> Decisions:
    """Let what the limits do not allow wait, and what comes after it in the queue."""
    from batchctl.reconcile.admission.queue import queue_rank

    records = context.recorded.jobs
    now = [name for name in to_buy if decisions.jobs[name][1].creates]
    order = sorted(now, key=lambda name: queue_rank(decisions.jobs[name][0].manifest, records.get(name)))
    taken = {limit.use.unit: NOTHING for limit in found}
    held, why = {}, ""
    for name in order:
        subject, decision = decisions.jobs[name]
        why = why or _why_not(name, to_buy[name], found, taken, context.options)
        if why:
            held[name] = subject, hold_create(subject, decision, Reason.BUDGET, why)
            continue
        for limit in found:
            taken[limit.use.unit] += _amount(to_buy[name], limit.measure) or NOTHING
    return decisions.with_jobs(held)


def _why_not(name: str, cost: JobCost, found: Iterable[_Limit], taken: Mapping[str, Decimal], options: Options) -> str:
    """Why a job waits; empty if it is bought."""
    for limit in found:
        amount = _amount(cost, limit.measure)
        if amount is None:
            if not options.allow_unknown_cost:
                return _unknown(name, cost, limit).message
        elif limit.excess(taken[limit.use.unit] + amount):
            left = _room_words(limit, taken[limit.use.unit])
            return f"of the budget, {left}, and {name} needs {_shown(amount, limit)}"
    return ""


def _amount(cost: JobCost, measure: Measure) -> Decimal | None:
    return None if cost.estimate is None else measure.estimate(cost.estimate)


def _unknown(name: str, cost: JobCost, limit: _Limit) -> Guard:
    """The refusal of a job whose cost is not known."""
    estimate, is_money = cost.estimate, limit.use.unit != _TOKENS
    if estimate is None:
        why = f"the size of {name} is not known, because batchctl does not send its rows"
        way = ""
    elif is_money and estimate.money is None:
        why = f"the price list has no price for the model of {name} on {estimate.day}"
        way = "add it to spec.prices, or "
    else:
        why = f"a row of {name} sets no maxOutputTokens, and no answer of its model was collected yet"
        way = "set generationConfig.maxOutputTokens, or "
    return Guard(
        ErrorCode.COST_UNKNOWN,
        f"there is a limit of {'money' if is_money else _TOKENS}, and {why}",
        f"{way}--allow-unknown-cost",
    )


def _beyond(limit: _Limit, planned: Decimal, excess: Decimal, context: Context) -> Guard:
    """The refusal of all work to buy."""
    use, most = limit.use, []
    if use.limit is not None:
        period = period_words(context.stack.limits.spending.period)
        most.append(
            f"{_shown(use.spent, limit)} of {_shown(use.limit, limit)} are spent or committed in the last {period}"
        )
    if use.run_limit is not None:
        already = f", and {_shown(limit.bought, limit)} are bought already" if limit.bought else ""
        most.append(f"the limit of one run is {_shown(use.run_limit, limit)}{already}")
    message = f"the work to buy needs up to {_shown(planned, limit)}; {', and '.join(most)}"
    return Guard(ErrorCode.OVER_BUDGET, message, f"{_INCREASE} '{_raised(limit.increase + excess, limit)}'")


def _room_words(limit: _Limit, taken: Decimal) -> str:
    use = limit.use
    left = [] if use.limit is None else [use.limit + limit.increase - use.spent - taken]
    left += [] if use.run_limit is None else [use.run_limit + limit.increase - limit.bought - taken]
    return f"{_shown(max(min(left), NOTHING), limit)} are left"


def _shown(amount: Decimal, limit: _Limit) -> str:
    """An amount for people: money is rounded up."""
    if limit.use.unit == _TOKENS:
        return f"{int(amount):,} {_TOKENS}"
    return f"{money_words(amount, ROUND_CEILING)} {limit.use.unit}"


def _raised(amount: Decimal, limit: _Limit) -> str:
    """An amount as the option has it."""
    if limit.use.unit == _TOKENS:
        return f"{int(amount)} {_TOKENS}"
    return f"{money_words(amount.quantize(FINEST_MONEY, ROUND_CEILING), ROUND_CEILING)} {limit.use.unit}"
