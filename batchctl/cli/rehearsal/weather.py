"""The weather of a rehearsal, as rules and faults of the emulator.

What no history says is assumed, and the constants here are what is assumed. Each draw depends on the seed and the
attempt alone, so a job has the same luck whatever else is in the stack, and weathers differ by what they do to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from random import Random

from msgspec import Struct

from batchctl.model.admission import quota_of
from batchctl.model.desired import DesiredJob
from batchctl.model.history import History
from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.model.percentiles import LEAST_FOR_P50, Span
from batchctl.model.rehearsal import AttemptTimes, SentAgain, Weather
from batchctl.model.states import BAD_STATES, is_active
from batchctl.model.work_size import rows_sent

ASSUMED_PENDING = (300.0, 3600.0)
"""Seconds in the queue that half and nine tenths of all attempts do not exceed, without a history."""
ASSUMED_RUNNING = (1200.0, 7200.0)
MOST_ATTEMPTS = 8
"""Attempts of a job with draws of their own; later ones have the times of the stack's assumed median."""
_UNKNOWN_BYTES = 100_000
_BYTES_AROUND_ROW = 150
"""The emulator counts the tokens of the whole input, with the keys and what else is around each request."""
_BYTES_OF_TOKEN = 4
_Z90 = 1.2815515655446004
"""The 90th percentile of the normal distribution."""

_SLOWER = {Weather.QUOTA: 3.0, Weather.STUCK: 2.0}
_STUCK_SHARE = 1 / 6
_FAIL_SHARE = 1 / 10
_EXPIRE_SHARE = 1 / 30


class Sky(Struct, frozen=True):
    """The weather of one run."""

    weather: Weather
    seed: int

    @property
    def slowness(self) -> float:
        """How many times the usual time an attempt waits in the queue."""
        return _SLOWER.get(self.weather, 1.0)


def rules(
    stack: str, jobs: Iterable[DesiredJob], history: History, again: Mapping[str, SentAgain], sky: Sky
) -> list[Json]:
    """The emulator's rules: for each attempt its times and its fate, and one for all others."""
    given = [rule for job in jobs for rule in _rules_of_job(stack, job, _Times(history, job), again.get(job.name), sky)]
    pending, running = ASSUMED_PENDING[0] * sky.slowness, ASSUMED_RUNNING[0]
    return [*given, {"pending": _duration(pending), "running": _duration(running), **_rows(sky, None)}]


def _rules_of_job(stack: str, job: DesiredJob, times: _Times, again: SentAgain | None, sky: Sky) -> Iterator[Json]:
    first = 1 if again is None else again.key.attempt
    for number in range(first, first + MOST_ATTEMPTS):
        dice = Random(f"{sky.seed} {job.name} {number}")  # noqa: S311 - no secret
        drawn = times.draw(dice)
        fate = _fate(dice, sky.weather)
        pending, running = drawn.pending * sky.slowness, drawn.running
        if again is not None and number == first:
            pending, running, fate = _rest(again, pending, running, fate)
        took = {} if fate == "stuck" else {"pending": _duration(pending), "running": _duration(running)}
        match = _match(stack, job, number)
        yield {"match": match, **({} if fate is None else {"fate": fate}), **took, **_rows(sky, fate)}


def _rest(again: SentAgain, pending: float, running: float, fate: str | None) -> tuple[float, float, str | None]:
    """The times that are left of an attempt that the API has already."""
    if again.state in BAD_STATES:
        return 0.0, 1.0, "expire" if again.state.endswith("EXPIRED") else "fail"
    if not is_active(again.state):
        return 0.0, 1.0, None
    left = max(60.0, pending + running - again.age)
    return max(0.0, left - running), min(left, running), fate


def _match(stack: str, job: DesiredJob, attempt: int) -> Json:
    if job.account.api is Api.VERTEX:
        labels = {"batchctl-stack": stack, "batchctl-job": job.name, "batchctl-attempt": str(attempt)}
        return {"api": "vertex", "labels": labels}
    return {"api": "gemini", "displayName": f"* {stack}/{job.name}@{attempt}.*"}


def _fate(dice: Random, weather: Weather) -> str | None:
    luck = dice.random()
    match weather:
        case Weather.STUCK:
            return "stuck" if luck < _STUCK_SHARE else None
        case Weather.FLAKY:
            return "fail" if luck < _FAIL_SHARE else "expire" if luck < _FAIL_SHARE + _EXPIRE_SHARE else None
        case _:
            return None


def _rows(sky: Sky, fate: str | None) -> dict[str, Json]:
    """The outcomes of rows, of a job that answers any."""
    if sky.weather is not Weather.FLAKY or fate is not None:
        return {}
    passing = {"by": "content", "share": 0.03, "times": 1, "error": {"code": 14, "message": "try later"}}
    lasting = {"by": "content", "share": 0.005, "error": {"code": 3, "message": "invalid argument"}}
    return {"rowOutcomes": [passing, lasting], "seed": sky.seed}


def faults(sky: Sky) -> list[Json]:
    """The emulator's faults."""
    match sky.weather:
        case Weather.QUOTA:
            # On the Gemini Developer API, the quota is one of tokens: see `settings`.
            refused = {"kind": "status", "status": 429, "retryInfo": "60s", "probability": 0.3, "seed": sky.seed}
            return [{"method": "batchPredictionJobs.create", **refused}]
        case Weather.FLAKY:
            lost = {"kind": "cut", "when": "after", "probability": 0.05, "seed": sky.seed}
            down = {"method": "*", "kind": "status", "status": 503, "probability": 0.02, "seed": sky.seed}
            creates = ("batches.create", "batchPredictionJobs.create")
            return [*({"method": method, **lost} for method in creates), down]
        case _:
            return []


def settings(jobs: Iterable[DesiredJob], sky: Sky) -> dict[str, Json]:
    """The emulator's settings: a quota of a third of the tokens of one model, or of two large jobs."""
    if sky.weather is not Weather.QUOTA:
        return {}
    by_model: dict[str, list[int]] = defaultdict(list)
    for job in jobs:
        size = (job.input_bytes or _UNKNOWN_BYTES) + _BYTES_AROUND_ROW * (rows_sent(job) or 1)
        by_model[job.model].append(size // _BYTES_OF_TOKEN)
    most = max((max(2 * max(sizes), sum(sizes) // 3) for sizes in by_model.values()), default=0)
    return {"enqueuedTokens": max(most, 1)}


class _Times:
    """The times of a job's attempts: those of earlier attempts like it, else assumed ones."""

    def __init__(self, history: History, job: DesiredJob) -> None:
        key = quota_of(job.account, job.model)
        waits = history.of(key, rows_sent(job) or 1)
        self._pending = _known(waits.pending or history.pending.get(key, ()))
        self._running = _known(waits.running)
        self._whole = _known(waits.whole)

    @property
    def samples(self) -> int:
        """The earlier attempts that the times are drawn from; 0: they are assumed."""
        if self._pending and self._running:
            return min(len(self._pending), len(self._running))
        return len(self._whole)

    def draw(self, dice: Random) -> AttemptTimes:
        assumed = AttemptTimes(_spread(dice, ASSUMED_PENDING), _spread(dice, ASSUMED_RUNNING))
        place = dice.random()
        if self._pending and self._running:
            return AttemptTimes(dice.choice(self._pending), dice.choice(self._running))
        if self._whole:
            # A service that does not say when a job starts.
            whole = dice.choice(self._whole)
            return AttemptTimes(whole * place, whole * (1 - place))
        return assumed


def samples_of(history: History, job: DesiredJob) -> int:
    """The earlier attempts that the times of a job are drawn from; 0: they are assumed."""
    return _Times(history, job).samples


def _known(spans: Iterable[Span]) -> tuple[float, ...]:
    """The durations; none if there are too few to draw from."""
    found = tuple(span.seconds for span in spans)
    return found if len(found) >= LEAST_FOR_P50 else ()


def _spread(dice: Random, percentiles: tuple[float, float]) -> float:
    """A duration whose median and 90th percentile are these: its logarithm is normal."""
    half, most = percentiles
    deviation = dice.normalvariate(0.0, 1.0)
    return float(half * (most / half) ** (deviation / _Z90))


def _duration(seconds: float) -> str:
    return f"{max(0, round(seconds))}s"
