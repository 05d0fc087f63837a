"""Rows `our mark, same digest` and `our mark, other digest`: adoption."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import AttemptKey
from batchctl.model.lifecycle import OnChange
from batchctl.model.observed import RowCounts
from batchctl.model.row_settings import RowSettings
from batchctl.model.row_work import RowsSent
from batchctl.model.sources import InlineRows, LocalFile, RemoteSource, Source
from batchctl.model.steps import Note, RecordAttempt
from batchctl.reconcile import Options
from tests.support.decisions import (
    HERE,
    Situation,
    attempt,
    collected,
    decide,
    digest,
    found,
    job,
    look,
    mark,
    row,
    seen,
    show,
    token,
)
from tests.support.values import replace

ADOPT_CHANGED = Options(adopt_changed=True)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(), None, look(found(1))),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="our mark, same digest: adopt",
        ),
        pytest.param(
            Situation(job(), None, look(found(1), complete=False)),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="our mark on the first page, the second failed: adopt",
        ),
        pytest.param(
            Situation(job(suspend=True), None, look(found(1))),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="our mark, suspended: adopt",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "SUCCEEDED"))),
            "adopt Succeeded | record job a@1 | record a@1.0 adopted | collect a@1.0",
            id="our mark, same digest, succeeded: adopt and collect",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "FAILED"))),
            "adopt Failed | record job a@1 | record a@1.0 adopted | collect a@1.0",
            id="our mark, same digest, failed: adopt and collect what there is",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "CANCELLED"))),
            "adopt Cancelled | record job a@1 | record a@1.0 adopted | collect a@1.0",
            id="our mark, cancelled before the state was lost: adopt, no drift",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "BREWING"))),
            "adopt Unknown | record job a@1 | record a@1.0 adopted",
            id="our mark, a state we do not know: adopt",
        ),
        pytest.param(
            Situation(job(), None, look(found(2), found(1, "FAILED"), found(3))),
            "cancel Active | record job a@3 | record a@1.0 adopted | record a@2.0 adopted | record a@3.0 adopted"
            " | cancel a@2.0 duplicate | ~ Duplicate",
            id="state lost, several attempts: the highest is current, an older live one is cancelled",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "FAILED"), found(2, "SUCCEEDED"))),
            "adopt Succeeded | record job a@2 | record a@1.0 adopted | record a@2.0 adopted | collect a@2.0",
            id="state lost, several attempts: the highest is current, an older dead one is left",
        ),
        pytest.param(
            Situation(job(), row(job(), collected(1)), look(seen(collected(1)), found(2))),
            "adopt Active | record job a@2 | record a@2.0 adopted",
            id="an old state file: a higher attempt is found and becomes current",
        ),
        pytest.param(
            Situation(
                job(), row(job(), attempt(2, "SUCCEEDED", results="x")), look(found(1, "FAILED"), found(2, "SUCCEEDED"))
            ),
            "adopt Succeeded | record a@1.0 adopted",
            id="a lower attempt is found: recorded, and the current one stays",
        ),
        pytest.param(
            Situation(job(backoff_limit=1), None, look(found(1, "FAILED"))),
            "retry Waiting | record job a@1 | record a@1.0 adopted | collect a@1.0 | record job a@2 | create a@2.0",
            id="our mark, failed, retries left: adopt and go on by the other rows",
        ),
    ],
)
def test_mark_found(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        pytest.param(job(work="7"), {"digest": digest("7"), "tree": job(work="7").tree}, id="same work: known in full"),
        pytest.param(job(work="8"), {"digest": digest("7")[:15], "tree": {}}, id="other work: known by its mark"),
    ],
)
def test_an_adopted_record_holds_what_the_mark_and_the_api_say(wanted: DesiredJob, known: dict[str, object]) -> None:
    remote = found(2, work="7", rows=RowCounts(5, 1, 0))

    made = decide([wanted], [], [look(remote)]).jobs[0]

    bare = RecordedAttempt(
        AttemptKey("a", 2),
        HERE,
        "",
        token(2),
        remote="batches/a-2",
        state="JOB_STATE_RUNNING",
        create_time=remote.create_time,
        start_time=remote.start_time,
        rows=RowCounts(5, 1, 0),
        adopted=True,
    )
    assert made.steps[1] == RecordAttempt(replace(bare, **known), Note.ADOPTED)
    assert made.attempt == replace(bare, **known)
    assert made.remote == "batches/a-2"


def test_an_adopted_record_becomes_known_in_full_once_its_work_is_desired() -> None:
    by_mark, wanted = attempt(1, digest=digest("1")[:15], tree={}, adopted=True), replace(job(), row_hashes='{"k":"0"}')

    [step] = decide([wanted], [row(job(), by_mark)], [look(found())]).jobs[0].steps

    known = replace(by_mark, digest=digest("1"), tree=job().tree, row_hashes='{"k":"0"}')
    assert step == RecordAttempt(known, Note.REFRESHED)


def with_source(source: Source, **settings: object) -> DesiredJob:
    """The same requests from another source."""
    wanted = replace(job(), digest=digest("2"), tree={**job().tree, "source": {"rows": "other"}}, source=source)
    return replace(wanted, row_settings=RowSettings(**settings))


OTHER_ROWS = with_source(InlineRows(()))
MANY_ROWS = with_source(LocalFile("rows.jsonl", "0" * 64, 99))
SENT = RowsSent(3, 3, "")


@pytest.mark.parametrize(
    ("wanted", "record", "is_told", "has_way_out"),
    [
        pytest.param(OTHER_ROWS, attempt(adopted=True), True, True, id="active"),
        pytest.param(OTHER_ROWS, attempt(1, "SUCCEEDED", adopted=True), True, True, id="not collected yet"),
        pytest.param(OTHER_ROWS, collected(adopted=True), True, False, id="collected without a list"),
        pytest.param(MANY_ROWS, collected(adopted=True), True, False, id="many rows, collected without a list"),
        pytest.param(MANY_ROWS, attempt(adopted=True), False, False, id="many rows: their list is a file"),
        pytest.param(OTHER_ROWS, attempt(), False, False, id="not adopted"),
        pytest.param(OTHER_ROWS, collected(adopted=True, sent=SENT), False, False, id="collected with a list"),
        pytest.param(job(work="2"), attempt(adopted=True), False, False, id="all requests changed"),
        pytest.param(with_source(InlineRows(()), reuse=False), attempt(adopted=True), False, False, id="no reuse"),
        pytest.param(with_source(RemoteSource(("gs://b/o",))), attempt(adopted=True), False, False, id="not our rows"),
        pytest.param(
            OTHER_ROWS,
            attempt(adopted=True, cancel_cause=CancelCause.REPLACE),
            False,
            False,
            id="its replacement has begun",
        ),
    ],
)
def test_a_replacement_says_that_unchanged_rows_may_be_bought_again(
    wanted: DesiredJob, record: RecordedAttempt, is_told: bool, has_way_out: bool
) -> None:
    (made,) = decide([wanted], [row(job(), record)], [look(seen(record))]).jobs
    assert made.action == "replace"
    assert ("rows that did not change may be bought again" in made.reason) == is_told
    assert ("undo the change before the next `apply`" in made.reason) == has_way_out


def test_a_guard_says_that_unchanged_rows_may_be_bought_again() -> None:
    record = attempt(adopted=True, tree={})
    made = decide([OTHER_ROWS], [row(job(), record)], [look(seen(record))])
    assert "rows that did not change may be bought again" not in made.jobs[0].reason
    assert "rows that did not change may be bought again" in made.guards[0].message


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(work="2"), None, look(found(1))),
            "adopt Active consent | record job a@1 | record a@1.0 adopted | ! AdoptedChanged",
            id="our mark, other digest, active: adopt as a record; what follows needs a flag",
        ),
        pytest.param(
            Situation(job(work="2"), None, look(found(1)), ADOPT_CHANGED),
            "replace Active unfinished consent | record job a@1 | record a@1.0 adopted | cancel a@1.0 replace",
            id="our mark, other digest, active, --adopt-changed: replaced",
        ),
        pytest.param(
            Situation(job(work="2"), None, look(found(1, "SUCCEEDED"))),
            "adopt Succeeded consent | record job a@1 | record a@1.0 adopted | collect a@1.0 | ! AdoptedChanged",
            id="our mark, other digest, succeeded: its results are collected all the same",
        ),
        pytest.param(
            Situation(job(work="2"), None, look(found(1, "SUCCEEDED")), ADOPT_CHANGED),
            "replace Succeeded consent | record job a@1 | record a@1.0 adopted | collect a@1.0 | delete a@1.0 | record job a@2 | create a@2.0",
            id="our mark, other digest, succeeded, --adopt-changed: replaced",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), collected(1, adopted=True, tree={})), look(seen(collected()))),
            "replace Succeeded consent | ! AdoptedChanged",
            id="adopted in an earlier pass, its work never seen: still needs the flag",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), collected(1, adopted=True)), look(seen(collected()))),
            "replace Succeeded consent | delete a@1.0 | record job a@2 | create a@2.0",
            id="adopted in an earlier pass, its work known: replaced",
        ),
        pytest.param(
            Situation(job(work="2", on_change=OnChange.KEEP), None, look(found(1))),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="our mark, other digest, onChange keep: adopt and follow",
        ),
        pytest.param(
            Situation(job(work="2", on_change=OnChange.FAIL), None, look(found(1))),
            "adopt Active unfinished | record job a@1 | record a@1.0 adopted | ! OnChangeFail",
            id="our mark, other digest, onChange fail: adopt and refuse",
        ),
        pytest.param(
            Situation(job(work="2", suspend=True), None, look(found(1))),
            "adopt Active | record job a@1 | record a@1.0 adopted",
            id="our mark, other digest, suspended: adopt and follow",
        ),
        pytest.param(
            Situation(job(work="2"), None, look(found(1, "BREWING"))),
            "adopt Unknown | record job a@1 | record a@1.0 adopted",
            id="our mark, other digest, a state we do not know: adopt and wait",
        ),
    ],
)
def test_mark_of_other_work_found(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize("digest_text", ["d1:", "d1:1", "d2:111111111111"])
def test_a_short_or_other_digest_never_passes_for_the_same_work(digest_text: str) -> None:
    remote = found(1, mark=mark(digest=digest_text))

    assert show(decide([job()], [], [look(remote)])).endswith("! AdoptedChanged")


def test_a_recorded_attempt_that_was_adopted_does_not_count_in_place_of_the_current_one() -> None:
    record = row(job(), attempt(), attempt(2, "FAILED", adopted=True), current=1)
    made = Situation(job(), record, look(*map(seen, record.attempts))).decide()
    assert show(made) == "wait Active"
