"""Guards: each with its edge, the flag that lifts it, and jobs beside it that go on."""

from __future__ import annotations

import pytest

from batchctl.model.decision import Guard
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import Inventory
from batchctl.model.lifecycle import OnRemove
from batchctl.model.observed import Observation, RemoteJob
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.stack import Limits
from batchctl.reconcile import Options, Scope, plan
from tests.support.decisions import (
    HERE,
    HOUR,
    LOCAL,
    NOW,
    SECOND,
    STACK,
    Situation,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    seen,
    show,
)
from tests.support.values import replace

LIMITS = Limits(max_create=2, max_replace=2, max_delete=2)
NAMES = "abcde"


def creates(count: int) -> tuple[list[DesiredJob], list[RecordedJob], list[RemoteJob]]:
    return [job(name) for name in NAMES[:count]], [], []


def replaces(count: int) -> tuple[list[DesiredJob], list[RecordedJob], list[RemoteJob]]:
    names = NAMES[:count]
    records = [row(job(name), attempt(1, name=name)) for name in names]
    return [job(name, work="2") for name in names], records, [found(name=name) for name in names]


def deletes(count: int) -> tuple[list[DesiredJob], list[RecordedJob], list[RemoteJob]]:
    """Removals of which each other one is still active, beside one job that stays."""
    records, jobs = [], []
    for position, name in enumerate(NAMES[:count]):
        record = attempt(1, name=name) if position % 2 else collected(name=name)
        records.append(row(job(name), record))
        jobs.append(seen(record))
    stays = collected(name="stays")
    return [job("stays")], [*records, row(job("stays"), stays)], [*jobs, seen(stays)]


def decide_many(many: tuple[list[DesiredJob], list[RecordedJob], list[RemoteJob]], options: Options) -> Plan:
    wanted, records, jobs = many
    return decide(wanted, records, [look(*jobs)], options, limits=LIMITS)


KINDS = [
    pytest.param(creates, "create", "TooManyCreates", id="create"),
    pytest.param(replaces, "replace", "TooManyReplaces", id="replace"),
    pytest.param(deletes, "delete", "TooManyDeletes", id="delete"),
]


@pytest.mark.parametrize(("many", "word", "code"), KINDS)
def test_too_many(many, word: str, code: str) -> None:
    assert decide_many(many(2), Options()).guards == ()

    refused = decide_many(many(3), Options())

    guard = Guard(code, f"3 jobs to {word}, and the limit is 2", f"--max-{word} 3")
    assert refused.guards == (guard,)
    assert [decided.guard for decided in refused.jobs if decided.job != "stays"] == [guard] * 3
    assert not [step for decided in refused.jobs for step in decided.steps]


@pytest.mark.parametrize(("many", "word", "code"), KINDS)
def test_the_flag_lifts_the_limit_or_lowers_it(many, word: str, code: str) -> None:
    def flagged(limit: int) -> Options:
        return Options(**{f"max_{word}": limit})

    assert decide_many(many(3), flagged(3)).guards == ()
    assert [guard.code for guard in decide_many(many(4), flagged(3)).guards] == [code]
    guard = Guard(code, f"1 job to {word}, and the limit is 0", f"--max-{word} 1")
    assert decide_many(many(1), flagged(0)).guards == (guard,)


def test_the_default_limits() -> None:
    assert (Limits().max_create, Limits().max_replace, Limits().max_delete) == (100, 10, 10)


def test_other_jobs_go_on_beside_a_guard() -> None:
    wanted = [job(name) for name in "abc"] + [job("x", work="2"), job("z", backoff_limit=1)]
    records = [row(job("x"), attempt(name="x")), row(wanted[-1], attempt(1, "FAILED", name="z"))]
    jobs = [found(name="x"), seen(records[1].attempts[0])]

    made = decide_many((wanted, records, jobs), Options())

    assert show(made, "b") == "create Waiting consent | ! TooManyCreates"
    assert show(made, "x") == "replace Active unfinished consent | cancel x@1.0 replace"
    assert show(made, "z") == "retry Waiting | collect z@1.0 | record job z@2 | create z@2.0"
    assert [guard.code for guard in made.guards] == ["TooManyCreates"]


def test_limits_are_counted_over_the_scope() -> None:
    wanted = [job("a", path="in/a.yaml"), job("b", path="in/b.yaml"), job("c", path="out/c.yaml")]

    made = decide_many((wanted, [], []), Options(scope=Scope(paths=frozenset({"in"}))))

    assert [decided.job for decided in made.jobs] == ["a", "b"]
    assert made.guards == ()


def test_destroy_may_delete_many_where_a_person_saw_the_number() -> None:
    many = deletes(5)

    assert [guard.way_out for guard in decide_many(many, Options(destroy=True)).guards] == ["--max-delete 6"]
    assert decide_many(many, Options(destroy=True, max_delete=6)).guards == ()
    assert decide_many(many, Options(destroy=True, any_number=True)).guards == ()
    few = Options(destroy=True, any_number=True, max_delete=2)
    assert [guard.code for guard in decide_many(many, few).guards] == ["TooManyDeletes"]


def test_destroy_lifts_no_other_limit() -> None:
    made = decide_many(deletes(5), Options(destroy=True, any_number=True, consent=False))

    assert {guard.code for guard in made.guards} == {"ConsentNeeded"}


# --- nothing desired while something is recorded

LEFT = [row(job(), collected()), row(job("b"), collected(name="b", gone_time=NOW))]
LEFT_JOBS = look(seen(collected()))


def test_nothing_desired() -> None:
    made = decide([], LEFT, [LEFT_JOBS])

    assert show(made, "a") == "delete Succeeded consent | ! NothingDesired"
    assert show(made, "b") == "forget Removing | forget b"
    assert made.guards == (
        Guard("NothingDesired", "no manifest is left, and that would remove every recorded job", "--allow-empty"),
    )


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(Options(allow_empty=True), id="--allow-empty"),
        pytest.param(Options(destroy=True), id="destroy"),
        pytest.param(Options(scope=Scope(names=frozenset({"a"}))), id="the job is named"),
    ],
)
def test_nothing_desired_is_lifted(options: Options) -> None:
    assert show(decide([], LEFT, [LEFT_JOBS], options), "a") == "delete Succeeded consent | delete a@1.0 | forget a"


def test_one_desired_job_is_enough() -> None:
    assert decide([job("z", work="9")], LEFT, [LEFT_JOBS]).guards == ()


def test_nothing_desired_is_counted_over_the_scope() -> None:
    options = Options(scope=Scope(paths=frozenset({"a.yaml"})))

    assert show(decide([job("z")], LEFT, [LEFT_JOBS], options), "a") == "delete Succeeded consent | ! NothingDesired"


def test_a_removal_that_was_agreed_to_goes_on_though_nothing_is_desired() -> None:
    record = row(job(), collected(), removing_time=LOCAL)

    assert show(decide([], [record], [LEFT_JOBS])) == "delete Removing | delete a@1.0 | forget a"


def test_nothing_recorded_and_nothing_desired_is_no_matter() -> None:
    made = decide([], [], [look()])

    assert made.jobs == made.guards == ()
    assert not made.has_changes


# --- a protected job would go

PROTECT = {"protect": True}


@pytest.mark.parametrize(
    ("situation", "guarded", "lifted"),
    [
        pytest.param(
            Situation(None, row(job(**PROTECT), attempt()), look(found())),
            "delete Active unfinished consent | ! Protected",
            "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove",
            id="removed, active",
        ),
        pytest.param(
            Situation(None, row(job(**PROTECT), attempt(1, "SUCCEEDED")), look(found(1, "SUCCEEDED", end_time=NOW))),
            "delete Succeeded unfinished consent | collect a@1.0 | ! Protected",
            "delete Succeeded consent | collect a@1.0 | delete a@1.0 | forget a",
            id="removed, finished: collected all the same",
        ),
        pytest.param(
            Situation(None, row(job(protect=True, on_remove=OnRemove.KEEP), attempt()), look(found())),
            "forget Active unfinished consent | ! Protected",
            "forget Active consent | record job a@1 released",
            id="removed, onRemove keep",
        ),
        pytest.param(
            Situation(job(work="2", **PROTECT), row(job(**PROTECT), attempt()), look(found())),
            "replace Active unfinished consent | ! Protected",
            "replace Active unfinished consent | cancel a@1.0 replace",
            id="changed, active",
        ),
        pytest.param(
            Situation(job(**PROTECT), row(job(**PROTECT), attempt()), look(found()), Options(destroy=True)),
            "delete Active unfinished consent | ! Protected",
            "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove",
            id="destroyed",
        ),
    ],
)
def test_protected(situation: Situation, guarded: str, lifted: str) -> None:
    options = replace(situation.options, allow_empty=True)

    assert show(replace(situation, options=options).decide()) == guarded
    allowed = replace(options, allow_protected=True)
    assert show(replace(situation, options=allowed).decide()) == lifted


def test_the_manifest_says_whether_a_desired_job_is_protected() -> None:
    unprotected = Situation(job(work="2"), row(job(**PROTECT), attempt()), look(found())).decide()
    newly = Situation(job(work="2", **PROTECT), row(job(), attempt()), look(found())).decide()

    assert unprotected.guards == ()
    assert newly.guards == (Guard("Protected", "a is protected (lifecycle.protect)", "--allow-protected"),)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(**PROTECT)), "create Waiting consent | record job a@1 | create a@1.0", id="it is created"
        ),
        pytest.param(
            Situation(
                job(protect=True, active_deadline=SECOND),
                row(job(protect=True, active_deadline=SECOND), attempt()),
                look(found()),
            ),
            "cancel Active unfinished | cancel a@1.0 deadline",
            id="its deadline holds",
        ),
        pytest.param(
            Situation(None, row(job(**PROTECT), collected(gone_time=NOW))),
            "forget Removing | forget a",
            id="it is gone: forgotten",
        ),
    ],
)
def test_what_protection_does_not_stop(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_a_protected_job_blocks_no_other() -> None:
    records = [row(job(**PROTECT), attempt()), row(job("b"), collected(name="b"))]

    made = decide([job("z", work="9")], records, [look(found(), seen(collected(name="b")))])

    assert show(made, "a") == "delete Active unfinished consent | ! Protected"
    assert show(made, "b") == "delete Succeeded consent | delete b@1.0 | forget b"
    assert show(made, "z") == "create Waiting consent | record job z@1 | create z@1.0"


def test_guards_are_told_once_each_in_the_order_of_the_jobs() -> None:
    wanted = [job("a"), job("b", work="2", protect=True), job("c")]
    records = [row(job("b", protect=True), attempt(name="b"))]

    made = decide(wanted, records, [look(found(name="b"))], Options(consent=False))

    assert [guard.code for guard in made.guards] == ["ConsentNeeded", "Protected"]


def test_a_limit_comes_before_consent_and_protection_before_both() -> None:
    wanted, records, jobs = replaces(3)
    wanted[0] = job("a", work="2", protect=True)

    made = decide_many((wanted, records, jobs), Options(consent=False))

    assert [decided.guard.code for decided in made.jobs if decided.guard] == [
        "Protected",
        "TooManyReplaces",
        "TooManyReplaces",
    ]


IN_CI = Options(in_ci=True)
SHORT_LIVED = {"ttl_after_finished": HOUR}


@pytest.mark.parametrize(
    ("wanted", "options", "code"),
    [
        (job(), IN_CI, None),
        (job(**SHORT_LIVED), Options(), None),
        (job(**SHORT_LIVED), IN_CI, "NewState"),
        (job(**SHORT_LIVED), replace(IN_CI, consent=False), "NewState"),
        (job(**SHORT_LIVED), replace(IN_CI, new_state=True), None),
        (job(suspend=True, **SHORT_LIVED), IN_CI, "NewState"),
        (job(**SHORT_LIVED), replace(IN_CI, cancel=True), None),
        (replace(job(**SHORT_LIVED), adopt="batches/1"), IN_CI, None),
    ],
)
def test_an_empty_state_where_the_job_may_have_run_before(
    wanted: DesiredJob, options: Options, code: str | None
) -> None:
    made = decide([wanted], [], [look()], options)
    (decided,) = made.jobs
    assert (decided.guard.code if decided.guard else None) == code
    if code:
        assert decided.steps == ()
        assert made.guards[0].way_out == "--new-state"


@pytest.mark.parametrize(
    ("path", "options", "code"),
    [
        ("a/11111111-1", Options(), "NewState"),
        ("a/11111111-1", Options(new_state=True), None),
        ("b/11111111-1", Options(), None),
        ("a/22222222-1", Options(), None),
    ],
)
def test_an_empty_state_where_results_of_this_work_are_not_whole(path: str, options: Options, code: str | None) -> None:
    made = decide([job()], [], [look()], options, inventory=Inventory(faults={path: "manifest.json is missing"}))
    (decided,) = made.jobs
    assert (decided.guard.code if decided.guard else None) == code
    assert code is None or "would be bought again" in made.guards[0].message


@pytest.mark.parametrize(
    ("options", "looks"),
    [
        (replace(IN_CI, scope=Scope(names=frozenset("a"))), look()),
        (IN_CI, look(complete=False)),
        (IN_CI, look()),
    ],
    ids=["out of scope", "unread", "waiting for another"],
)
def test_a_job_that_this_pass_does_not_create_is_doubted_all_the_same(options: Options, looks: Observation) -> None:
    wanted = [job("a"), job("b", needs=("a",), **SHORT_LIVED)]
    assert {guard.code for guard in decide(wanted, [], [looks], options).guards} == {"NewState"}


def test_what_the_state_or_a_mark_tells_needs_no_flag() -> None:
    wanted = job(**SHORT_LIVED)
    for records, looks in (([], look(found())), ([row(wanted, attempt())], look(seen(attempt())))):
        assert decide([wanted], records, [looks], IN_CI).guards == ()


def test_a_state_that_was_ever_written_is_believed() -> None:
    desired = DesiredStack(STACK, (job(**SHORT_LIVED),))
    for serial, count in ((0, 1), (1, 0)):
        assert len(plan(desired, Recorded(serial=serial), {HERE: look()}, LOCAL, IN_CI).guards) == count


def test_a_removal_on_an_empty_state_is_no_purchase() -> None:
    options = replace(IN_CI, prune_orphans=True, allow_empty=True)
    assert decide([], [], [look(found())], options).guards == ()
