"""`batchctl rehearse`: the stack on the emulator, with a moved clock; nothing is bought."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from batchctl.cli.common import Common, common_options, output_option, scope_options
from batchctl.cli.guard_options import guarded_options
from batchctl.cli.notes import note
from batchctl.cli.output import emit, show_error
from batchctl.cli.workspace import Workspace, duration, load_desired, open_workspace
from batchctl.model.errors import BatchctlError, JobsFailedError, UsageError
from batchctl.model.recorded import Recorded
from batchctl.model.rehearsal import BreakKind, Latency, Rehearsal, Run, Weather
from batchctl.model.stack import SharedPlace

ALL = "all"
_MOST_RESULTS = 2 * 2**30
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_FAIL_ON = [kind.value for kind in BreakKind]


@click.command()
@click.option(
    "--weather",
    "weathers",
    type=click.Choice([*(one.value for one in Weather), ALL]),
    multiple=True,
    help="How the service behaves. Repeatable; all by default.",
)
@click.option("--runs", type=click.IntRange(1, 1000), default=3, show_default=True, help="Runs of each weather.")
@click.option("--seed", type=click.IntRange(0), help="Repeat the draws of an earlier rehearsal (default: drawn).")
@click.option("--for", "horizon", metavar="TIME", default="7d", show_default=True, help="End a run after this time.")
@click.option("--fresh", is_flag=True, help="Begin with no state and no results, as if nothing had run yet.")
@click.option(
    "--fail-on",
    type=click.Choice(_FAIL_ON),
    multiple=True,
    help="Exit 4 if this happens to any job in any run. Repeatable.",
)
@output_option("json", "yaml")
@scope_options
@common_options
def rehearse(
    *,
    common: Common,
    weathers: tuple[str, ...],
    runs: int,
    seed: int | None,
    horizon: str,
    fresh: bool,
    fail_on: tuple[str, ...],
    output: str,
    filenames: tuple[str, ...],
    selector: str | None,
) -> int:
    """Run the stack on the emulator with a moved clock, and buy nothing.

    It says when the stack would end, what it would cost and what would break. Each run drives the manifests as they
    are, like `watch --yes`, with copies of the state and the results. The times of attempts are drawn from the stack's
    history; what is not known is assumed, and said. No API is called, no credentials are read, and nothing of the
    stack is changed.
    """
    seconds = duration(horizon, "--for")
    if seconds <= 0:
        raise UsageError("--for must be more than 0", hint="such as 24h")
    workspace = open_workspace(common, filenames, selector, offline=True)
    chosen = [one for one in Weather if not weathers or ALL in weathers or one.value in weathers]
    found = _rehearse(workspace, chosen, runs, secrets.randbelow(10**6) if seed is None else seed, seconds, fresh=fresh)
    from batchctl.report.rehearsal import rehearsal_document, write_rehearsal

    emit(
        common,
        output,
        text=lambda console: write_rehearsal(found, console, verbose=common.verbose),
        document=lambda: rehearsal_document(found),
    )
    error = _failure(found, {BreakKind(one) for one in fail_on})
    if error is None:
        return 0
    show_error(error, common)
    return error.exit_code


def _rehearse(
    workspace: Workspace, weathers: Sequence[Weather], runs: int, seed: int, horizon: float, *, fresh: bool
) -> Rehearsal:
    # Imported here because the emulator and the engine are large.
    from batchctl.cli.rehearsal.assumptions import find_assumptions
    from batchctl.cli.rehearsal.copies import begin
    from batchctl.cli.rehearsal.manifests import Manifests
    from batchctl.cli.rehearsal.run import Stage, rehearse_once
    from batchctl.cli.rehearsal.weather import Sky, samples_of
    from batchctl.reconcile import learn_history

    stack = workspace.stack
    recorded = Recorded() if fresh else _recorded(workspace)
    results = None if fresh else _results(workspace)
    start = datetime.now(UTC).replace(microsecond=0)
    history, beginning = learn_history(recorded), begin(recorded, start)
    manifests = Manifests(
        workspace.desired,
        lambda rows: load_desired(workspace.common, workspace.file, workspace.sources, rows),
        results,
    )
    options = guarded_options(workspace, {})
    stage = Stage(manifests, options, recorded, beginning, history, start, horizon)
    latencies = tuple(Latency(job.name, samples_of(history, job)) for job in workspace.desired.jobs)
    done: list[Run] = []
    for number, (weather, offset) in enumerate((one, run) for one in weathers for run in range(runs)):
        if not workspace.common.quiet and number % runs == 0:
            note(f"rehearsing: {weather}")
        with tempfile.TemporaryDirectory(prefix="batchctl-rehearsal-", dir=_in_memory(results)) as folder:
            done.append(rehearse_once(stage, Sky(weather, seed + offset), Path(folder).resolve()))
    prices = stack.prices
    return Rehearsal(
        stack.name,
        start,
        horizon,
        seed,
        None if prices is None else prices.currency,
        find_assumptions(stage, workspace.desired, latencies, _buyers(done)),
        latencies,
        tuple(done),
    )


def _buyers(runs: Sequence[Run]) -> frozenset[str]:
    """The jobs that made an attempt in any run: what is assumed of the others has no effect."""
    return frozenset(job.job for run in runs for job in run.jobs if job.attempts)


def _in_memory(results: Path | None) -> Path | None:
    """The folder for the files of a run: in memory if they are few, because each commit waits for a disk."""
    is_small = results is None or not results.is_dir() or not any(results.iterdir())
    return _MEMORY if is_small and os.access(_MEMORY, os.W_OK) else None


def _recorded(workspace: Workspace) -> Recorded:
    """The record of the stack. Raises UsageError for one that only the network has."""
    if isinstance(workspace.stack.state, SharedPlace):
        raise UsageError(
            f"the state is at {workspace.stack.state}, and a rehearsal makes no network call",
            hint="give a copy in a file with --state FILE, or --fresh to begin without a state",
        )
    return workspace.recorded


def _results(workspace: Workspace) -> Path | None:
    """The folder of results to copy. Raises UsageError if there is too much in it."""
    place = workspace.stack.results
    if isinstance(place, SharedPlace):
        return None
    size = sum(one.lstat().st_size for one in place.rglob("*") if not one.is_dir())
    if size > _MOST_RESULTS:
        raise UsageError(
            f"{place} has {size / 2**30:.1f} GiB, and a rehearsal copies it for each run",
            hint="--fresh begins without state and results",
        )
    return place


def _failure(found: Rehearsal, kinds: set[BreakKind]) -> BatchctlError | None:
    hits = sorted({(run.weather, job.job) for run in found.runs for job in run.jobs if job.breaks & kinds})
    if not hits:
        return None
    named = ", ".join(f"{job} ({weather})" for weather, job in hits[:3])
    more = "" if len(hits) <= 3 else f" and {len(hits) - 3} more"  # noqa: PLR2004
    words = ", ".join(sorted(kind.value for kind in kinds))
    return JobsFailedError(f"--fail-on {words}: {named}{more}", hint="the summary above has the reasons")
