"""A job that is removed and another that is created for the same work, in one plan: most likely one was renamed.

The running job would be cancelled and its work bought again. An entry in `spec.moved` makes it a rename; then neither
happens. The new job may also have to wait before it is created (`suspend`, `dependsOn`, a damaged mark): the old one is
kept for it.

Where only an axis value of a matrix differs, the plan names the entry, too. Nothing is held back for it, because the
work is another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Decision, Guard
from batchctl.model.keys import same_digest
from batchctl.model.plan import Rename
from batchctl.model.reasons import Reason
from batchctl.model.recorded import RecordedJob
from batchctl.model.states import BAD_STATES, GOOD_STATES, Phase
from batchctl.model.steps import Collect
from batchctl.reconcile.decide.context import Context, Decided
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.view.subject import Subject

_NOT_CREATED = frozenset({Phase.WAITING, Phase.BLOCKED})


def hold_likely_renames(decisions: Decisions, context: Context) -> Decisions:
    """Hold back what would be bought again, until the results are here or a person decides."""
    records = context.recorded.jobs
    others = [records[name] for name in sorted(records.keys() - context.manifests.keys())]
    if not others and all(subject.desired is not None for _, subject, _ in decisions.of_moving()):
        return decisions  # nothing leaves
    renames = _find_renames(decisions.jobs, others, context)
    held: dict[str, tuple[Subject, Decision]] = {}
    for rename in renames:
        held |= _hold(rename, decisions.jobs, context)
    held |= _with_renamed_values(decisions.jobs, renames)
    return replace(decisions.with_jobs(held), renames=renames) if held or renames else decisions


def _with_renamed_values(decided: Decided, renames: tuple[Rename, ...]) -> Decided:
    """New jobs of a matrix that may be leaving ones with another name of one axis value, with the entry to paste."""
    paired = {name for rename in renames for name in (rename.before, rename.after)}
    leaving = {
        name: subject.recorded.row.path
        for name, (subject, decision) in decided.items()
        if name not in paired and subject.recorded is not None and _leaves(subject, decision)
    }
    if not leaving:
        return {}
    found: dict[str, list[str]] = {}
    for name, (subject, decision) in decided.items():
        desired = subject.desired
        if name in paired or desired is None or desired.expansion is None or not _comes(subject, decision):
            continue
        siblings = desired.expansion.siblings
        found[name] = [old for old, path in leaving.items() if path == desired.path and _fits(old, siblings)]
    every = [old for former in found.values() for old in former]
    changed = {}
    for name, former in found.items():
        # Of several values that go or come at once, nothing says which belongs to which.
        if len(former) == 1 and every.count(former[0]) == 1:
            subject, decision = decided[name]
            entry = Rename(former[0], name).entry
            words = (
                f"if it is {former[0]} with a renamed axis value: add `{entry}` to spec.moved, and its history goes on"
            )
            changed[name] = (subject, replace(decision, reason=f"{decision.reason}; {words}"))
    return changed


def _fits(name: str, siblings: Iterable[str]) -> bool:
    """Whether a name is one of these with something in place of its `*`."""
    for sibling in siblings:
        before, _, after = sibling.partition("*")
        if len(name) > len(before) + len(after) and name.startswith(before) and name.endswith(after):
            return True
    return False


def _hold(rename: Rename, decided: Decided, context: Context) -> Decided:
    """The decisions that a likely rename changes."""
    leaving = decided.get(rename.before)
    subject, coming = decided[rename.after]
    named = _with_words(coming, rename)
    if not rename.buys:
        return {rename.after: (subject, named)}
    if leaving is not None and _is_collected_now(*leaving):
        return {rename.after: (subject, _wait_for_results(subject, coming, rename) if coming.creates else named)}
    if context.options.rename_as_new:
        return {}
    guard = _guard(rename)
    refused = replace(_with_words(coming, rename, guard), refusal=guard, if_refused=None)
    held = {rename.after: (subject, refused if coming.creates else named)}
    if leaving is not None:
        held[rename.before] = (leaving[0], replace(_with_words(leaving[1], rename, guard), refusal=guard))
    return held


def _wait_for_results(subject: Subject, create: Decision, rename: Rename) -> Decision:
    """The create call waits: the results that the leaving job brings in are used in its place."""
    from batchctl.reconcile.rules.held_create import hold_create  # a likely rename is rare

    words = f"waits for the results of {rename.before}, which did the same work: they are used again"
    waiting = hold_create(subject, create, Reason.SAME_WORK_LEAVES, words)
    return replace(waiting, needs_consent=False, counted=None, waits_for=(rename.before,), unfinished=True)


def _find_renames(decided: Decided, others: Iterable[RecordedJob], context: Context) -> tuple[Rename, ...]:
    """Pairs of jobs that look like one under a new name, each job in one pair at most.

    `others` are recorded jobs that no manifest asks for, out of scope or not: a command about the new name alone would
    buy the work beside the old one, which is not removed yet.
    """
    leaving = {name: subject.current for name, (subject, decision) in decided.items() if _leaves(subject, decision)}
    works = {name: view.attempt for name, view in leaving.items() if view is not None and not view.attempt.is_unsent}
    works |= {job.name: attempt for job in others if job.name not in decided for attempt in _open_work(job)}
    if not works:
        return ()
    from batchctl.reconcile.rules.reuse import find_source

    found = []
    for name in sorted(decided):
        subject, decision = decided[name]
        if subject.desired is None or not _comes(subject, decision):
            continue
        digest = subject.desired.digest
        former = next((old for old in sorted(works) if same_digest(works[old].digest, digest)), None)
        if former is not None:
            found.append(Rename(former, name, buys=decision.creates or find_source(subject, context) is None))
            del works[former]
    return tuple(found)


def _leaves(subject: Subject, decision: Decision) -> bool:
    """Whether a job's removal, or its release, is about to begin."""
    is_removal = subject.desired is None and subject.recorded is not None
    return is_removal and decision.needs_consent and decision.refusal is None


def _comes(subject: Subject, decision: Decision) -> bool:
    """Whether a job gets its first remote job or results, now or after a wait."""
    return decision.phase in _NOT_CREATED and all(view.attempt.is_unsent for view in subject.views)


def _open_work(job: RecordedJob) -> Iterator[RecordedAttempt]:
    """The attempt of a job that counts, where it works, or has results that were not collected."""
    if job.row.released_time is None and job.row.removing_time is None:
        for attempt in job.attempts:
            is_over = attempt.is_gone or attempt.state in BAD_STATES or not attempt.is_uncollected
            if attempt.key.attempt == job.row.current and attempt.remote is not None and not is_over:
                yield attempt


def _is_collected_now(subject: Subject, decision: Decision) -> bool:
    """Whether the job has succeeded, and its results are brought in by this very plan."""
    view = subject.current
    is_good = view is not None and view.attempt.state in GOOD_STATES
    return is_good and any(isinstance(step, Collect) for step in decision.steps)


def _with_words(decision: Decision, rename: Rename, guard: Guard | None = None) -> Decision:
    """The decision with the likely rename in its reason, and the entry to paste if no guard names it."""
    words = f"likely a rename of {rename.before} to {rename.after}"
    way = "" if guard is not None else f": add `{rename.entry}` to spec.moved"
    return replace(decision, reason=f"{decision.reason}; {words}{way}")


def _guard(rename: Rename) -> Guard:
    message = f"{rename.before} would be removed and {rename.after} bought for the same work: that looks like a rename"
    return Guard(
        ErrorCode.LIKELY_RENAME, message, f"add `{rename.entry}` to spec.moved of batchctl.yaml, or --yes-rename-as-new"
    )
