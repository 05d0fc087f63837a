"""Which jobs a plan is about: paths, label selectors, names; removed manifests found by what is recorded."""

from __future__ import annotations

import pytest

from batchctl.model.errors import UsageError
from batchctl.reconcile import Options, Scope, parse_selector
from batchctl.reconcile.selector import Requirement
from tests.support.decisions import attempt, collected, decide, found, job, look, row, show


def only(*names: str) -> frozenset[str]:
    return frozenset(names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("team=search", [Requirement("team", only("search"))]),
        ("team==search", [Requirement("team", only("search"))]),
        ("team = search", [Requirement("team", only("search"))]),
        ("team!=search", [Requirement("team", only("search"), negated=True)]),
        ("team != search", [Requirement("team", only("search"), negated=True)]),
        ("team=", [Requirement("team", only(""))]),
        ("team", [Requirement("team", None)]),
        ("!team", [Requirement("team", None, negated=True)]),
        ("! team", [Requirement("team", None, negated=True)]),
        ("team in (a,b)", [Requirement("team", only("a", "b"))]),
        ("team in ( a , b )", [Requirement("team", only("a", "b"))]),
        ("team in(a)", [Requirement("team", only("a"))]),
        ("team notin (a,b)", [Requirement("team", only("a", "b"), negated=True)]),
        ("in=a", [Requirement("in", only("a"))]),
        ("in in (in)", [Requirement("in", only("in"))]),
        ("example.com/team=a_b.c-d", [Requirement("example.com/team", only("a_b.c-d"))]),
        (" a=1 , b ", [Requirement("a", only("1")), Requirement("b", None)]),
        (
            "a in (1,2),b notin (3,4),!c",
            [
                Requirement("a", only("1", "2")),
                Requirement("b", only("3", "4"), negated=True),
                Requirement("c", None, negated=True),
            ],
        ),
    ],
)
def test_selector(text: str, expected: list[Requirement]) -> None:
    assert parse_selector(text) == tuple(expected)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("", ""),
        (",", ""),
        ("a=1,", ""),
        ("=a", "=a"),
        ("a===b", "a===b"),
        ("a>1", "a>1"),
        ("a b", "a b"),
        ("a=b c", "a=b c"),
        ("a in b", "a in b"),
        ("a in (b", "a in (b"),
        ("a not in (b)", "a not in (b)"),
        ("a in (b) c", "a in (b) c"),
        ("!a=b", "!a=b"),
        ("!!a", "!!a"),
        ("ok=1,-a", "-a"),
        ("ok\nko", "ok\nko"),
    ],
)
def test_invalid_selector(text: str, term: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_selector(text)

    assert raised.value.message == f"cannot read the selector term {term!r}"
    assert raised.value.code == "InvalidSelector"
    assert raised.value.exit_code == 64
    assert "team in (a,b)" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("team=search", {"team": "search"}, True),
        ("team=search", {"team": "ads"}, False),
        ("team=search", {}, False),
        ("team!=search", {"team": "ads"}, True),
        ("team!=search", {}, True),
        ("team!=search", {"team": "search"}, False),
        ("team in (a,b)", {"team": "b"}, True),
        ("team in (a,b)", {"team": "c"}, False),
        ("team notin (a,b)", {"team": "c"}, True),
        ("team notin (a,b)", {}, True),
        ("team notin (a,b)", {"team": "a"}, False),
        ("team", {"team": ""}, True),
        ("team", {}, False),
        ("!team", {}, True),
        ("!team", {"team": "x"}, False),
        ("team=", {"team": ""}, True),
        ("a=1,b=2", {"a": "1", "b": "2"}, True),
        ("a=1,b=2", {"a": "1"}, False),
    ],
)
def test_selector_matches(text: str, labels: dict[str, str], *, matches: bool) -> None:
    assert Scope(selector=parse_selector(text)).contains("a", "a.yaml", labels) is matches


@pytest.mark.parametrize(
    ("scope", "whole", "inside"),
    [
        pytest.param(Scope(), True, True, id="nothing narrowed"),
        pytest.param(Scope(paths=only(".")), True, True, id="the stack's folder"),
        pytest.param(Scope(paths=only(".", "other")), True, True, id="the stack's folder and more"),
        pytest.param(Scope(paths=only("jobs")), False, True, id="its folder"),
        pytest.param(Scope(paths=only("jobs/deep")), False, True, id="its inner folder"),
        pytest.param(Scope(paths=only("jobs/deep/a.yaml")), False, True, id="its file"),
        pytest.param(Scope(paths=only("other", "jobs")), False, True, id="one of several"),
        pytest.param(Scope(paths=only("job")), False, False, id="a folder that is only the beginning of the name"),
        pytest.param(Scope(paths=only("jobs/deep/a")), False, False, id="the file's stem"),
        pytest.param(Scope(paths=only("deep")), False, False, id="the end of the path"),
        pytest.param(Scope(paths=only("jobs/deep/b.yaml")), False, False, id="another file"),
        pytest.param(Scope(paths=only("-")), False, False, id="standard input"),
        pytest.param(Scope(names=only("a")), False, True, id="its name"),
        pytest.param(Scope(names=only("b")), False, False, id="another name"),
        pytest.param(Scope(selector=parse_selector("team=x")), False, True, id="its label"),
        pytest.param(Scope(selector=parse_selector("team=y")), False, False, id="another label"),
        pytest.param(Scope(only("jobs"), parse_selector("team=x"), only("a")), False, True, id="all three"),
        pytest.param(Scope(only("."), parse_selector("team=y")), False, False, id="whole folder, another label"),
        pytest.param(Scope(only("other"), names=only("a")), False, False, id="its name, another path"),
    ],
)
def test_scope(scope: Scope, *, whole: bool, inside: bool) -> None:
    assert scope.is_whole is whole
    assert scope.contains("a", "jobs/deep/a.yaml", {"team": "x"}) is inside


def test_a_job_from_standard_input_lies_inside_it() -> None:
    assert Scope(paths=only("-")).contains("a", "-", {})


IN = Options(scope=Scope(paths=only("jobs")), allow_empty=True)


def test_a_manifest_removed_from_the_path_is_still_found_and_removed() -> None:
    records = [
        row(job("a", path="jobs/a.yaml"), attempt(name="a")),
        row(job("b", path="more/b.yaml"), attempt(name="b")),
    ]

    made = decide([], records, [look(found(name="a"), found(name="b"))], IN)

    assert [decided.job for decided in made.jobs] == ["a"]
    assert show(made) == "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove"


def test_a_removed_manifest_is_found_by_its_recorded_labels() -> None:
    records = [
        row(job(name, labels={"team": team}), attempt(name=name)) for name, team in (("a", "x"), ("b", "y"), ("c", "x"))
    ]
    options = Options(scope=Scope(selector=parse_selector("team=x")))

    made = decide([job("c", labels={"team": "x"})], records, [look(*(found(name=name) for name in "abc"))], options)

    assert [(decided.job, decided.action) for decided in made.jobs] == [("a", "delete"), ("c", "wait")]


def test_a_desired_job_lies_where_its_manifest_is_now() -> None:
    record = row(job(path="more/a.yaml"), collected(gone_time=None))

    moved_in = decide([job(path="jobs/a.yaml")], [record], [look(found(1, "SUCCEEDED"))], IN)
    moved_out = decide([job(path="else/a.yaml")], [record], [look(found(1, "SUCCEEDED"))], IN)

    assert show(moved_in) == "none Succeeded | record job a@1"
    assert moved_out.jobs == ()


def test_drift_of_jobs_outside_is_not_told() -> None:
    record = row(job(path="more/a.yaml"), attempt(1, "RUNNING"))

    assert decide([job(path="more/a.yaml")], [record], [look(gone=["batches/a-1"])], IN).drift == ()


def test_jobs_come_sorted_by_name() -> None:
    made = decide([job("c"), job("a"), job("b")], [], [look()])

    assert [decided.job for decided in made.jobs] == ["a", "b", "c"]
