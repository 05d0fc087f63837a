"""When a remote job that is not seen any more counts as gone: after a second look, a whole grace later.

A list may lag, and a get may be answered by a replica that lags as well, so both can lack a job that was created a
moment ago, or one that runs on. One look is no proof then, and what would follow from it is a second bill or a job that
batchctl does not follow. The grace has to pass on two clocks, the local one and the provider's, so that a jump of
either ends it no sooner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Account
from batchctl.model.observed import Gone, Missing, Moment, Observation, Observed, Presence
from batchctl.model.recorded import Recorded

NOT_THERE = "it is not in the list, and a direct get says that there is no such job"


def with_absences_aged(recorded: Recorded, observed: Observed, now: datetime, grace: timedelta) -> Observed:
    """The observations, each 404 of a recorded job as `Missing` until another follows the first after the `grace`.

    `now` is when the looks began, on the local clock.
    """
    if not any(isinstance(there, Gone) for look in observed.values() for there in look.checked.values()):
        return observed
    missed = {(attempt.account, attempt.remote): attempt.missed for attempt in _attempts(recorded)}
    return {account: _aged(look, missed, now, grace) for account, look in observed.items()}


def passed(since: Moment | None, now: Moment, grace: timedelta) -> timedelta | None:
    """The age of a moment, by the clock that shows less; None if there was none.

    A clock that was set back by more than the grace would let it run for a day, or for ever: then it starts over.
    """
    if since is None:
        return None
    least = min(now.here - since.here, now.there - since.there)
    return None if least < -grace else least


def _attempts(recorded: Recorded) -> Iterator[RecordedAttempt]:
    for job in recorded.jobs.values():
        yield from job.attempts


def _aged(
    look: Observation, missed: Mapping[tuple[Account, str | None], Moment | None], now: datetime, grace: timedelta
) -> Observation:
    moment = Moment(now, look.begun)

    def aged(name: str, there: Presence) -> Presence:
        if not isinstance(there, Gone) or (look.account, name) not in missed:
            return there
        since = missed[look.account, name]
        age = passed(since, moment, grace)
        if since is None or age is None:
            return Missing(NOT_THERE, moment, now + grace)
        return there if age >= grace else Missing(NOT_THERE, since, now + (grace - age))

    return replace(look, checked={name: aged(name, there) for name, there in look.checked.items()})
