"""All ways of a canary and of row retries in a world of one job with four rows: no good row is sent again, and after a
failed canary nothing else is bought without an order.

The decisions are those of the real `plan`; the ledger is modelled as the history of each row. All that may come is
tried, level by level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from batchctl.model.desired import InlineRows, RequestRow
from batchctl.model.observed import RowCounts
from batchctl.model.recorded import JobRow, RecordedAttempt, RecordedJob
from batchctl.model.row_settings import Canary, MaxFailedRows
from batchctl.model.row_work import RowChoice, RowHistory, RowsSent, RowWork
from batchctl.model.steps import Create, RecordJob
from batchctl.reconcile import Options, Scope
from tests.support.decisions import HOUR, NOW, Situation, collected, job, look, row, seen, with_rows
from tests.support.long_mode import effort

ROWS, CANARY = 4, 2
DEPTH = effort(4, 7)
WANTED = replace(
    job(retry_on=frozenset({"ROWS", "EXPIRED"}), backoff_limit=1),
    source=InlineRows((RequestRow(None, {}),) * ROWS),
    canary=Canary(CANARY, MaxFailedRows("0")),
)
NAMED = Scope(names=frozenset({"a"}))
ORDERS = {
    "apply": Options(),
    "retry": Options(NAMED, retry=True),
    "accept": Options(NAMED, retry=True, accept_canary=True),
}
OUTCOMES = {
    "SUCCEEDED": tuple(product(("OK", "UNAVAILABLE", "SAFETY"), repeat=2)),
    "EXPIRED": (("OK", None), (None, None)),
}
"""The verdicts of the first half of the rows that are sent, and of the others."""
Ledger = tuple[RowHistory | None, ...]


@dataclass(frozen=True)
class World:
    """The record and the ledger at rest: every attempt has ended and was collected."""

    row: JobRow
    attempts: tuple[RecordedAttempt, ...] = ()
    ledger: Ledger = (None,) * ROWS

    def work(self) -> RowWork:
        open_rows = [one for one in self.ledger if one is None or not one.is_good]
        tried = [one for one in open_rows if one is not None]
        may_pass = sum(RowChoice().may_pass(one) for one in open_rows)
        return RowWork(ROWS, ROWS - len(open_rows), len(open_rows), len(tried), may_pass)

    def has_failed_canary(self) -> bool:
        sent = self.attempts[-1].sent if self.attempts else None
        return sent is not None and sent.is_canary and sent.good(frozenset()) < sent.rows


def follow(world: World, order: str) -> Iterator[World]:
    """What may come after a command."""
    shown = look(*map(seen, world.attempts))
    record = RecordedJob(world.row, world.attempts) if world.attempts else None
    inventory = with_rows(world.work(), *world.attempts)
    (plan,) = Situation(WANTED, record, shown, ORDERS[order], inventory=inventory).decide().jobs
    creates = [step for step in plan.steps if isinstance(step, Create)]
    rows = [step.job for step in plan.steps if isinstance(step, RecordJob)]
    known = rows[-1] if rows else world.row
    if not creates:
        yield replace(world, row=known)
        return
    (step,) = creates
    sent = [place for place in range(ROWS) if step.rows.sends(world.ledger[place], f"k{place}")][: step.rows.most]
    check(world, order, sent, known)
    for state, verdicts in OUTCOMES.items():
        for first, second in verdicts:
            codes = [first if number < len(sent) / 2 else second for number in range(len(sent))]
            yield after(world, known, dict(zip(sent, codes, strict=True)), state, is_canary=step.rows.most is not None)


def check(world: World, order: str, sent: list[int], known: JobRow) -> None:
    """The promises, at the moment of a create call."""
    assert sent, "a job without rows is created"
    for place in sent:
        history = world.ledger[place]
        assert history is None or not history.is_good, f"row {place} is sent again by {order}: {world}"
    if world.has_failed_canary() and known.canary_accepted is None:
        # A canary that expired decides nothing: `retryOn` sends it again.
        has_expired = world.attempts[-1].state == "JOB_STATE_EXPIRED"
        assert order == "retry" or has_expired, f"rows are bought after a failed canary: {world}"
        assert len(sent) <= CANARY, f"more than a canary is tried again: {world}"


def after(world: World, known: JobRow, codes: dict[int, str | None], state: str, *, is_canary: bool) -> World:
    """The world with one more collected attempt."""
    ledger = list(world.ledger)
    for place, code in codes.items():
        before = ledger[place]
        tries = 0 if before is None else before.tries
        ledger[place] = RowHistory(code or "NO_RESULT", code == "OK", tries + (code != "OK"))
    good = sum(one is not None and one.is_good for one in ledger)
    came = sum(one is not None and one.code != "NO_RESULT" for one in ledger)
    verdicts = Counter(code or "NO_RESULT" for code in codes.values())
    made = collected(
        len(world.attempts) + 1,
        state,
        rows=RowCounts(ROWS, good, came - good),
        sent=RowsSent(len(codes), ROWS, "", is_canary=is_canary, verdicts=verdicts),
        end_time=NOW - 30 * HOUR,
        create_time=NOW - 31 * HOUR,
        start_time=NOW - 31 * HOUR,
    )
    following = replace(known, current=made.key.attempt, retry_requested=None)
    return World(following, (*world.attempts, made), tuple(ledger))


def summary(world: World) -> object:
    """What decides about what may come; counts of the rows are in the ledger."""
    kinds = tuple((one.state, one.is_canary, one.rows.ok) for one in world.attempts)
    return (kinds, world.ledger, world.row.canary_accepted, world.row.retry_requested)


def test_no_good_row_is_sent_again_and_a_failed_canary_holds_the_others() -> None:
    level = [World(row(WANTED).row)]
    found = {summary(level[0])}
    endings: Counter[bool] = Counter()
    for _ in range(DEPTH):
        following = []
        for world in level:
            for order in ORDERS if world.attempts else ("apply",):
                for one in follow(world, order):
                    if summary(one) not in found:
                        found.add(summary(one))
                        following.append(one)
                        endings[one.has_failed_canary()] += 1
        level = following
    assert len(found) > 100
    assert endings[True]
    assert endings[False]
    assert any(len(world.attempts) == DEPTH for world in level)
