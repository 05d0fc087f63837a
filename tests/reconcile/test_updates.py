"""Settings that change without a change of the work: an `update`, free, and never hidden behind another action."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Change
from batchctl.model.desired import DesiredJob
from batchctl.model.lifecycle import OnChange, OnMissing, OnRemove
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import JobRow
from batchctl.reconcile import Options
from tests.support.decisions import (
    FAILURE,
    HOUR,
    NOW,
    Situation,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    one,
    row,
    seen,
    show,
    unanswered,
)
from tests.support.values import replace

BEFORE = job(labels={"team": "search", "old": "x"}, needs=["b"], priority=1, suspend=False)
RUNS = attempt()
KEPT = "the remote job keeps what it was created with"
NO_HOOK: dict[str, object] = {"uris": ["https://example.org/a?secret=1"]}


def edited(**fields: object) -> DesiredJob:
    return replace(BEFORE, **fields)  # type: ignore[arg-type]


def lifecycle(**fields: object) -> DesiredJob:
    return edited(lifecycle=replace(BEFORE.lifecycle, **fields))  # type: ignore[arg-type]


def plan_of(
    wanted: DesiredJob, record: RecordedAttempt = RUNS, before: DesiredJob = BEFORE, **recorded: object
) -> JobPlan:
    made = decide([wanted], [row(before, record, **recorded)], [look(seen(record))])
    (planned,) = made.jobs
    return planned


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        (lifecycle(backoff_limit=2), [Change("spec.lifecycle.backoffLimit", 0, 2)]),
        (
            lifecycle(retry_on=frozenset({"FAILED"})),
            [Change("spec.lifecycle.retryOn", ["EXPIRED", "FAILED"], ["FAILED"])],
        ),
        (lifecycle(pending_deadline=24 * HOUR), [Change("spec.lifecycle.pendingDeadline", None, "1d")]),
        (lifecycle(active_deadline=5 * HOUR), [Change("spec.lifecycle.activeDeadline", None, "5h")]),
        (
            lifecycle(ttl_after_finished=timedelta(days=7)),
            [Change("spec.lifecycle.ttlAfterFinished", None, "1w")],
        ),
        (lifecycle(on_change=OnChange.KEEP), [Change("spec.lifecycle.onChange", "replace", "keep")]),
        (lifecycle(on_remove=OnRemove.KEEP), [Change("spec.lifecycle.onRemove", "delete", "keep")]),
        (lifecycle(on_missing=OnMissing.RECREATE), [Change("spec.lifecycle.onMissing", "fail", "recreate")]),
        (lifecycle(suspend=True), [Change("spec.lifecycle.suspend", False, True)]),
        (lifecycle(protect=True), [Change("spec.lifecycle.protect", False, True)]),
        (
            edited(labels={"team": "ads", "new": "y"}),
            [
                Change("metadata.labels.new", None, "y", detail=KEPT),
                Change("metadata.labels.old", "x", None, detail=KEPT),
                Change("metadata.labels.team", "search", "ads", detail=KEPT),
            ],
        ),
        (edited(display_name="Shown"), [Change("spec.displayName", None, "Shown", detail=KEPT)]),
        (edited(priority=5), [Change("spec.priority", 1, 5, detail=KEPT)]),
        (edited(depends_on=("b", "c")), [Change("spec.dependsOn", ["b"], ["b", "c"])]),
        (edited(provider="other"), [Change("spec.provider", "main", "other")]),
    ],
)
def test_each_setting_shows_as_an_update(wanted: DesiredJob, changes: list[Change]) -> None:
    planned = plan_of(wanted)
    assert (planned.action, planned.code, list(planned.changes)) == (Action.UPDATE, Reason.SETTINGS_CHANGED, changes)
    assert planned.reason == "settings changed; running"
    assert (planned.needs_consent, planned.guard, [show_row(planned)]) == (False, None, [wanted.lifecycle])


def show_row(planned: JobPlan) -> object:
    (written,) = [step.job for step in planned.steps if hasattr(step, "job") and isinstance(step.job, JobRow)]
    return written.lifecycle


def test_a_webhook_shows_by_its_hash_alone() -> None:
    (change,) = plan_of(edited(webhook=NO_HOOK)).changes
    assert (change.path, change.before) == ("spec.webhookConfig.uris", None)
    assert change.after.startswith("sha256:")
    (gone,) = plan_of(BEFORE, before=edited(webhook=NO_HOOK)).changes
    assert (gone.before, gone.after) == (change.after, None)


@pytest.mark.parametrize(
    "wanted",
    [
        BEFORE,
        edited(depends_on=("b", "b")[:1]),
        edited(path="elsewhere/a.yaml"),
        edited(labels=dict(reversed(BEFORE.labels.items()))),
    ],
)
def test_what_says_the_same_is_no_update(wanted: DesiredJob) -> None:
    assert (plan_of(wanted).action, plan_of(wanted).changes) == (Action.WAIT, ())


def test_the_order_of_dependencies_is_none_of_the_settings() -> None:
    two = edited(depends_on=("b", "c"))
    assert plan_of(edited(depends_on=("c", "b")), before=two).action is Action.WAIT


def test_what_an_older_format_did_not_record_is_written_down_without_a_word() -> None:
    planned = plan_of(edited(priority=7, webhook=NO_HOOK), priority=None, webhook=None)
    assert (planned.action, planned.changes) == (Action.WAIT, ())
    assert [type(step).__name__ for step in planned.steps] == ["RecordJob"]


MORE = job(labels={"team": "ads"}, backoff_limit=3)
LABELS = Change("metadata.labels.team", None, "ads")
LIMIT = Change("spec.lifecycle.backoffLimit", 0, 3)
WORK = Change("spec.runId", "1", "2")


@pytest.mark.parametrize(
    ("situation", "expected", "changes"),
    [
        pytest.param(
            Situation(MORE, row(job(), collected()), look(seen(collected()))),
            "update Succeeded | record job a@1",
            (LABELS, LIMIT),
            id="nothing else to do",
        ),
        pytest.param(
            Situation(MORE, row(job(), attempt(1, "SUCCEEDED")), look(seen(attempt(1, "SUCCEEDED")))),
            "collect Succeeded | record job a@1 | collect a@1.0",
            (LABELS, LIMIT),
            id="results to collect",
        ),
        pytest.param(
            Situation(MORE, row(job(), attempt(1, "FAILED", results="a/1")), look(seen(attempt(1, "FAILED")))),
            "retry Waiting | record job a@1 | record job a@2 | create a@2.0",
            (LABELS, LIMIT),
            id="the change itself lets it retry",
        ),
        pytest.param(
            Situation(replace(job(work="2"), labels={"team": "ads"}), row(job(), RUNS), look(seen(RUNS))),
            "replace Active unfinished consent | record job a@1 | cancel a@1.0 replace",
            (WORK, LABELS),
            id="other work, too",
        ),
        pytest.param(
            Situation(
                replace(job(work="2", on_change=OnChange.KEEP), labels={"team": "ads"}),
                row(job(on_change=OnChange.KEEP), RUNS),
                look(seen(RUNS)),
            ),
            "update Active | record job a@1",
            (WORK, LABELS),
            id="other work, which is kept",
        ),
        pytest.param(
            Situation(MORE, row(job(), RUNS), look(complete=False)),
            "update Unknown | record job a@1",
            (LABELS, LIMIT),
            id="not seen: the settings need no look",
        ),
        pytest.param(
            Situation(MORE, row(job(), unanswered())),
            "update Settling | record job a@1 | record a@1.0 not found",
            (LABELS, LIMIT),
            id="it settles",
        ),
        pytest.param(
            Situation(MORE, row(job())),
            "create Waiting consent | record job a@1 | create a@1.0",
            (LABELS, LIMIT),
            id="a row without an attempt, for its create call was not admitted",
        ),
        pytest.param(
            Situation(replace(MORE, lifecycle=replace(MORE.lifecycle, suspend=True)), row(job(suspend=True))),
            "update Waiting | record job a@1",
            (LABELS, LIMIT),
            id="the same, held back",
        ),
        pytest.param(
            Situation(MORE, None, look(found())),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            (),
            id="what is adopted had no settings",
        ),
        pytest.param(
            Situation(
                replace(job(work="2"), labels={"team": "ads"}),
                row(job(), RUNS),
                look(seen(RUNS)),
                Options(consent=False),
            ),
            "replace Active unfinished consent | record job a@1 | ! ConsentNeeded",
            (WORK, LABELS),
            id="the other action is refused: the settings are followed all the same",
        ),
    ],
)
def test_no_other_action_hides_the_settings(situation: Situation, expected: str, changes: tuple[Change, ...]) -> None:
    made = situation.decide()
    (planned,) = made.jobs
    found = tuple(replace(change, detail="") for change in planned.changes)
    assert (show(made), found) == (expected, changes)


CHANGED = replace(job(work="2"), labels={})


@pytest.mark.parametrize(
    ("situation", "action"),
    [
        (Situation(CHANGED, row(job(), RUNS), look(seen(RUNS))), Action.REPLACE),
        (Situation(job(work="2", suspend=True), row(job(suspend=True), RUNS), look(seen(RUNS))), Action.WAIT),
        (Situation(CHANGED, row(job(), RUNS), look(forbidden=["batches/a-1"])), Action.WAIT),
        (Situation(CHANGED, row(job(), attempt(1, "PAUSED")), look(seen(attempt(1, "PAUSED")))), Action.WAIT),
        (Situation(CHANGED, row(job(), collected()), look(seen(collected()), complete=False)), Action.WAIT),
        (Situation(CHANGED, row(job(), attempt(1, None, remote=None, rejected=True, error=FAILURE))), Action.CREATE),
        (Situation(CHANGED, row(job(), attempt(1, None, remote=None))), Action.CREATE),
        (Situation(CHANGED, row(job(), attempt(1, None, remote=None, gone_time=None, intent=None))), Action.CREATE),
    ],
)
def test_a_change_of_the_work_shows_whatever_follows(situation: Situation, action: Action) -> None:
    (planned,) = situation.decide().jobs
    assert (planned.action, planned.changes) == (action, (WORK,)), planned.reason


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (attempt(), KEPT),
        (attempt(1, "PENDING"), KEPT),
        (collected(), ""),
        (attempt(1, None, remote=None), ""),
        (attempt(delete_time=NOW), ""),
    ],
)
def test_a_remote_job_that_lives_keeps_what_it_was_created_with(record: RecordedAttempt, detail: str) -> None:
    shown = look(seen(record)) if record.remote else look()
    (planned,) = decide([edited(priority=5)], [row(BEFORE, record)], [shown]).jobs
    assert [(change.path, change.detail) for change in planned.changes] == [("spec.priority", detail)]


def test_an_update_is_a_change_and_is_counted_apart() -> None:
    made = Situation(MORE, row(job(), RUNS), look(seen(RUNS))).decide()
    assert made.has_changes
    assert list(made.summary().items())[4:7] == [("replace", 0), ("update", 1), ("cancel", 0)]
    assert not one(RUNS).decide().has_changes
