"""A rehearsal as text and as a document: `batchctl/rehearsal/v1` (schemas/)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from batchctl.model.durations import in_units
from batchctl.model.json_value import Json
from batchctl.model.quoting import cut
from batchctl.model.rehearsal import BreakKind, Rehearsal, Run, Weather
from batchctl.model.times import rfc3339
from batchctl.report.console import Console
from batchctl.report.cost_text import range_text
from batchctl.report.layout import Row, count, outside, write_heading, write_line, write_table
from batchctl.report.text import Text

_WORDS: Mapping[Weather, str] = {
    Weather.CALM: "every attempt succeeds in the usual time",
    Weather.QUOTA: "the API takes a third of the tokens of a model at once, or two large jobs (429; Vertex AI refuses"
    " 3 of 10 create calls), and queues take three times as long",
    Weather.STUCK: "1 attempt in 6 never leaves the queue, and the others wait twice as long",
    Weather.FLAKY: "1 attempt in 10 fails and 1 in 30 expires; 3 % of the rows fail once and 0.5 % always;"
    " 2 % of all calls fail, and 5 % of the replies to create calls are lost",
}
_MOST_JOBS = 10
"""Jobs that the text names of each weather, without `-v`."""


class Broken(Struct, frozen=True):
    """One job that did not succeed at once in some runs of one weather."""

    job: str
    runs: int
    kinds: Mapping[BreakKind, int]
    """The number of runs of each kind."""
    attempts: int
    """The most attempts that were bought in a run."""
    reason: str
    """In the run that ended worst."""


class Summary(Struct, frozen=True):
    """The runs of one weather."""

    weather: Weather
    runs: int
    ended: int
    """Runs in which every job ended."""
    p50: float | None
    """Seconds to the end, over all runs; None if so many runs did not end."""
    p90: float | None
    low: Decimal | None
    """The least that a run costs."""
    high: Decimal | None
    """The most."""
    attempts: tuple[int, int]
    """The fewest and the most attempts of a run."""
    calls: tuple[int, int]
    broken: tuple[Broken, ...]


_SEVERITY = tuple(BreakKind)


def summarise(rehearsal: Rehearsal) -> tuple[Summary, ...]:
    """One summary by weather."""
    by_weather: dict[Weather, list[Run]] = defaultdict(list)
    for run in rehearsal.runs:
        by_weather[run.weather].append(run)
    return tuple(_summary(weather, runs) for weather, runs in by_weather.items())


def _summary(weather: Weather, runs: Sequence[Run]) -> Summary:
    attempts = [sum(job.attempts for job in run.jobs) for run in runs]
    calls = [sum(run.calls.values()) for run in runs]
    lows, highs = [run.low for run in runs], [run.high for run in runs]
    return Summary(
        weather,
        len(runs),
        sum(run.seconds is not None for run in runs),
        _percentile([run.seconds for run in runs], 0.5),
        _percentile([run.seconds for run in runs], 0.9),
        None if None in lows else min(one for one in lows if one is not None),
        None if None in highs else max(one for one in highs if one is not None),
        (min(attempts), max(attempts)),
        (min(calls), max(calls)),
        tuple(_broken(runs)),
    )


def _percentile(values: Sequence[float | None], share: float) -> float | None:
    """By nearest rank; a run without an end counts as one that takes longer than all others."""
    ordered = sorted(math.inf if value is None else value for value in values)
    found = ordered[max(0, math.ceil(share * len(ordered)) - 1)]
    return None if math.isinf(found) else found


def _broken(runs: Iterable[Run]) -> list[Broken]:
    found: dict[str, list[tuple[int, str, frozenset[BreakKind], int]]] = defaultdict(list)
    for run in runs:
        for job in run.jobs:
            if job.breaks:
                worst = min(_SEVERITY.index(kind) for kind in job.breaks)
                found[job.job].append((worst, job.reason, job.breaks, job.attempts))
    broken = [
        Broken(
            name,
            len(hits),
            Counter(kind for _, _, kinds, _ in hits for kind in kinds),
            max(attempts for *_, attempts in hits),
            min(hits, key=lambda hit: hit[0])[1],
        )
        for name, hits in found.items()
    ]
    return sorted(broken, key=lambda one: (min(map(_SEVERITY.index, one.kinds)), -one.runs, one.job))


def write_rehearsal(rehearsal: Rehearsal, console: Console, *, verbose: bool = False) -> None:
    """One line by weather, what would break in each, and what is assumed."""
    summaries = summarise(rehearsal)
    jobs = max((len(run.jobs) for run in rehearsal.runs), default=0)
    runs = count(summaries[0].runs if summaries else 0, "run")
    write_line(
        console,
        outside(
            f"Rehearsal of {rehearsal.stack}: {count(jobs, 'job')}, {runs} of each weather, seed {rehearsal.seed};"
            " nothing was bought"
        ),
    )
    write_line(console)
    header = ("WEATHER", "END P50", "END P90", "ATTEMPTS", "CALLS", "COST", "TROUBLE")
    write_table(console, [_line(rehearsal, one) for one in summaries], header=header)
    for one in summaries:
        if one.broken:
            _write_broken(one, console, verbose=verbose)
    write_heading(console, "Weather")
    write_table(console, [Row((Text(one.weather.value), Text(_WORDS[one.weather]))) for one in summaries], indent=2)
    if rehearsal.runs and not any(job.attempts for run in rehearsal.runs for job in run.jobs):
        write_line(console)
        write_line(console, "No run makes an attempt: `batchctl plan` shows why.")
    if rehearsal.assumptions:
        write_heading(console, "Assumed")
        for words in rehearsal.assumptions:
            write_line(console, "  ", outside(words))


def _line(rehearsal: Rehearsal, one: Summary) -> Row:
    limit = f"over {_time(rehearsal.horizon)}"
    is_idle = one.p90 == 0 and not one.attempts[1]
    kinds = Counter({kind: sum(kind in broken.kinds for broken in one.broken) for kind in BreakKind})
    trouble = ", ".join(f"{number} {kind.value}" for kind, number in kinds.items() if number)
    return Row((
        Text(one.weather.value),
        Text("-" if is_idle else limit if one.p50 is None else _time(one.p50)),
        Text("-" if is_idle else limit if one.p90 is None else _time(one.p90)),
        Text(_range(*one.attempts)),
        Text(_range(*one.calls)),
        Text(_money(rehearsal, one)),
        Text(trouble or "none"),
    ))  # fmt: skip


def _write_broken(one: Summary, console: Console, *, verbose: bool) -> None:
    write_heading(console, f"What would break: {one.weather}")
    shown = one.broken if verbose else one.broken[:_MOST_JOBS]
    rows = [
        Row((
            outside(broken.job),
            Text(", ".join(f"{kind.value} in {number} of {one.runs}" for kind, number in broken.kinds.items())),
            Text(count(broken.attempts, "attempt")),
            outside(cut(broken.reason)),
        ))
        for broken in shown
    ]  # fmt: skip
    write_table(console, rows, indent=2)
    if len(shown) < len(one.broken):
        write_line(console, f"  and {count(len(one.broken) - len(shown), 'more job')}, which -v shows")


def _time(seconds: float) -> str:
    return in_units(round(seconds), 2)


def _range(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _money(rehearsal: Rehearsal, one: Summary) -> str:
    if not one.attempts[1]:
        return "nothing"
    if one.low is None and one.high is None:
        return "unknown"
    return f"{range_text(one.low, one.high)} {rehearsal.currency}"


def rehearsal_document(rehearsal: Rehearsal) -> dict[str, Json]:
    """`batchctl/rehearsal/v1`."""
    return {
        "format": "batchctl/rehearsal/v1",
        "stack": rehearsal.stack,
        "start": rfc3339(rehearsal.start),
        "horizonSeconds": rehearsal.horizon,
        "seed": rehearsal.seed,
        "currency": rehearsal.currency,
        "assumed": list(rehearsal.assumptions),
        "latencies": [{"job": one.job, "samples": one.samples} for one in rehearsal.latencies],
        "weathers": [_summary_document(one) for one in summarise(rehearsal)],
        "runs": [_run_document(run) for run in rehearsal.runs],
    }


def _summary_document(one: Summary) -> dict[str, Json]:
    return {
        "weather": one.weather.value,
        "does": _WORDS[one.weather],
        "runs": one.runs,
        "ended": one.ended,
        "end": {"p50": one.p50, "p90": one.p90},
        "cost": {"low": _decimal(one.low), "high": _decimal(one.high)},
        "attempts": {"least": one.attempts[0], "most": one.attempts[1]},
        "calls": {"least": one.calls[0], "most": one.calls[1]},
        "breaks": [
            {
                "job": broken.job,
                "runs": broken.runs,
                "kinds": {kind.value: broken.kinds.get(kind, 0) for kind in BreakKind},
                "attempts": broken.attempts,
                "reason": broken.reason,
            }
            for broken in one.broken
        ],
    }


def _run_document(run: Run) -> dict[str, Json]:
    return {
        "weather": run.weather.value,
        "seed": run.seed,
        "seconds": run.seconds,
        "cost": {"low": _decimal(run.low), "high": _decimal(run.high)},
        "attempts": sum(job.attempts for job in run.jobs),
        "calls": dict(run.calls),
        "passes": run.passes,
        "phases": dict(sorted(Counter(job.phase.value for job in run.jobs).items())),
    }


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
