from __future__ import annotations

import re
from dataclasses import replace

from markdown_it import MarkdownIt

from batchctl.model.actions import Action
from batchctl.model.decision import Change
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import Plan
from batchctl.model.states import Phase
from batchctl.report.markdown import COMMENT_LIMIT, apply_markdown, drift_markdown, plan_markdown, status_markdown
from batchctl.report.reports import ApplyReport, StatusReport
from tests.support.report_samples import MAX_REPLACE, VERTEX, job_plan
from tests.support.sample_plan import APPLY, PLAN, STATUS

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
    assert tables(plan_markdown(PLAN)) == [7] * 14 + [3] * 3 + [3] * 3 + [3] * 2 + [2] * 2 + [5] * 7
    assert tables(apply_markdown(APPLY))[:12] == [5] * 12
    assert tables(drift_markdown(PLAN)) == [3] * 3 + [2] * 2
    assert tables(status_markdown(STATUS)) == [8] * 16 + [2] * 2


def test_only_our_own_html_gets_through():
    tokens = [token for page in (plan_markdown(PLAN), apply_markdown(APPLY)) for token in PARSER.parse(page)]
    html = {token.content.strip() for token in tokens if token.type == "html_block"}
    inline = [child.type for token in tokens for child in token.children or []]
    assert html == {"<details><summary>What changed</summary>", "</details>"}
    assert set(inline) <= {"text", "text_special", "strong_open", "strong_close", "code_inline"}
    code = [one.content for token in tokens for one in token.children or [] if one.type == "code_inline"]
    assert all(re.fullmatch("p1:[0-9a-f]{64}", one) for one in code)


def test_a_refusal_without_an_error_is_told_too():
    job = job_plan("a", Action.REPLACE, Phase.ACTIVE, "changed", guard=MAX_REPLACE)
    page = apply_markdown(ApplyReport(Plan("s", (job,)), {"a": Outcome("a", Result.SKIPPED)}))
    assert "| skipped | replace | a | changed &#91;refused: TooManyReplaces&#93; |  |" in page


def test_quiet_pages():
    assert drift_markdown(Plan("s", ())) == "### batchctl drift: s\n\n**No drift.**\n"
    assert "**No drift in what could be read.**" in drift_markdown(Plan("s", (), problems={VERTEX: "503"}))
    assert status_markdown(StatusReport("s", ())) == "### batchctl status: s\n\n**There are no jobs.**\n"


def jobs(number, reason="r", changes=()):
    return tuple(
        job_plan(f"job-{index:05}", Action.CREATE, Phase.WAITING, reason, changes=changes) for index in range(number)
    )


def test_a_long_page_loses_its_details_first():
    page = plan_markdown(Plan("s", jobs(400, changes=(Change("model", "a" * 100, "b" * 100),))))
    assert "job-00399" in page
    assert "<details>" not in page
    assert page.endswith("\nToo long for a comment; the rest is in the JSON output.\n")


def test_a_page_that_is_still_too_long_ends_after_a_whole_row():
    page = plan_markdown(Plan("s", jobs(5000)))
    assert len(page) < COMMENT_LIMIT + 100
    assert set(tables(page)) == {7}


def test_a_page_within_the_limit_keeps_all():
    plan = Plan("s", jobs(3, changes=(Change("model", 1, 2),)))
    assert plan_markdown(plan).count("| model | 1 | 2 |") == 3
    assert plan_markdown(replace(plan, unmanaged=1)).count("1 unmanaged remote job not touched.") == 1
