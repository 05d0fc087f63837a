"""The outbox: which notices are due, when a failed one is tried again, and which are dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.notices import Notice
from batchctl.model.texts import cut
from batchctl.reconcile.calls.backoff import delay

PATIENCE = timedelta(days=3)
"""A notice that could not be delivered for so long is given up."""
RETENTION = timedelta(days=1)
"""The time that a delivered or abandoned notice stays in the outbox."""


class Outbox(Struct, frozen=True):
    """The notices by what is to be done about them, each kind oldest first."""

    due: tuple[Notice, ...]
    hopeless: tuple[Notice, ...]
    """Pending for too long: given up."""
    old: tuple[Notice, ...]
    """To be dropped."""


def sort_outbox(notices: Iterable[Notice], hooks: Collection[str], kept: Collection[str], now: datetime) -> Outbox:
    """Sort the notices by what to do now. `hooks` are those that the stack has; a notice for another one waits.

    `kept` are the ids of notices that stay however old they are, because a later pass would find them again.
    """
    ordered = sorted(notices, key=lambda notice: (notice.time, notice.id, notice.hook))
    pending = [notice for notice in ordered if notice.is_pending]
    hopeless = tuple(notice for notice in pending if _is_hopeless(notice, now))
    due = tuple(
        notice for notice in pending if not _is_hopeless(notice, now) and notice.hook in hooks and _is_time(notice, now)
    )
    old = tuple(notice for notice in ordered if _is_old(notice, now) and notice.id not in kept)
    return Outbox(due, hopeless, old)


def find_waiting(notices: Iterable[Notice], hooks: Collection[str]) -> list[Notice]:
    """The notices that a further try may deliver: their hooks are in the stack, and can be called from here."""
    pending = [notice for notice in notices if notice.is_pending]
    unusable = {notice.hook for notice in pending if notice.problem and not notice.tries}
    return [notice for notice in pending if notice.hook in hooks and notice.hook not in unusable]


def _is_time(notice: Notice, now: datetime) -> bool:
    return notice.next_time is None or notice.next_time <= now


def _is_hopeless(notice: Notice, now: datetime) -> bool:
    return now - notice.time > PATIENCE


def _is_old(notice: Notice, now: datetime) -> bool:
    end = notice.delivered_time or notice.given_up_time
    return end is not None and now - end > RETENTION


def delivered(notice: Notice, now: datetime) -> Notice:
    """The notice after its delivery."""
    return replace(notice, delivered_time=now, next_time=None, problem="")


def failed(notice: Notice, problem: str, now: datetime) -> Notice:
    """The notice after a delivery that failed: tried again after a pause that doubles, up to an hour."""
    tries = notice.tries + 1
    pause = delay(tries, f"{notice.id} {notice.hook}")
    return replace(notice, tries=tries, next_time=now + pause, problem=cut(problem))


def held(notice: Notice, problem: str) -> Notice:
    """The notice when nothing could even be tried from here: no try counts, and somebody else may go on at once."""
    return replace(notice, problem=cut(problem))


def given_up(notice: Notice, now: datetime) -> Notice:
    """The notice after the last try."""
    return replace(notice, given_up_time=now, next_time=None)
