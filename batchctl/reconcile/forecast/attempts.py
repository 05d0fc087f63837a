"""The forecast of one attempt, and of one that has yet to begin, by those that are like it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.admission import QuotaKey
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.forecast import ExpectedEnd, JobForecast, Stuck
from batchctl.model.history import History, Waits, size_class, size_words
from batchctl.model.keys import Account
from batchctl.model.percentiles import LEAST_FOR_P50, Durations, Percentiles, Span, percentiles_of
from batchctl.model.states import JobState

LEAST_STUCK = timedelta(minutes=30)
"""Nothing is stuck before: queues whose usual time is seconds have longer pauses than that."""
_STATES: Mapping[str | None, str] = {
    JobState.QUEUED: "PENDING",
    JobState.PENDING: "PENDING",
    JobState.RUNNING: "RUNNING",
}


class Like(Struct, frozen=True):
    """The attempts that one is compared with, and what is the same for all that are compared with them."""

    waits: Waits
    forecast: JobForecast
    """Of an attempt that has yet to begin, without its end."""
    whole: Durations
    """From the creation to the end."""
    running: Durations


class Comparison(Struct, frozen=True):
    """Compares attempts with the history. What is the same for all jobs of a model and size is computed once."""

    history: History
    known: dict[tuple[Account, str, int | None], Like] = field(default_factory=dict)

    def like(self, account: Account, model: str, rows: int | None) -> Like:
        """The attempts of the same account, model and size. `model`: see `short_model`."""
        kind = account, model, None if rows is None else size_class(rows)
        found = self.known.get(kind)
        if found is None:
            found = self.known[kind] = _find_like(QuotaKey(account, model), rows, self.history)
        return found


def _find_like(key: QuotaKey, rows: int | None, history: History) -> Like:
    waits = Waits() if rows is None else history.of(key, rows)
    whole, running = Durations(waits.whole), Durations(waits.running)
    forecast = JobForecast(
        len(waits.whole),
        None if rows is None else size_words(rows),
        percentiles_of(waits.pending),
        running.beyond(),
        unknown=_why_unknown(key, rows, waits.whole) if whole.beyond().p50 is None else "",
    )
    return Like(waits, forecast, whole, running)


def forecast_active(attempt: RecordedAttempt, like: Like, clock: datetime, factor: float) -> JobForecast:
    """The forecast of an attempt whose remote job waits or runs at `clock`, the provider's time."""
    end = _end(attempt, like, clock) if like.waits.whole or like.waits.running else None
    unknown = "" if end is not None else like.forecast.unknown or _outlasts(attempt, like.waits, clock)
    stuck = _stuck(attempt, like.forecast, clock, factor)
    if end is None and stuck is None and unknown == like.forecast.unknown:
        return like.forecast  # one value for all jobs without a history
    return replace(like.forecast, end=end, unknown=unknown, stuck=stuck)


def later(since: ExpectedEnd, spans: Percentiles) -> ExpectedEnd | None:
    """The end of something that begins at the end of another, and takes so long. The sum of two p90 is rather late."""
    if spans.p50 is None:
        return None
    p90 = None if since.p90 is None or spans.p90 is None else since.p90 + timedelta(seconds=spans.p90)
    return ExpectedEnd(since.p50 + timedelta(seconds=spans.p50), p90)


def latest(ends: Iterable[ExpectedEnd]) -> ExpectedEnd:
    """The latest of ends, of which there is at least one; by each percentile."""
    found = list(ends)
    ninetieths = [end.p90 for end in found if end.p90 is not None]
    return ExpectedEnd(max(end.p50 for end in found), max(ninetieths) if len(ninetieths) == len(found) else None)


def _end(attempt: RecordedAttempt, like: Like, clock: datetime) -> ExpectedEnd | None:
    """Its end by those that lasted longer than it has so far.

    Its run says more than the whole, but where the API does not report starts, one that was seen late makes the end too
    late. There it counts only if the whole says nothing.
    """
    run, whole = (attempt.start_time, like.running), (attempt.create_time, like.whole)
    for since, durations in (run, whole) if CAPABILITIES[attempt.account.api].start_time else (whole, run):
        if since is not None:
            left = durations.beyond(max(0.0, (clock - since).total_seconds()))
            end = later(ExpectedEnd(since, since), left)
            if end is not None:
                return end
    return None


def _why_unknown(key: QuotaKey, rows: int | None, whole: Iterable[Span]) -> str:
    """Why there is no history for a size."""
    if rows is None:
        return "the number of its rows is not known"
    found = list(whole)
    ended = sum(not span.is_cut for span in found)
    cut = f", and {len(found) - ended} that did not succeed" if len(found) > ended else ""
    return (
        f"history has {ended} of at least {LEAST_FOR_P50} attempts of {key.model} with {size_words(rows)} that"
        f" succeeded{cut}"
    )


def _outlasts(attempt: RecordedAttempt, waits: Waits, clock: datetime) -> str:
    """That too few attempts lasted as long as this one has."""
    assert attempt.create_time is not None
    age = (clock - attempt.create_time).total_seconds()
    longer = sum(span.seconds > age for span in waits.whole)
    return f"{longer} of {len(waits.whole)} attempts like it lasted longer than it has so far"


def _stuck(attempt: RecordedAttempt, forecast: JobForecast, clock: datetime, factor: float) -> Stuck | None:
    """Whether it is in its state for far longer than nine of ten."""
    state = _STATES.get(attempt.state)
    if state == "RUNNING":
        since, usual = attempt.start_time, forecast.running
    else:
        since, usual = attempt.create_time, forecast.pending
    if state is None or since is None or usual.p90 is None:
        return None
    seconds = (clock - since).total_seconds()
    if seconds <= max(factor * usual.p90, LEAST_STUCK.total_seconds()):
        return None
    return Stuck(state, seconds, usual.p90)
