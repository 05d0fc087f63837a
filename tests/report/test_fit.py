from __future__ import annotations

import pytest

from batchctl.model.observed import RowCounts
from batchctl.model.states import Phase
from batchctl.report.fit import Column, fit, fit_widths
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.report.status_text import write_status
from batchctl.report.text import Text
from tests.support.report_samples import NOW, Terminal, ago, written

WIDTHS = {"JOB": 12, "PHASE": 8, "STATE": 7, "MODEL": 16, "AGE": 5, "REASON": 40}
"""Together 98 columns wide, gaps included."""


@pytest.mark.parametrize(
    ("width", "changed"),
    [
        (200, {}),
        (98, {}),
        (97, {"REASON": 39}),
        (74, {"REASON": 16}),
        (73, {"REASON": None}),
        (56, {"REASON": None}),
        (55, {"REASON": None, "MODEL": 15}),
        (50, {"REASON": None, "MODEL": 10}),
        (49, {"REASON": None, "MODEL": None}),
        (38, {"REASON": None, "MODEL": None}),
        (37, {"REASON": None, "MODEL": None, "AGE": None}),
        (31, {"REASON": None, "MODEL": None, "AGE": None}),
        (30, {"REASON": None, "MODEL": None, "AGE": None, "STATE": None}),
        (5, {"REASON": None, "MODEL": None, "AGE": None, "STATE": None}),
    ],
)
def test_the_reason_gives_way_first_then_the_model_then_the_age(width, changed):
    expected = {name: known for name, known in (WIDTHS | changed).items() if known is not None}
    assert fit_widths(WIDTHS, width) == expected


def test_what_is_cut_says_so():
    lines = fit([Column("JOB", (Text("a" * 20),)), Column("REASON", (Text("r" * 40),))], 40)
    assert [line.plain for line in lines] == [f"JOB{' ' * 19}REASON", f"{'a' * 20}  {'r' * 17}…"]


ROW = StatusRow(
    "summarize-the-quarterly-reports",
    Phase.FAILED,
    "JOB_STATE_FAILED",
    2,
    "batches/abc",
    "gemini-2.5-flash-preview",
    "gemini",
    RowCounts(100, 98, 2),
    ago(minutes=3),
    reason="the model is overloaded, and has been for a while",
)


def status(columns, row=ROW, *, verbose=False):
    env = {"TERM": "xterm", "COLUMNS": str(columns), "LINES": "40"}
    text = written(write_status, StatusReport("s", (row,)), NOW, stream=Terminal(), env=env, verbose=verbose)
    return text[: text.index("\n\n")].splitlines()


@pytest.mark.parametrize("columns", [120, 100, 80, 70])
@pytest.mark.parametrize("verbose", [False, True])
def test_a_status_on_a_narrow_terminal_loses_no_name_and_no_reason(columns, verbose):
    lines = status(columns, verbose=verbose)
    assert max(map(len, lines)) <= columns
    assert ROW.job in lines[1]
    assert lines[2].strip() == ROW.reason


def test_a_status_without_a_reason_has_no_empty_line():
    assert len(status(60, StatusRow("a" * 30, Phase.ACTIVE, model="m" * 40))) == 2


def test_a_wide_terminal_has_the_reason_beside_its_job():
    assert status(200)[1].endswith(ROW.reason)
