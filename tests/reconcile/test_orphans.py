"""Rows about remote jobs that no manifest and no record knows: orphans, destroy, unmanaged jobs."""

from __future__ import annotations

import pytest

from batchctl.model.observed import RemoteJob
from batchctl.model.reasons import Reason
from batchctl.reconcile import Options, Scope
from tests.support.decisions import (
    NOW,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    mark,
    row,
    seen,
    show,
)
from tests.support.values import replace

# --- no | - | our mark | `Orphan`: reported; removed only with `--prune-orphans`

PRUNE = Options(allow_empty=True, prune_orphans=True)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        pytest.param(
            [found()],
            "delete Active unfinished consent | record job a@1 | record a@1.0 adopted | record job a@1 removing | cancel a@1.0 remove"
            " | ~ Orphan",
            id="active: cancel",
        ),
        pytest.param(
            [found(2, "SUCCEEDED"), found(1, "FAILED")],
            "delete Succeeded consent | record job a@2 | record a@1.0 adopted | record a@2.0 adopted"
            " | collect a@1.0 | delete a@1.0 | collect a@2.0 | delete a@2.0 | forget a | ~ Orphan | ~ Orphan",
            id="ended: collect before delete",
        ),
        pytest.param(
            [found(1, "PAUSED")],
            "wait Unknown | record job a@1 | record a@1.0 adopted | ~ Orphan",
            id="PAUSED: wait",
        ),
    ],
)
def test_orphans(jobs: list[RemoteJob], expected: str) -> None:
    reported = decide([job("b")], [row(job("b"), collected(name="b", gone_time=NOW))], [look(*jobs)])
    assert show(reported) == " | ".join(["~ Orphan"] * len(jobs))

    pruned = decide([], [], [look(*jobs)], PRUNE)
    assert show(pruned) == expected
    assert pruned.jobs[0].reason.startswith("orphan: no longer in a manifest")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(Options(prune_orphans=True), id="nothing else is desired"),
        pytest.param(replace(PRUNE, consent=False), id="no consent"),
        pytest.param(replace(PRUNE, max_delete=0), id="too many"),
    ],
)
def test_a_refused_orphan_stays_out_of_the_record(options: Options) -> None:
    made = decide([], [], [look(found())], options)

    assert made.jobs[0].guard is not None
    assert made.jobs[0].steps == ()


@pytest.mark.parametrize(
    ("scope", "pruned"),
    [
        pytest.param(Scope(), True, id="whole stack"),
        pytest.param(Scope(paths=frozenset({"."})), True, id="the stack's folder"),
        pytest.param(Scope(paths=frozenset({"jobs"})), False, id="a path: nobody can tell where it lay"),
        pytest.param(Scope(names=frozenset({"a"})), True, id="named"),
        pytest.param(Scope(names=frozenset({"b"})), False, id="another is named"),
        pytest.param(Scope(names=frozenset({"a"}), paths=frozenset({"jobs"})), False, id="named, but a path narrows"),
    ],
)
def test_orphans_and_scope(scope: Scope, *, pruned: bool) -> None:
    made = decide([], [], [look(found())], replace(PRUNE, scope=scope))

    assert bool(made.jobs) is bool(made.drift) is pruned


def test_orphans_of_a_page_that_was_read_are_left_when_another_failed() -> None:
    made = decide([], [], [look(found(), complete=False)], PRUNE)

    assert show(made) == "wait Active | record job a@1 | record a@1.0 adopted | ~ Orphan"


# --- destroy


def test_destroy_removes_whatever_is_desired() -> None:
    wanted = [job("a"), job("b"), job("c")]
    records = [row(wanted[0], attempt()), row(wanted[1], collected(name="b"))]
    shown = look(found(), seen(collected(name="b")), found(name="c"), found(name="d"))

    made = decide(wanted, records, [shown], Options(destroy=True))

    assert show(made, "a") == "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove"
    assert show(made, "b") == "delete Succeeded consent | delete b@1.0 | forget b"
    unrecorded = "delete Active unfinished consent | record job {0}@1 | record {0}@1.0 adopted | record job {0}@1 removing | cancel {0}@1.0 remove | ~ Orphan"
    assert show(made, "c") == unrecorded.format("c")
    assert show(made, "d") == unrecorded.format("d")
    assert made.guards == ()
    reasons = {"destroy was requested", "destroy was requested; to be cancelled first"}
    assert {one.reason.removeprefix("orphan: ") for one in made.jobs} == reasons
    assert [one.code for one in made.jobs[:2]] == [Reason.DESTROY_ORDERED] * 2


def test_destroy_narrowed_to_a_path_leaves_the_rest() -> None:
    wanted = [job("a", path="jobs/a.yaml"), job("b", path="more/b.yaml")]
    shown = look(found(), found(name="b"), found(name="d"))

    made = decide(wanted, [], [shown], Options(destroy=True, scope=Scope(paths=frozenset({"jobs"}))))

    assert [decided.job for decided in made.jobs] == ["a"]


# --- - | - | no mark, or another uid's | unmanaged: never touched


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(found(1, mark=None, display_name="hand-made"), id="no mark"),
        pytest.param(found(1, mark=mark(uid="fedcba")), id="another uid's"),
        pytest.param(found(1, mark=mark(stack="other")), id="another stack's"),
    ],
)
def test_unmanaged_is_never_touched(foreign: RemoteJob) -> None:
    for options in (Options(), PRUNE, Options(destroy=True), Options(cancel=True)):
        made = decide([], [], [look(foreign)], options)

        assert made.jobs == made.drift == ()
        assert made.unmanaged == 1
