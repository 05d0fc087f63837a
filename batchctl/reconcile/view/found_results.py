"""Results of a job's own attempts that are in the results folder, and not in the record.

A state that was restored from a backup, or lost, is older than what was collected since. Whole results in the folder
are neither lost nor bought again.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.inventory import KeptResults
from batchctl.model.keys import AttemptKey, same_digest
from batchctl.model.observed import Observed
from batchctl.model.states import GOOD_STATES
from batchctl.model.steps import Note
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.attempts import look_up
from batchctl.reconcile.view.collected import CollectedResults
from batchctl.reconcile.view.endings import has_succeeded, has_too_many_failed, is_unplaced
from batchctl.reconcile.view.judged_rows import judge_attempt


def with_found_results(
    name: str,
    views: tuple[AttemptView, ...],
    desired: DesiredJob | None,
    collected: CollectedResults,
    observed: Observed,
) -> tuple[AttemptView, ...]:
    """A job's attempts with what was collected of them, and those of the desired work that the folder alone knows."""
    kept = collected.by_job.get(name, ())
    if not kept:
        return views
    known = [_with_results(view, [one for one in kept if _is_of(one.attempt, view.attempt)]) for view in views]
    keys = {view.key for view in views}
    if desired is not None and not all(one.attempt.key in keys for one in kept):
        known.extend(_unknown(kept, desired, keys, observed))
    return tuple(sorted(known, key=lambda view: view.key))


def _is_of(kept: RecordedAttempt, attempt: RecordedAttempt) -> bool:
    """Whether results are those of a recorded attempt: of its remote job or, where that is not known, its token."""
    is_of_shard = attempt.sent is not None and attempt.sent.shards > 1
    if kept.key != attempt.key or (is_of_shard and kept.remote is None):
        # The merged results of an attempt are not those of its first shard.
        return False
    if attempt.remote is not None:
        return kept.remote == attempt.remote
    return bool(kept.token) and kept.token == attempt.token


def _with_results(view: AttemptView, kept: list[KeptResults]) -> AttemptView:
    attempt = view.attempt
    if not kept or (view.has_results and not attempt.results_lost):
        return view
    found = kept[0].attempt
    has_ended = attempt.has_ended
    whole = replace(
        attempt,
        intent=None,
        remote=found.remote,
        state=attempt.state if has_ended else found.state,
        create_time=attempt.create_time or found.create_time,
        start_time=attempt.start_time or found.start_time,
        end_time=attempt.end_time or found.end_time,
        rows=found.rows,
        tokens=found.tokens if attempt.tokens is None else attempt.tokens,
        counted=found.counted if attempt.counted is None else attempt.counted,
        sent=found.sent or attempt.sent,
        results=found.results,
        results_lost=False,
        trouble=None,
    )
    note = Note.ADOPTED if view.note is Note.ADOPTED else Note.FOUND
    return replace(view, attempt=whole, missing=None, note=note)


def _unknown(
    kept: tuple[KeptResults, ...], desired: DesiredJob, keys: set[AttemptKey], observed: Observed
) -> Iterator[AttemptView]:
    """Results of the desired work, under attempt numbers that nothing else has.

    Of an attempt with several shards, the merged results count; without these, the results of its shards. Those of a
    shard that was stopped are left out: its other rows are sent again.
    """
    judged = [judge_attempt(one.attempt, desired) for one in kept if same_digest(one.attempt.digest, desired.digest)]
    whole = {attempt.key.attempt for attempt in judged if is_usable(attempt)}
    for attempt in judged:
        is_worth = is_usable(attempt) or is_unplaced(attempt) or has_too_many_failed(attempt)
        is_part = is_shard(attempt) and attempt.state in GOOD_STATES and attempt.key.attempt not in whole
        if attempt.key in keys or not (is_worth or is_part):
            continue
        keys = keys | {attempt.key}
        known = replace(attempt, digest=desired.digest, tree=dict(desired.tree))
        yield AttemptView(known, look_up(known, observed), Note.REUSED)


def is_usable(attempt: RecordedAttempt) -> bool:
    """Whether collected results are worth being used in place of new ones: a success that brought an answer.

    Those of one shard are not, and neither are results of which some rows were never sent.
    """
    is_whole = not is_shard(attempt) and not attempt.rows.not_sent
    return has_succeeded(attempt) and bool(attempt.rows.ok) and is_whole


def is_shard(attempt: RecordedAttempt) -> bool:
    """Whether collected results are those of one of several shards."""
    return attempt.remote is not None and attempt.sent is not None and attempt.sent.shards > 1
