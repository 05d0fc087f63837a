"""Known work is not bought again without a word: whole results of the very digest are used in its place."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.lifecycle import OnMissing
from batchctl.model.observed import Gone, RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.steps import Reuse
from batchctl.reconcile import Options, results_relied_on
from batchctl.reconcile.decide.retry_order import why_no_new_attempt
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.marks import NO_TOKEN
from tests.support.decisions import (
    GRACE,
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    STACK,
    Situation,
    attempt,
    collected,
    decide,
    job,
    kept,
    look,
    one,
    row,
    seen,
    show,
    unanswered,
    vanished,
)
from tests.support.values import replace

OTHER = collected(1, name="b", results="b/1", end_time=NOW - HOUR)
OWN = collected(1)
BAD = RowCounts(4, 0, 4)
RERUN = Options(rerun=frozenset("a"))
BOUGHT = "create Waiting consent | record job a@1 | create a@1.0"
USED = "reuse Waiting | record job a@1 | reuse a@1.0 b/1"
REUSED = RecordedAttempt(
    AttemptKey("a", 1), OWN.account, OWN.digest, NO_TOKEN, tree=OWN.tree, state=OWN.state, results="a/1", rows=OWN.rows
)


@pytest.mark.parametrize(
    ("situation", "inventory", "expected"),
    [
        pytest.param(Situation(job()), kept(), BOUGHT, id="nothing known"),
        pytest.param(Situation(job()), None, BOUGHT, id="nobody looked"),
        pytest.param(Situation(job()), kept(OTHER), USED, id="of another job"),
        pytest.param(Situation(job()), kept(OTHER, uid="fedcba"), BOUGHT, id="of another stack: its uid"),
        pytest.param(Situation(job()), kept(OTHER, stack="shop-2"), BOUGHT, id="of another stack: its name"),
        pytest.param(Situation(job(work="2")), kept(OTHER), BOUGHT, id="of other work"),
        pytest.param(
            Situation(job()), kept(replace(OTHER, digest=OTHER.digest[:15])), USED, id="known by twelve digits"
        ),
        pytest.param(Situation(job()), kept(replace(OTHER, state="JOB_STATE_FAILED")), BOUGHT, id="of a failure"),
        pytest.param(Situation(job()), kept(replace(OTHER, rows=BAD)), BOUGHT, id="every row failed"),
        pytest.param(
            Situation(job()), kept(replace(OTHER, state="JOB_STATE_PARTIALLY_SUCCEEDED")), USED, id="of a part"
        ),
        pytest.param(
            Situation(job(retry_on=frozenset({"PARTIALLY_SUCCEEDED"}))),
            kept(replace(OTHER, state="JOB_STATE_PARTIALLY_SUCCEEDED")),
            BOUGHT,
            id="of a part, where that is not enough",
        ),
        pytest.param(Situation(job(suspend=True)), kept(OTHER), "wait Waiting", id="suspended: it waits as ever"),
        pytest.param(
            replace(Situation(job()), look=look(complete=False)), kept(OTHER), "wait Unknown", id="not seen in full"
        ),
        pytest.param(replace(Situation(job()), options=RERUN), kept(OTHER), BOUGHT, id="--rerun"),
        pytest.param(
            replace(Situation(job()), options=Options(consent=False)), kept(OTHER), USED, id="nobody has to agree"
        ),
        pytest.param(
            one(attempt(1, "FAILED", results="a/1"), backoff_limit=1),
            kept(attempt(1, "FAILED", results="a/1"), OTHER),
            "reuse Waiting | record job a@2 | reuse a@2.0 b/1",
            id="in place of a retry",
        ),
        pytest.param(
            vanished(attempt(), on_missing=OnMissing.RECREATE),
            kept(OTHER),
            "reuse Waiting | record a@1.0 gone | record job a@2 | reuse a@2.0 b/1 | ~ Missing",
            id="in place of another for what is missing",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), OWN), look(seen(OWN))),
            kept(OWN, replace(OTHER, digest=job(work="2").digest)),
            "replace Succeeded consent | delete a@1.0 | record job a@2 | reuse a@2.0 b/1",
            id="in place of a replacement",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), attempt()), look(seen(attempt()))),
            kept(replace(OTHER, digest=job(work="2").digest)),
            "replace Active unfinished consent | cancel a@1.0 replace",
            id="in place of a replacement, once the old job has ended",
        ),
        pytest.param(Situation(job()), kept(replace(OTHER, rows=RowCounts(4, 0, 0))), BOUGHT, id="no row was placed"),
        pytest.param(
            Situation(job(), row(job(), attempt(1, "FAILED", results="a/1"), retry_requested=LOCAL), look()),
            kept(OTHER),
            "wait Waiting",
            id="a retry that cannot be seen",
        ),
        pytest.param(
            Situation(
                job(),
                row(job(), attempt(1, "FAILED", results="a/1"), retry_requested=LOCAL),
                look(seen(attempt(1, "FAILED"))),
            ),
            kept(attempt(1, "FAILED", results="a/1"), OTHER),
            "retry Waiting | record job a@2 | create a@2.0",
            id="a retry by order buys",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered(first_look=LOCAL - GRACE))),
            kept(OTHER),
            "create Waiting | create a@1.0 token00001",
            id="a call that was lost is settled as ever",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1, None, remote=None))),
            kept(OTHER),
            "reuse Waiting | reuse a@1.0 b/1",
            id="a call that surely made nothing buys nothing either",
        ),
    ],
)
def test_other_jobs_results(situation: Situation, inventory, expected: str) -> None:
    assert show(replace(situation, inventory=inventory).decide()) == expected


@pytest.mark.parametrize(
    ("situation", "inventory", "expected"),
    [
        pytest.param(
            Situation(job()),
            kept(OWN),
            "reuse Succeeded | record job a@1 | record a@1.0 reused",
            id="back in the manifests",
        ),
        pytest.param(
            Situation(job()),
            kept(collected(1), collected(2)),
            "reuse Succeeded | record job a@2 | record a@1.0 reused | record a@2.0 reused",
            id="two attempts: the newer counts",
        ),
        pytest.param(
            replace(Situation(job()), look=look(seen(OWN))),
            kept(OWN),
            "adopt Succeeded | record job a@1 | record a@1.0 adopted",
            id="its remote job is there yet: not collected again",
        ),
        pytest.param(
            replace(Situation(job()), look=look(complete=False)),
            kept(OWN),
            "reuse Succeeded | record job a@1 | record a@1.0 reused",
            id="the API need not be asked",
        ),
        pytest.param(Situation(job(work="2")), kept(OWN), BOUGHT, id="back with other work"),
        pytest.param(Situation(job()), kept(replace(OWN, state="JOB_STATE_FAILED")), BOUGHT, id="it had failed"),
        pytest.param(Situation(job()), kept(replace(OWN, rows=BAD)), BOUGHT, id="every row had failed"),
        pytest.param(
            Situation(job()),
            kept(replace(OWN, rows=RowCounts(4, 0, 0))),
            "reuse Failed | record job a@1 | record a@1.0 reused",
            id="no row could be placed: it was paid for all the same",
        ),
        pytest.param(Situation(None), kept(OWN), "", id="not wanted"),
        pytest.param(
            Situation(job()),
            kept(OWN, replace(OWN, results="a/1-2", remote="batches/second")),
            "reuse Succeeded | record job a@1 | record a@1.0 reused",
            id="two under one number",
        ),
        pytest.param(
            replace(Situation(job()), options=RERUN),
            kept(OWN),
            "retry Waiting consent | record job a@1 | record a@1.0 reused | record job a@2 | create a@2.0",
            id="--rerun",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1, "FAILED", results="a/1")), look(seen(attempt(1, "FAILED")))),
            kept(attempt(1, "FAILED", results="a/1"), collected(2)),
            "reuse Succeeded | record job a@2 | record a@2.0 reused",
            id="a later attempt that a restored backup does not know",
        ),
    ],
)
def test_its_own_results(situation: Situation, inventory, expected: str) -> None:
    assert show(replace(situation, inventory=inventory).decide()) == expected


@pytest.mark.parametrize(
    ("record", "looks", "expected"),
    [
        pytest.param(attempt(), look(gone=["batches/a-1"]), "reuse Succeeded | record a@1.0 results found", id="gone"),
        pytest.param(
            attempt(), look(forbidden=["batches/a-1"]), "reuse Succeeded | record a@1.0 results found", id="unseen"
        ),
        pytest.param(
            attempt(1, "SUCCEEDED"),
            look(gone=["batches/a-1"]),
            "reuse Succeeded | record a@1.0 results found",
            id="ended",
        ),
        pytest.param(
            attempt(1, "SUCCEEDED", gone_time=NOW),
            look(),
            "reuse Succeeded | record a@1.0 results found",
            id="taken for lost",
        ),
        pytest.param(
            attempt(1, "SUCCEEDED", results_lost=True),
            look(seen(attempt(1, "SUCCEEDED"))),
            "reuse Succeeded | record a@1.0 results found",
            id="the API has them no more",
        ),
        pytest.param(
            attempt(1, "SUCCEEDED"),
            look(seen(attempt(1, "SUCCEEDED"))),
            "reuse Succeeded | record a@1.0 results found",
            id="not collected again",
        ),
        pytest.param(
            replace(OWN, results="a/elsewhere"),
            look(seen(OWN)),
            "reuse Succeeded | record a@1.0 results found",
            id="moved",
        ),
        pytest.param(
            unanswered(), look(), "reuse Succeeded | record a@1.0 results found", id="its call was never answered"
        ),
        pytest.param(OWN, look(seen(OWN)), "none Succeeded", id="known"),
    ],
)
def test_what_was_collected_after_the_backup_was_made(record, looks, expected: str) -> None:
    situation = Situation(job(), row(job(), record), looks, inventory=kept(OWN))
    assert show(situation.decide()) == expected
    (decided,) = situation.decide().jobs
    assert decided.attempt is not None
    assert (decided.attempt.results, decided.attempt.state) == ("a/1", "JOB_STATE_SUCCEEDED")


def test_results_of_another_remote_job_under_its_number_are_not_its_own() -> None:
    record = attempt(1, "SUCCEEDED", remote="batches/new")
    situation = Situation(job(), row(job(), record), look(seen(record)), inventory=kept(OWN))
    assert show(situation.decide()) == "collect Succeeded | collect a@1.0 batches/new"


def test_a_removed_job_has_what_was_collected() -> None:
    situation = Situation(None, row(job(), attempt(1, "SUCCEEDED")), look(seen(OWN)), Options(allow_empty=True))
    expected = "delete Succeeded consent | record a@1.0 results found | delete a@1.0 | forget a"
    assert show(replace(situation, inventory=kept(OWN)).decide()) == expected


def test_the_best_results_are_used() -> None:
    """Complete before partial, its own before others', the newest first; then by name."""
    found = [
        replace(OTHER, results="b/1", state="JOB_STATE_PARTIALLY_SUCCEEDED"),
        replace(OTHER, results="b/2", end_time=NOW - 2 * HOUR),
        replace(OTHER, results="b/3", end_time=None),
        replace(OTHER, results="b/4", end_time=NOW - HOUR),
        replace(OTHER, results="b/5", end_time=NOW - HOUR),
        replace(OTHER, results="a/9", key=AttemptKey("a", 9), end_time=NOW - 3 * HOUR),
    ]
    taken = []
    record = row(job(), attempt(9, "FAILED", results="a/f"))
    while found:
        made = Situation(
            job(backoff_limit=1), record, look(seen(attempt(9, "FAILED"))), inventory=kept(*found)
        ).decide()
        (step,) = [step for step in made.jobs[0].steps if isinstance(step, Reuse)]
        taken.append(step.source)
        found = [one for one in found if one.results != step.source]
    assert taken == ["a/9", "b/4", "b/5", "b/2", "b/3", "b/1"]


def test_it_is_said_where_they_come_from() -> None:
    (decided,) = replace(Situation(job()), inventory=kept(OTHER)).decide().jobs
    words = "new in the manifests; the results of b, attempt 1 (b/1) are of the same work: they are used again, and nothing is bought"
    assert (decided.code, decided.reason) == (Reason.REUSED, words)
    (decided,) = replace(Situation(job()), inventory=kept(OWN)).decide().jobs
    assert decided.reason.startswith("results of the same work are here: nothing is bought (a/1)")
    (decided,) = (
        one(attempt(1, "SUCCEEDED"))
        .__class__(job(), row(job(), attempt(1, "SUCCEEDED")), look(seen(OWN)), inventory=kept(OWN))
        .decide()
        .jobs
    )
    assert decided.code is Reason.RESULTS_FOUND
    assert decided.reason.startswith("its results are here, and the state did not know of them (a/1); succeeded")


def test_a_plan_tells_on_which_results_it_relies() -> None:
    made = decide([job(), job("c")], [], [look()], inventory=kept(OTHER, OWN))
    assert results_relied_on(made) == ("a/1",)
    assert results_relied_on(decide([job("c")], [], [look()], inventory=kept(OTHER))) == ("b/1",)


def test_a_reused_attempt_needs_no_remote_job() -> None:
    record = row(job(ttl_after_finished=MINUTE), REUSED)
    held = Situation(job(ttl_after_finished=MINUTE), record, look(), inventory=kept(REUSED))
    assert show(held.decide()) == "none Succeeded"
    assert show(replace(held, look=look(complete=False)).decide()) == "none Succeeded"
    gone = replace(held, wanted=None, options=Options(allow_empty=True))
    assert show(gone.decide()) == "forget Removing | forget a"
    assert show(replace(held, options=Options(cancel=True)).decide()) == "none Succeeded"
    assert why_no_new_attempt(AttemptView(REUSED, Gone()), job(), None) is None


def test_a_remote_job_under_the_number_of_a_reused_attempt_is_one_too_many() -> None:
    situation = Situation(job(), row(job(), REUSED), look(seen(attempt())), inventory=kept(REUSED))
    assert show(situation.decide()) == "cancel Succeeded | cancel a@1.0 duplicate | ~ Duplicate"


def test_a_reused_copy_that_is_damaged_is_made_again() -> None:
    situation = Situation(job(), row(job(), REUSED), look(), inventory=kept(OTHER))
    assert show(situation.decide()) == "reuse Succeeded | reuse a@1.0 b/1"
    assert "incomplete in the results folder (the folder is missing); those of b" in situation.decide().jobs[0].reason
    assert show(replace(situation, inventory=kept()).decide()) == "none Succeeded"


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(one(OWN), "retry Waiting consent | record job a@2 | create a@2.0", id="it has succeeded"),
        pytest.param(
            one(attempt(1, "SUCCEEDED")),
            "retry Waiting consent | collect a@1.0 | record job a@2 | create a@2.0",
            id="it is collected before",
        ),
        pytest.param(
            vanished(OWN), "retry Waiting consent | record a@1.0 gone | record job a@2 | create a@2.0", id="gone"
        ),
        pytest.param(one(attempt()), "none Active | ! RetryRefused", id="it works"),
        pytest.param(
            Situation(job(), row(job(), unanswered()), look()),
            "none Settling | ! RetryRefused",
            id="its call is not settled",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1, None, remote=None)), look()),
            "create Waiting | create a@1.0 token00001",
            id="it was not sent yet",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1, None, remote=None, rejected=True)), look()),
            "retry Waiting consent | record job a@2 | create a@2.0",
            id="it was refused",
        ),
        pytest.param(one(OWN, suspend=True), "wait Waiting", id="suspended"),
        pytest.param(
            Situation(
                job(),
                row(job(work="2"), collected(1), collected(2, work="2")),
                look(seen(collected(2, work="2")), gone=["batches/a-1"]),
            ),
            "replace Succeeded consent | record a@1.0 gone | delete a@2.0 | record job a@3 | create a@3.0",
            id="changed back, and bought all the same",
        ),
        pytest.param(
            Situation(job(), row(job(), REUSED)), "retry Waiting consent | record job a@2 | create a@2.0", id="reused"
        ),
    ],
)
def test_rerun(situation: Situation, expected: str) -> None:
    assert show(replace(situation, options=RERUN).decide()) == expected


def test_rerun_counts_as_a_create() -> None:
    made = replace(one(OWN), options=replace(RERUN, max_create=0)).decide()
    assert made.jobs[0].guard is not None
    assert made.jobs[0].guard.code == "TooManyCreates"
    assert STACK.limits.max_create == 100


def test_own_results_are_relied_on_and_those_of_an_attempt_that_was_only_looked_for_are_not() -> None:
    used = replace(Situation(job()), inventory=kept(OWN)).decide()
    assert show(used) == "reuse Succeeded | record job a@1 | record a@1.0 reused"
    assert results_relied_on(used) == (OWN.results,)
    looked_for = replace(vanished(collected()), confirmed=False).decide()
    assert "record a@1.0 not found" in show(looked_for)
    assert results_relied_on(looked_for) == ()


def test_known_work_changes_nothing_about_a_job_that_is_stopped_for_another_reason() -> None:
    late = replace(one(attempt(), active_deadline=MINUTE), inventory=kept(OTHER)).decide()
    assert show(late) == "cancel Active unfinished | cancel a@1.0 deadline"
    assert late.jobs[0].code is Reason.ACTIVE_DEADLINE
    assert late.jobs[0].reason == "activeDeadline is over: it ran too long"


@pytest.mark.parametrize(
    ("earlier", "code", "words"),
    [
        pytest.param((), Reason.REUSED, "; the results of b, attempt 1 (b/1) are of the same work", id="changed"),
        pytest.param(
            (collected(1, work="2", gone_time=NOW),),
            Reason.CHANGED_BACK,
            "changed back: attempt 1 has its results",
            id="changed back",
        ),
    ],
)
def test_a_replacement_that_first_cancels_names_the_results_that_it_will_use(
    earlier: tuple[RecordedAttempt, ...], code: Reason, words: str
) -> None:
    active = attempt(2)
    record = row(job(), *earlier, active)
    inventory = kept(*earlier, replace(OTHER, digest=job(work="2").digest))
    (planned,) = Situation(job(work="2"), record, look(seen(active)), inventory=inventory).decide().jobs
    assert (planned.action, planned.unfinished, planned.code) == (Action.REPLACE, True, code)
    assert words in planned.reason
    assert ("b/1" in planned.reason) is (not earlier)


def test_of_results_that_are_alike_the_same_ones_are_used_each_time() -> None:
    twin = replace(OTHER, key=attempt(2, name="b").key, results="b/0")
    for order in ((OTHER, twin), (twin, OTHER)):
        made = replace(Situation(job()), inventory=kept(*order)).decide()
        assert show(made) == "reuse Waiting | record job a@1 | reuse a@1.0 b/0"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        pytest.param(OWN.token, "reuse Succeeded | record a@1.0 results found", id="of its own call"),
        pytest.param("token00009", "wait Settling | record a@1.0 not found", id="of another call"),
        pytest.param(NO_TOKEN, "wait Settling | record a@1.0 not found", id="of no call"),
    ],
)
def test_results_of_an_unanswered_call_are_known_by_its_token(token: str, expected: str) -> None:
    inventory = kept(replace(OWN, token=token))
    assert show(Situation(job(), row(job(), unanswered()), look(), inventory=inventory).decide()) == expected


def test_found_results_of_several_attempts_leave_the_reason_of_the_one_that_is_seen() -> None:
    first, second = attempt(1, "SUCCEEDED"), attempt(2, "SUCCEEDED")
    inventory = kept(collected(1), collected(2, results="a/2"))
    situation = Situation(job(), row(job(), first, second), look(seen(second), forbidden=["batches/a-1"]))
    (planned,) = replace(situation, inventory=inventory).decide().jobs
    words = "its results are here, and the state did not know of them (a/1, a/2)"
    assert (planned.code, planned.reason) == (Reason.RESULTS_FOUND, f"{words}; succeeded")
    unseen = replace(situation, look=look(forbidden=["batches/a-1", "batches/a-2"]), inventory=inventory)
    assert unseen.decide().jobs[0].reason == words


@pytest.mark.parametrize("field", ["create_time", "start_time", "end_time"])
@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_recorded_time_takes_precedence_over_that_of_found_results(field: str, is_recorded: bool) -> None:
    recorded = NOW - 5 * HOUR if is_recorded else None
    record = replace(attempt(1, "SUCCEEDED"), **{field: recorded})
    situation = Situation(job(), row(job(), record), look(gone=["batches/a-1"]), inventory=kept(OWN))
    (planned,) = situation.decide().jobs
    assert show(situation.decide()) == "reuse Succeeded | record a@1.0 results found"
    assert getattr(planned.attempt, field) == (recorded or getattr(OWN, field))


def test_results_that_are_found_say_when_their_job_ended() -> None:
    running = Situation(job(), row(job(), attempt()), look(seen(attempt())), inventory=kept(OWN))
    (found_again,) = running.decide().jobs
    assert found_again.attempt is not None
    assert found_again.attempt.end_time == OWN.end_time
