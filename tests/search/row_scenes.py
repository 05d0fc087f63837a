"""The small worlds of rows: shards, row retries, a canary, fallbacks, chains, orders of rows."""

from __future__ import annotations

from batchctl.model.keys import Account
from batchctl.model.lifecycle import Lifecycle, OnChange, OnMissing
from batchctl.model.row_settings import Canary, Fallback, MaxFailedRows, RowSettings
from batchctl.model.row_work import RowOrder
from batchctl.model.sent_with import SentWith
from batchctl.reconcile import Options, Scope
from tests.search.scenes import HOUR, LENIENT, MINUTE, RowRules, Scene
from tests.support.values import replace

RETRIED = Lifecycle(backoff_limit=1, retry_on=frozenset({"ROWS", "EXPIRED"}), on_missing=OnMissing.RECREATE)
STRICT = Lifecycle(retry_on=frozenset({"ROWS"}))
FOUR = (("1", (1, 2, 3, 4)), ("2", (1, 2, 3, 5)))
"""Two works, which differ in one row."""
SPANS = (4 * MINUTE, HOUR)
ENDS = ("SUCCEEDED", "EXPIRED", "FAILED")
NAMED = Scope(names=frozenset({"a"}))
FALLBACK = Fallback(frozenset({"MAX_TOKENS"}), SentWith(request={"generationConfig": {"maxOutputTokens": 9}}))


def order(rows: RowOrder | None, **changes: bool) -> Options:
    """The command `batchctl retry a`."""
    given = {"allow_empty": True, "adopt_changed": True, **changes}
    return Options(NAMED, retry=True, retry_rows=rows, **given)


RETRY = ("retry a runs", order(None))
ACCEPT = ("retry a --accept-canary runs", order(None, accept_canary=True))
ALL = ("retry a --rows all runs", order(RowOrder(is_all=True)))
FAILED = ("retry a --rows failed runs", order(RowOrder()))
KEY = ("retry a --rows key=k1 runs", order(RowOrder(keys=frozenset({"k1"}))))


def row_scenes(api: Account, other: Account) -> tuple[Scene, ...]:
    """All scenes on one API; the second job of a chain is on the other one."""
    one, single = (("a", api),), RowRules(FOUR)
    shards = replace(single, per_shard=2)
    base = Scene("", one, RETRIED, spans=SPANS, ends=ENDS, works=("12",), rows=shards)
    retried = replace(shards, outcomes=("all good", "one row may pass"))
    probed = replace(
        single,
        per_shard=1,
        canary=Canary(2, MaxFailedRows("0")),
        outcomes=("all good", "one row may pass", "one row is bad"),
        orders=(RETRY, ACCEPT),
    )
    fallen = replace(
        single,
        settings=RowSettings(max_attempts=2, fallbacks=(FALLBACK,)),
        outcomes=("all good", "one row may pass", "one row is bad", "one row is cut"),
        orders=(ALL, FAILED, KEY),
    )
    chained = replace(
        shards,
        inputs=(("1", (1, 2)), ("2", (1, 3)), ("3", ())),
        per_shard=1,
        outcomes=("all good", "one row may pass"),
        chain=("b", "a"),
    )
    return (
        replace(base, name="shards", events=frozenset({"torn", "old", "edit"}), rows=retried),
        replace(
            base,
            name="shards and strangers",
            lifecycle=LENIENT,
            events=frozenset({"strangers cancel", "strangers delete", "copy", "unreadable"}),
        ),
        replace(
            base,
            name="shards in a full account",
            events=frozenset({"orders", "edit", "remove"}),
            rows=replace(shards, at_once=1),
        ),
        replace(base, name="shards, two processes", events=frozenset({"sleep", "late"})),
        replace(
            base, name="shards, lost state", lifecycle=STRICT, events=frozenset({"lose", "rebuild", "remove", "late"})
        ),
        replace(
            base,
            name="shards, kept on change",
            lifecycle=replace(RETRIED, on_change=OnChange.KEEP),
            events=frozenset({"edit", "torn", "remove"}),
        ),
        replace(base, name="canary", events=frozenset({"edit"}), rows=probed, ends=("SUCCEEDED", "EXPIRED")),
        replace(base, name="row retry and fallback", events=frozenset({"edit"}), rows=fallen),
        replace(
            base,
            name="chain of shards",
            accounts=(("a", api), ("b", other)),
            needs=(("b", "a"),),
            events=frozenset({"edit", "torn"}),
            works=("12", "3"),
            rows=chained,
            ends=("SUCCEEDED", "FAILED"),
        ),
    )
