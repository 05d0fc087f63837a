"""One job goes and another comes for the same work: most likely a rename that `spec.moved` does not know."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, Expansion
from batchctl.model.keys import BrokenMark
from batchctl.model.lifecycle import OnRemove
from batchctl.model.plan import Plan, Rename
from batchctl.reconcile import Options, Scope
from tests.support.decisions import NOW, attempt, collected, decide, job, kept, look, row, seen, show, unanswered
from tests.support.values import replace

ACTIVE = attempt()
DONE = collected()
AS_NEW = Options(rename_as_new=True)


def renamed(record, options=None, inventory=None, **lifecycle) -> Plan:
    """Job `a` is gone from the manifests, and `z` does its work."""
    return decide(
        [job("z")], [row(job(**lifecycle), record)], [look(seen(record))], options or Options(), inventory=inventory
    )


def test_what_works_is_neither_stopped_nor_bought_again() -> None:
    made = renamed(ACTIVE)
    assert show(made, "a") == "delete Active unfinished consent | ! LikelyRename"
    assert show(made, "z") == "create Waiting consent | ! LikelyRename"
    (guard,) = made.guards
    assert guard.way_out == "add `- {from: a, to: z}` to spec.moved of batchctl.yaml, or --yes-rename-as-new"
    assert made.renames == (Rename("a", "z"),)
    # The guard has the entry to paste.
    assert all(decided.reason.endswith("; likely a rename of a to z") for decided in made.jobs)


def test_a_person_may_mean_it_so() -> None:
    made = renamed(ACTIVE, AS_NEW)
    assert show(made, "a") == "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove"
    assert show(made, "z") == "create Waiting consent | record job z@1 | create z@1.0"
    assert made.renames == (Rename("a", "z"),)


def test_results_that_are_here_are_used_and_no_flag_is_needed() -> None:
    made = renamed(DONE, inventory=kept(DONE))
    assert show(made, "a") == "delete Succeeded consent | delete a@1.0 | forget a"
    assert show(made, "z") == "reuse Waiting | record job z@1 | reuse z@1.0 a/1"
    assert made.guards == ()
    assert made.renames == (Rename("a", "z", buys=False),)
    assert "add `- {from: a, to: z}` to spec.moved" in made.jobs[1].reason


def test_results_that_are_at_the_api_yet_are_waited_for() -> None:
    made = renamed(attempt(1, "SUCCEEDED"), inventory=kept())
    assert show(made, "a") == "delete Succeeded consent | collect a@1.0 | delete a@1.0 | forget a"
    assert show(made, "z") == "wait Waiting unfinished"
    assert made.jobs[1].waits_for == ("a",)
    assert made.jobs[1].reason.endswith("waits for the results of a, which did the same work: they are used again")


def test_a_failure_is_a_rename_like_any() -> None:
    assert show(renamed(attempt(1, "FAILED", results="a/1")), "z") == "create Waiting consent | ! LikelyRename"


def test_results_of_a_failed_job_that_are_collected_now_are_no_reason_to_wait() -> None:
    made = renamed(attempt(1, "FAILED"))
    assert show(made, "a") == "delete Failed unfinished consent | collect a@1.0 | ! LikelyRename"
    assert show(made, "z") == "create Waiting consent | ! LikelyRename"


def test_an_attempt_that_was_never_sent_is_no_work_of_the_leaving_job() -> None:
    records = (attempt(1, "FAILED", results="a/1"), attempt(2, None, remote=None))
    made = decide([job("z")], [row(job(), *records)], [look(seen(records[0]))])
    assert show(made, "a") == "delete Waiting consent | delete a@1.0 | forget a"
    assert show(made, "z") == "create Waiting consent | record job z@1 | create z@1.0"
    assert made.renames == ()


def test_a_job_that_works_already_is_not_the_new_name_of_its_twin() -> None:
    twin = attempt(name="z")
    made = decide([job("z")], [row(job(), ACTIVE), row(job("z"), twin)], [look(seen(ACTIVE), seen(twin))])
    assert show(made, "a") == "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove"
    assert (made.guards, made.renames) == ((), ())


@pytest.mark.parametrize(
    ("record", "fields", "expected"),
    [
        pytest.param(attempt(1, "FAILED", name="z", results="z/1", end_time=NOW), {}, "wait Waiting", id="back-off"),
        pytest.param(attempt(1, None, name="z", remote=None, rejected=True), {}, "none Rejected", id="rejected"),
        pytest.param(
            attempt(1, None, name="z", remote=None), {"cancel_requested": NOW}, "none Cancelled", id="cancelled"
        ),
        pytest.param(unanswered(name="z"), {}, "wait Settling | record z@1.0 not found", id="its call is unanswered"),
    ],
)
def test_a_job_that_had_its_turn_is_not_the_new_name_of_its_twin(record, fields, expected: str) -> None:
    wanted = job("z", backoff_limit=1)
    shown = [seen(one) for one in (ACTIVE, record) if one.remote is not None]
    made = decide([wanted], [row(job(), ACTIVE), row(wanted, record, **fields)], [look(*shown)])
    assert show(made, "z") == expected
    assert show(made, "a") == "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove"
    assert (made.guards, made.renames) == ((), ())


FAILED_N = attempt(1, "FAILED", name="n", work="3", results="n/1")
RUNNING_N = attempt(name="n", work="3")
TORN_MARK = BrokenMark("[bc1 shop/n@1.0 1111", "shop", "n")


@pytest.mark.parametrize(
    ("after", "neighbour", "torn", "expected"),
    [
        pytest.param(job("z", suspend=True), RUNNING_N, False, "wait Waiting", id="suspended"),
        pytest.param(job("z", needs=("n",)), RUNNING_N, False, "wait Waiting consent", id="waits for another job"),
        pytest.param(job("z", needs=("n",)), FAILED_N, False, "wait Blocked", id="blocked by another job"),
        pytest.param(job("z"), RUNNING_N, True, "wait Waiting consent", id="a damaged mark on the account"),
    ],
)
def test_what_works_is_kept_for_a_new_name_that_has_to_wait(
    after: DesiredJob, neighbour: RecordedAttempt, torn: bool, expected: str
) -> None:
    other = job("n", work="3")
    there = replace(seen(neighbour), mark=None, broken=TORN_MARK) if torn else seen(neighbour)
    records, looks = [row(job(), ACTIVE), row(other, neighbour)], [look(seen(ACTIVE), there)]
    made = decide([after, other], records, looks)
    assert show(made, "a") == "delete Active unfinished consent | ! LikelyRename"
    assert show(made, "z") == expected
    assert made.renames == (Rename("a", "z"),)
    as_new = decide([after, other], records, looks, AS_NEW)
    assert show(as_new, "a") == "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove"


@pytest.mark.parametrize("record", [DONE, attempt(1, "SUCCEEDED")], ids=["collected", "to be collected"])
def test_a_new_name_that_has_to_wait_uses_the_results_later(record: RecordedAttempt) -> None:
    inventory = kept(record) if record.results else kept()
    made = decide([job("z", suspend=True)], [row(job(), record)], [look(seen(record))], inventory=inventory)
    assert show(made, "z") == "wait Waiting"
    assert made.jobs[1].reason.endswith("; likely a rename of a to z: add `- {from: a, to: z}` to spec.moved")
    assert (made.guards, made.renames) == ((), (Rename("a", "z"),))


def test_what_is_let_go_of_runs_on_and_would_be_bought_twice() -> None:
    made = renamed(ACTIVE, on_remove=OnRemove.KEEP)
    assert show(made, "a") == "forget Active unfinished consent | ! LikelyRename"
    assert show(made, "z") == "create Waiting consent | ! LikelyRename"


def test_a_removal_that_has_begun_is_no_rename_any_more() -> None:
    leaving = row(job(), attempt(1, "CANCELLING"), removing_time=attempt().create_time)
    made = decide([job("z")], [leaving], [look(seen(attempt(1, "CANCELLING")))])
    assert show(made, "z") == "create Waiting consent | record job z@1 | create z@1.0"
    assert made.renames == ()


def test_other_work_is_no_rename() -> None:
    made = decide([job("z", work="2")], [row(job(), ACTIVE)], [look(seen(ACTIVE))])
    assert (made.guards, made.renames) == ((), ())


def test_a_job_that_stays_beside_its_twin_is_no_rename() -> None:
    made = decide([job(), job("z")], [row(job(), ACTIVE)], [look(seen(ACTIVE))])
    assert (made.guards, made.renames) == ((), ())


def test_a_job_that_was_never_sent_leaves_nothing_to_rename() -> None:
    unsent = attempt(1, None, remote=None)
    made = decide([job("z")], [row(job(), unsent)], [look()])
    assert (show(made, "z"), made.renames) == ("create Waiting consent | record job z@1 | create z@1.0", ())


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (row(job(), ACTIVE), "create Waiting consent | ! LikelyRename"),
        (row(job(), attempt(1, "SUCCEEDED")), "create Waiting consent | ! LikelyRename"),
        (row(job(), DONE), "create Waiting consent | record job z@1 | create z@1.0"),
        (row(job(), attempt(1, "FAILED")), "create Waiting consent | record job z@1 | create z@1.0"),
        (row(job(), attempt(1, None, remote=None)), "create Waiting consent | record job z@1 | create z@1.0"),
        (row(job(), ACTIVE, attempt(2, work="2")), "create Waiting consent | record job z@1 | create z@1.0"),
        (row(job(), ACTIVE, released_time=NOW), "create Waiting consent | record job z@1 | create z@1.0"),
        (row(job(), ACTIVE, removing_time=NOW), "create Waiting consent | record job z@1 | create z@1.0"),
    ],
)
def test_the_new_name_alone_is_doubted_too(record, expected: str) -> None:
    """`-f new.yaml`, while nobody has removed what runs under the old name."""
    looks = look(*(seen(one) for one in record.attempts if one.remote is not None))
    made = decide([job("z")], [record], [looks], Options(scope=Scope(paths=frozenset({"z.yaml"}))))
    assert show(made, "z") == expected
    assert [decided.job for decided in made.jobs] == ["z"]


def test_each_goes_into_one_pair() -> None:
    records = [row(job(name), attempt(name=name)) for name in "abc"]
    made = decide([job("y"), job("z")], records, [look(*(seen(attempt(name=name)) for name in "abc"))])
    assert made.renames == (Rename("a", "y"), Rename("b", "z"))
    assert show(made, "c") == "delete Active unfinished consent | record job c@1 removing | cancel c@1.0 remove"


def cell(name: str, *siblings: str, path: str = "t.yaml", work: str = "2") -> DesiredJob:
    """A job of a matrix."""
    expansion = Expansion("t", {"lang": name}, 1, siblings)
    return replace(job(name, path=path, work=work), expansion=expansion)


@pytest.mark.parametrize(
    ("wanted", "records", "said"),
    [
        ([cell("t-french", "t-*")], {"t-fr": "t.yaml"}, {"t-french": "t-fr"}),
        ([cell("t-french-a", "t-*-a", "t-french-*")], {"t-fr-a": "t.yaml"}, {"t-french-a": "t-fr-a"}),
        ([cell("t-french-a", "t-*-a"), cell("t-french-b", "t-*-b")], {"t-fr-a": "t.yaml", "t-fr-b": "t.yaml"}, {"t-french-a": "t-fr-a", "t-french-b": "t-fr-b"}),
        ([cell("t-x", "t-*"), cell("t-y", "t-*")], {"t-a": "t.yaml"}, {}),
        ([cell("t-x", "t-*")], {"t-a": "t.yaml", "t-b": "t.yaml"}, {}),
        ([cell("t-x", "t-*")], {"t-a": "other.yaml"}, {}),
        ([cell("a-x-a", "a-*-a")], {"u-a": "t.yaml", "a-a": "t.yaml"}, {}),
        ([job("t-x", path="t.yaml", work="2")], {"t-a": "t.yaml"}, {}),
        ([cell("t-x", "t-*", work="1")], {"t-a": "t.yaml"}, {}),
    ],
)  # fmt: skip
def test_a_renamed_axis_value_names_its_entry(
    wanted: list[DesiredJob], records: dict[str, str], said: dict[str, str]
) -> None:
    done = {name: collected(name=name, remote=f"batches/{name}") for name in records}
    rows = [row(job(name, path=path), done[name]) for name, path in records.items()]
    made = decide(wanted, rows, [look(*(seen(one) for one in done.values()))])
    found = {
        one.job: one.reason.partition("if it is ")[2].partition(" ")[0]
        for one in made.jobs
        if "renamed axis value" in one.reason
    }
    assert found == said
    assert all(one.guard is None for one in made.jobs if one.job in said)
