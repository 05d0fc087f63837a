"""`doctor`'s checks of the results folder: it is writable, and the collected results are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from batchctl.cli.workspace import Workspace
from batchctl.model.errors import BatchctlError
from batchctl.model.recorded import Recorded
from batchctl.model.stack import SharedPlace
from batchctl.report.doctor import Finding, Health
from batchctl.report.layout import count

_NAMED = 5
"""The number of folders that are named; the others are counted."""
_AGAIN = "`batchctl apply` collects them again while the API has them; otherwise restore the folder"
_UNUSED = "a killed process left them: delete them while no batchctl uses the address"
_LEFT_OVER = "no record refers to them: check them, and delete them"


def examine_results(workspace: Workspace) -> Iterator[Finding]:
    """Check the folder itself, or write a probe to the bucket."""
    results = workspace.stack.results
    if isinstance(results, SharedPlace):
        yield _examine_bucket(workspace, results)
        return
    folder = results
    while not folder.exists():
        folder = folder.parent
    if os.access(folder, os.W_OK | os.X_OK) and folder.is_dir():
        yield Finding("results", "writable", Health.OK, os.path.relpath(results))
    else:
        hint = "make it writable, or set spec.results"
        yield Finding("results", "writable", Health.FAILED, f"{os.path.relpath(folder)} cannot be written to", hint)


def _examine_bucket(workspace: Workspace, place: SharedPlace) -> Finding:
    try:
        workspace.results.probe()
    except BatchctlError as error:
        return Finding("results", "writable", Health.FAILED, f"{error.code}: {error.message}", error.hint)
    return Finding("results", "writable", Health.OK, str(place))


def examine_collected(workspace: Workspace, recorded: Recorded) -> Iterator[Finding]:
    """Check the recorded results: compare all of them with their checksums."""
    try:
        shelf = workspace.results.shelf
    except BatchctlError:
        return  # reported above
    inventory = shelf.look()
    if not isinstance(workspace.stack.results, SharedPlace):
        # The look at a bucket compares checksums already.
        for path in inventory.kept:
            shelf.verify(path)
        inventory = shelf.look()
    if inventory.problem is not None:
        yield Finding("results", "whole", Health.FAILED, inventory.problem, "make it readable")
        return
    attempts = [one for job in recorded.jobs.values() for one in job.attempts if one.results is not None]
    broken = {str(one.results): why for one in attempts if (why := inventory.why_not_whole(one)) is not None}
    if broken:
        words = (
            f"{len(broken)} of {count(len(attempts), 'collected result')} {_are(broken)} incomplete: {_named(broken)}"
        )
        yield Finding("results", "whole", Health.WARNING, words, _AGAIN)
    else:
        yield Finding("results", "whole", Health.OK, count(len(attempts), "collected result"))
    others = {path: why for path, why in inventory.faults.items() if path not in broken}
    if others:
        words = f"{count(len(others), 'other folder')} {_are(others)} incomplete: {_named(others)}"
        yield Finding("results", "left over", Health.WARNING, words, _LEFT_OVER)
    unused = workspace.results.unused()
    if unused:
        names = ", ".join(list(unused)[:_NAMED]) + (", …" if len(unused) > _NAMED else "")
        words = f"{count(len(unused), 'object')} in no index, {sum(unused.values()):,} bytes: {names}"
        yield Finding("results", "unused", Health.WARNING, words, _UNUSED)


def _are(faults: Mapping[str, str]) -> str:
    return "is" if len(faults) == 1 else "are"


def _named(faults: Mapping[str, str]) -> str:
    named = [f"{path} ({why})" for path, why in sorted(faults.items())]
    more = f", and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{', '.join(named[:_NAMED])}{more}"
