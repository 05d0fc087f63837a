"""The new attempts that an attempt asks for by its rows, once all its shards have ended and are collected.

The order is data, like the rules of `table`: `docs/rules.md` shows it. The first that gives a decision makes it. If
none does, the outcome of the attempt decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.decision import Decision
from batchctl.reconcile.decide.canary import follow_canary
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.recreate import recreate_shards
from batchctl.reconcile.decide.row_retry import retry_rows
from batchctl.reconcile.decide.shards import send_missing_shards
from batchctl.reconcile.decide.unsent_rows import send_unsent_rows
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject

Decide: TypeAlias = Callable[[Subject, AttemptView, Context], Decision | None]


class FollowUp(Struct, frozen=True):
    """One of them, with its texts for the page."""

    id: str
    does: str
    why_here: str
    decide: Decide


FOLLOW_UPS = (
    FollowUp(
        "shards-left",
        "the rows of shards that were never created are sent: a lost state did not know them, or a change that was"
        " taken back gave them up",
        "The person agreed to these rows when the attempt began. What the others came to does not matter for them.",
        send_missing_shards,
    ),
    FollowUp(
        "shards-missing",
        "the rows of shards that went missing before they ended are sent again, if `onMissing` is `recreate`",
        "It counts how often the work went missing, so it comes before the rules that send rows without a limit of it.",
        recreate_shards,
    ),
    FollowUp(
        "canary",
        "a canary with good answers is followed by the other rows; after one without, nothing is bought until the"
        " manifest changes, or `batchctl retry` tries it again or accepts it",
        "Until a canary has passed, no other rows are sent, so it comes before `row-retry`.",
        follow_canary,
    ),
    FollowUp(
        "row-retry",
        "with `retryOn: [ROWS]`, rows whose verdict may pass are sent again, up to `rows.maxAttempts` times; if there"
        " are none, rows for the next entry of `rows.fallback` are sent",
        "Only here it is known which rows are left: all shards have ended, and no rows wait for a canary.",
        retry_rows,
    ),
    FollowUp(
        "rows-not-sent",
        "rows of a success that were never sent are sent, for example because the list of a shard was lost",
        "A row retry sends such rows as well, with those that failed, so it comes first.",
        send_unsent_rows,
    ),
)


def find_follow_up(subject: Subject, view: AttemptView, context: Context) -> Decision | None:
    """The decision of the first that gives one."""
    found = (one.decide(subject, view, context) for one in FOLLOW_UPS)
    return next((decision for decision in found if decision is not None), None)
