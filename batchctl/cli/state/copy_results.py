"""Copies the results of a stack into a bucket, for `state migrate`."""

from __future__ import annotations

import os
from pathlib import Path

from batchctl.cli.notes import note
from batchctl.cli.open_results import ResultsOpener
from batchctl.cli.state.opening import Opened
from batchctl.manifests.state_and_results import RESULTS_HINT, refuse_results_address, shared_results
from batchctl.model.errors import UsageError
from batchctl.report.layout import count


def copy_results(opened: Opened, target: str) -> None:
    """Copy the results folder, under the lock of the state. Raises UsageError and ResultsError."""
    problem = refuse_results_address(target)
    if problem is not None:
        raise UsageError(f"--results {problem}", hint=RESULTS_HINT)
    folder, place = opened.stack.results, shared_results(target)
    if not isinstance(folder, Path):
        raise UsageError(f"results are at {folder} already", hint="only a results folder can be copied to a bucket")
    with opened.state.lock():
        copied, left_out = ResultsOpener(lambda: opened.stack, opened.clock).open_bucket(place).copy_from(folder)
    for words in left_out:
        note(f"left out: {words}")
    words = f"copied {count(copied, 'collected result')} to {place}; {os.path.relpath(folder)} stays as it is"
    note(f"{words}. Set {opened.field_of('results')}: {place}")
