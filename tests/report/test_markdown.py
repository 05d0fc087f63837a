from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from batchctl.model.actions import Action
from batchctl.model.decision import Change
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import Drift, DriftKind, Plan
from batchctl.model.states import Phase
from batchctl.report.markdown import apply_markdown, drift_markdown, plan_markdown, status_markdown
from batchctl.report.markdown_page import COMMENT_LIMIT
from batchctl.report.reports import ApplyReport, StatusReport
from tests.support.report_samples import MAX_REPLACE, VERTEX, job_plan
from tests.support.sample_plan import APPLY, PLAN, QUIET_PLAN, STATUS
from tests.support.values import replace

PARSER = MarkdownIt("commonmark").enable("table")


def tables(page):
    """How many cells each table row of a page has, by the renderer's own count."""
    rows, cells = [], 0
    for token in PARSER.parse(page):
        if token.type in {"th_open", "td_open"}:
            cells += 1
        elif token.type == "tr_close":
            rows.append(cells)
            cells = 0
    return rows


def test_all_rows_are_rows_of_tables():
    assert tables(plan_markdown(PLAN)) == [7] * 4 + [3] * 9 + [2] * 2 + [3] * 11 + [5] * 7
    assert tables(apply_markdown(APPLY))[:12] == [5] * 12
    assert tables(drift_markdown(PLAN)) == [3] * 3 + [2] * 2
    assert tables(status_markdown(STATUS)) == [9] * 16 + [2] * 2


def test_only_our_own_html_gets_through():
    tokens = [token for page in (plan_markdown(PLAN), apply_markdown(APPLY)) for token in PARSER.parse(page)]
    html = {token.content.strip() for token in tokens if token.type == "html_block"}
    inline = [child.type for token in tokens for child in token.children or []]
    assert html == {
        "<details><summary>What changed</summary>",
        "<details><summary>7 other jobs</summary>",
        "</details>",
        "<!-- batchctl plan shop abc123 -->",
        "<!-- batchctl apply shop abc123 -->",
    }
    assert set(inline) <= {"text", "text_special", "strong_open", "strong_close", "code_inline"}
    code = [one.content for token in tokens for one in token.children or [] if one.type == "code_inline"]
    assert all(re.fullmatch("p1:[0-9a-f]{64}", one) for one in code)


def test_a_refusal_without_an_error_is_told_too():
    job = job_plan("a", Action.REPLACE, Phase.ACTIVE, "changed", guard=MAX_REPLACE)
    page = apply_markdown(ApplyReport(Plan("s", (job,)), {"a": Outcome("a", Result.SKIPPED)}))
    assert "| skipped | replace | a | changed &#91;refused: TooManyReplaces&#93; |  |" in page


def test_quiet_pages():
    assert drift_markdown(Plan("s", (), uid="abc123")) == (
        "<!-- batchctl drift s abc123 -->\n\n### batchctl drift: s\n\n**No drift.**\n"
    )
    assert "**No drift in what could be read.**" in drift_markdown(Plan("s", (), problems={VERTEX: "503"}))
    assert status_markdown(StatusReport("s", ())) == "### batchctl status: s\n\n**There are no jobs.**\n"


def test_a_plan_that_changes_nothing_is_silent():
    assert plan_markdown(QUIET_PLAN) == ""
    assert plan_markdown(Plan("s", ())) == ""
    waiting = job_plan("a", Action.WAIT, Phase.ACTIVE, "running")
    ended = job_plan("b", Action.COLLECT, Phase.SUCCEEDED, "results not collected yet")
    assert plan_markdown(Plan("s", (waiting, ended))) == ""
    assert plan_markdown(Plan("s", (), drift=(Drift("a", DriftKind.MISSING, "gone"),))) != ""
    assert plan_markdown(Plan("s", (), problems={VERTEX: "503"})) != ""
    assert "| results | 503 |" in plan_markdown(Plan("s", (), results_problem="503"))


def test_each_stack_and_command_has_a_marker_of_its_own():
    assert plan_markdown(PLAN).startswith("<!-- batchctl plan shop abc123 -->\n")
    assert apply_markdown(APPLY).startswith("<!-- batchctl apply shop abc123 -->\n")
    assert plan_markdown(replace(PLAN, uid="x --> <b>")).startswith("<!-- batchctl plan shop ")
    assert "<b>" not in plan_markdown(replace(PLAN, uid="x --> <b>"))


def test_what_costs_money_comes_first_then_what_removes_and_the_rest_is_folded():
    page = plan_markdown(PLAN)
    titles = re.findall("^(?:#### |<details><summary>)([^<\n]*)", page, re.MULTILINE)
    assert titles == [
        "Buys",
        "What it buys, by model",
        "Stops or removes",
        "Refused by a guard",
        "Could not be read in full; jobs there are not touched",
        "Drift",
        "7 other jobs",
        "What changed",
    ]
    assert (
        page.index("| create | classify |") < page.index("| delete | delete-it |") < page.index("| update | relax-it")
    )


def jobs(number, reason="r", changes=(), start=0, **fields):
    return tuple(
        job_plan(f"job-{index:05}", Action.CREATE, Phase.WAITING, reason, changes=changes, **{"buys": True, **fields})
        for index in range(start, start + number)
    )


CHANGES = tuple(Change(f"path{number}", "ü" * 50, "b" * 100) for number in range(3))


@pytest.mark.parametrize("number", [1, 100, 150, 260, 400, 2000])
def test_a_long_page_leaves_out_whole_jobs_and_details_first(number):
    page = plan_markdown(Plan("s", jobs(number, "größer" * 3, CHANGES)))
    assert len(page.encode()) <= COMMENT_LIMIT
    assert set(tables(page)) <= {7, 5, 3}
    listed, detailed = re.findall(r"\| create \| (job-\d+) ", page), re.findall(r"^\| (job-\d+) ", page, re.MULTILINE)
    assert detailed == [name for name in dict.fromkeys(detailed) for _ in CHANGES]
    assert len(listed) == number or not detailed
    assert page.count("<details>") == page.count("</details>")
    left_out = re.findall(r"^And (\d+) more, left out", page, re.MULTILINE)
    assert sum(map(int, left_out)) + len(listed) + len(set(detailed)) in {number, 2 * number}


def test_removals_are_left_out_after_the_other_jobs():
    removals = tuple(job_plan(f"gone-{n}", Action.DELETE, Phase.SUCCEEDED, "r" * 60) for n in range(500))
    quiet = tuple(job_plan(f"wait-{n}", Action.WAIT, Phase.ACTIVE, "r" * 60) for n in range(500))
    page = plan_markdown(Plan("s", (*jobs(200), *removals, *quiet)))
    assert len(page.encode()) <= COMMENT_LIMIT
    assert "gone-499" in page
    assert "wait-0" in page
    assert "wait-499" not in page


def test_the_findings_of_a_plan_are_cut_too():
    drift = tuple(Drift(f"job-{n}", DriftKind.MISSING, "ß" * 40) for n in range(3000))
    for page in (plan_markdown(Plan("s", jobs(3), drift=drift)), drift_markdown(Plan("s", (), drift=drift))):
        assert len(page.encode()) <= COMMENT_LIMIT
        assert re.search(r"^And \d+ more, left out", page, re.MULTILINE)


def test_a_page_within_the_limit_keeps_all():
    plan = Plan("s", jobs(3, changes=(Change("model", 1, 2),)))
    assert plan_markdown(plan).count("| model | 1 | 2 |") == 3
    assert plan_markdown(replace(plan, unmanaged=1)).count("1 unmanaged remote job not touched.") == 1
    assert "left out" not in plan_markdown(PLAN)
