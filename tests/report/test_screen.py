"""The live screen on an emulated terminal: what it shows of plans, events and slow work, and how it leaves the terminal."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Self

import pytest

from batchctl.model.actions import Action
from batchctl.model.cost.job_cost import Actual, CostEstimate, InputBasis, JobCost, MoneyRange, TokenEstimate
from batchctl.model.cost.tokens import Usage
from batchctl.model.decision import Guard, Timer
from batchctl.model.events import Event
from batchctl.model.forecast import ExpectedEnd, JobForecast, StackForecast, Stuck
from batchctl.model.observed import RowCounts
from batchctl.model.plan import Plan
from batchctl.model.states import Phase
from batchctl.model.work_size import WorkSize
from batchctl.report.activity import Busy
from batchctl.report.console import Console, make_console
from batchctl.report.progress import STOPPING
from batchctl.report.reports import StatusReport, StatusRow
from batchctl.report.screen.live import LEAST_PAUSE, TICK, Screen
from batchctl.report.screen.painter import RESTORE
from tests.report.test_progress import ACTIVE, NEW, PLAN, StandingClock
from tests.support.report_samples import HOSTILE, NOW, TROUBLE, ago, job_plan, running
from tests.support.terminal_emulator import TerminalEmulator
from tests.support.values import replace

DOWN = Guard("Protected", "it is protected", "--allow-protected")


class Seconds:
    """Seconds that a test moves; each look takes `step` of them."""

    def __init__(self, step: float = 1.0) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Stage:
    """A screen and its terminal. Every event is painted, unless `step` is shorter than the least pause."""

    def __init__(self, columns: int = 100, lines: int = 24, *, color: str = "never", step: float = 1.0) -> None:
        self.terminal = TerminalEmulator(columns, lines)
        self.clock, self.seconds = StandingClock(), Seconds(step)
        console = make_console(self.terminal, color, self.terminal.env)
        self.screen = Screen(console, self.clock, elapsed=self.seconds)

    def __enter__(self) -> Self:
        self.screen.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.screen.__exit__(None, None, None)

    def line(self, word: str) -> list[str]:
        """The words of the one line with `word`."""
        (found,) = [line for line in self.terminal.text().splitlines() if re.search(rf"\b{word}\b", line)]
        return found.split()


def active(name, **more):
    return job_plan(name, Action.WAIT, Phase.ACTIVE, "running", attempt=running(name), **more)


def failed(name, phase=Phase.FAILED, reason="it broke"):
    return job_plan(name, Action.NONE, phase, reason)


def names(stage):
    """The jobs of the table, from top to bottom."""
    return re.findall(r"^[! ] ([a-z][\w-]*) +[A-Z]", stage.terminal.text(), re.MULTILINE)


def test_a_plan_its_steps_and_the_next_check():
    with Stage() as stage:
        stage.screen.planned(PLAN)
        stage.screen.step("classify", f"created {HOSTILE}")
        stage.screen.waiting([ACTIVE], 30)
        text = stage.terminal.text()
        assert text.startswith("10:31:07Z Plan: 1 to create, 1 waiting.\n10:31:07Z classify: created quota\\x1b[2J\\n")
        assert "examples: 3 jobs, 1 Waiting, 1 Active, 1 Succeeded\n" in text
        assert stage.line("translate-fr")[:8] == [
            "translate-fr",
            "Active",
            "RUNNING",
            "1",
            "████░░░░░░",
            "4/10",
            "5m",
            "-",
        ]
        assert text.endswith("\nnext check in 30s; Ctrl-C ends, the jobs continue\n")
        stage.clock.sleep(12)
        stage.screen.busy(())
        assert "next check in 18s;" in stage.terminal.text()
        assert stage.line("translate-fr")[6] == "5m12s", "ages go on between two looks"


def test_the_news_of_a_job_stay_until_the_next_plan():
    with Stage() as stage:
        stage.screen.planned(PLAN)
        stage.screen.step("translate-fr", "JOB_STATE_RUNNING (attempt 1)")
        assert stage.terminal.text().count("JOB_STATE_RUNNING") == 2
        stage.screen.planned(PLAN)
        assert stage.terminal.text().count("JOB_STATE_RUNNING") == 1
        assert stage.terminal.text().count("Plan:") == 1, "an unchanged summary is not repeated"


def test_after_a_pass_that_did_something_the_jobs_are_as_it_left_them():
    after = replace(PLAN, jobs=(active("classify"), *PLAN.jobs[1:]))
    with Stage() as stage:
        stage.screen.planned(PLAN)
        stage.screen.passed(lambda: pytest.fail("nothing was done: no second plan is needed"))
        stage.screen.step("classify", "created batches/abc")
        stage.screen.passed(lambda: after)
        assert stage.line("Active, 1 Succeeded")[:6] == ["examples:", "3", "jobs,", "2", "Active,", "1"]
        assert "created batches/abc" in stage.terminal.text().split("JOB")[1]


def test_what_needs_a_person_comes_first_with_its_whole_reason_and_a_sign():
    long = "the service is overloaded, and has been for a while; " * 3 + "run `batchctl retry z1`"
    jobs = (
        active("a1"),
        job_plan("b1"),
        failed("c1", Phase.UNKNOWN, "403"),
        replace(active("d1"), guard=DOWN),
        job_plan("e1", Action.WAIT, Phase.ACTIVE, "pending", attempt=running("e1", trouble=TROUBLE)),
        *(failed(f"z{place}", phase, long) for place, phase in enumerate((Phase.EXPIRED, Phase.BLOCKED))),
    )
    with Stage(lines=40) as stage:
        stage.screen.planned(Plan("s", jobs))
        assert names(stage) == ["z0", "z1", "c1", "d1", "e1", "a1", "b1"]
        marked = re.findall(r"^! (\S+)", stage.terminal.text(), re.MULTILINE)
        assert marked == ["z0", "z1", "c1", "d1", "e1"]
        assert stage.terminal.text().count("run `batchctl retry z1`") == 2
        assert "refused: it is protected (--allow-protected)" in stage.terminal.text()


@pytest.mark.parametrize("lines", [6, 8, 12, 24, 50])
def test_jobs_without_a_place_are_counted_by_phase(lines):
    jobs = tuple([failed("z1", Phase.REJECTED)] + [active(f"job-{place:02}") for place in range(60)])
    with Stage(80, lines) as stage:
        stage.screen.planned(Plan("s", jobs))
        text = stage.terminal.text()
        assert len(text.splitlines()) - 1 <= max(1, lines - max(3, lines // 4)), "the first line is that of the plan"
        shown = len(names(stage))
        if shown:
            assert f"and {61 - shown} more jobs: {61 - shown} Active\n" in text
            assert names(stage)[0] == "z1"
        assert "s: 61 jobs, 1 Rejected, 60 Active\n" in text
        assert text.splitlines()[-1].startswith("Ctrl-C ends")


def test_all_jobs_that_fit_have_no_line_for_others():
    with Stage(80, 16) as stage:
        stage.screen.planned(Plan("s", tuple(active(f"j{place}") for place in range(8))))
        assert len(names(stage)) == 8
        assert "more job" not in stage.terminal.text()
        stage.screen.planned(Plan("s", tuple(active(f"j{place}") for place in range(9))))
        assert len(names(stage)) == 7
        assert "and 2 more jobs: 2 Active" in stage.terminal.text()


@pytest.mark.parametrize(
    ("columns", "titles"),
    [
        (140, ["JOB", "PHASE", "STATE", "ATTEMPT", "DONE", "ROWS", "AGE", "MODEL", "REASON"]),
        (89, ["JOB", "PHASE", "STATE", "ATTEMPT", "DONE", "ROWS", "AGE", "REASON"]),
        (71, ["JOB", "PHASE", "ATTEMPT", "DONE", "ROWS", "AGE", "REASON"]),
        (62, ["JOB", "PHASE", "DONE", "ROWS", "AGE", "REASON"]),
        (50, ["JOB", "PHASE", "DONE", "ROWS", "AGE"]),
        (40, ["JOB", "PHASE", "ROWS", "AGE"]),
        (30, ["JOB", "PHASE", "ROWS"]),
        (24, ["JOB", "PHASE"]),
        (21, ["JOB"]),
    ],
)
def test_a_narrow_terminal_loses_columns_by_importance_and_wraps_nothing(columns, titles):
    jobs = tuple(active(f"translate-{one}", size=WorkSize("gemini-2.5-flash")) for one in ("fr", "de"))
    with Stage(columns) as stage:
        stage.screen.waiting((), 5)
        stage.screen.planned(Plan("shop", jobs))
        lines = stage.terminal.text().splitlines()
        header = next(line for line in lines if "JOB" in line)
        assert header.split() == titles
        table = lines[lines.index(header) :]
        assert [line.split()[0] for line in table[1:3]] == ["translate-de", "translate-fr"]
        assert len(table) == 4, "nothing wraps"


@pytest.mark.parametrize("columns", [100, 60, 42])
def test_a_name_is_never_cut(columns):
    name = "summarize-the-quarterly-reports-of-berlin"[:40]
    with Stage(columns) as stage:
        stage.screen.planned(Plan("s", (active(name), active("b"))))
        assert name in stage.terminal.text()


@pytest.mark.parametrize(
    ("changes", "shown", "style"),
    [
        ({}, "1h", ""),
        ({"deadline": NOW + timedelta(hours=1)}, "1h/2h", ""),
        ({"deadline": NOW + timedelta(minutes=15)}, "1h/1h15m", "y"),
        ({"deadline": NOW + timedelta(minutes=2)}, "1h/1h2m", "r,bold"),
        ({"deadline": NOW}, "1h/1h", "r,bold"),
        ({"deadline": NOW + timedelta(hours=1), "start_time": ago(minutes=30)}, "30m/1h30m", ""),
        (
            {"deadline": NOW + timedelta(hours=1), "start_time": ago(minutes=30), "state": "JOB_STATE_PENDING"},
            "1h/2h",
            "",
        ),
        ({"phase": Phase.SUCCEEDED, "end_time": ago(minutes=20)}, "40m", ""),
        ({"now": NOW + timedelta(minutes=5)}, "1h5m", ""),
        ({"create_time": None}, "-", ""),
        ({"create_time": NOW + timedelta(hours=1)}, "0s", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_age_against_its_deadline(changes, shown, style):
    row = StatusRow("one", Phase.ACTIVE, "JOB_STATE_RUNNING", 1, create_time=ago(hours=1), rows=RowCounts(9))
    with Stage(color="always") as stage:
        stage.screen.show(StatusReport("s", (replace(row, **changes),)), in_order=False)
        assert stage.line("one")[6] == shown
        found = re.search(rf"{shown} \(([^)]*)\)", stage.terminal.styles())
        assert (found[1] if found else "") == style


@pytest.mark.parametrize(
    ("rows", "shown", "cells"),
    [
        (RowCounts(), "-", ""),
        (RowCounts(10), "?/10", "░░░░░░░░░░"),
        (RowCounts(10, 10, 0), "10/10", "██████████"),
        (RowCounts(10, 0, 10), "0/10, 10 failed", "▒▒▒▒▒▒▒▒▒▒"),
        (RowCounts(1000, 1, 1), "1/1000, 1 failed", "▒░░░░░░░░░"),
        (RowCounts(1000, 998, 1), "998/1000, 1 failed", "████████▒░"),
        (RowCounts(4, 1, 1, {"OK": 1, "SAFETY": 1, "NO_RESULT": 2}), "1/4, 3 failed", "██▒▒▒▒▒▒▒▒"),
        (RowCounts(4, 1, 0, {"OK": 1, "NOT_SENT": 3}), "1/4, 3 not sent yet", "██░░░░░░░░"),
    ],
    ids=str,
)
def test_rows_with_a_bar(rows, shown, cells):
    row = StatusRow("one", Phase.ACTIVE, rows=rows, create_time=ago(hours=1))
    with Stage() as stage:
        stage.screen.show(StatusReport("s", (row,)), in_order=False)
        assert " ".join(stage.line("one")).startswith(f"one Active - - {cells} {shown} 1h".replace("  ", " "))


def test_a_terminal_without_unicode_has_bars_of_ascii(monkeypatch):
    monkeypatch.setattr(TerminalEmulator, "encoding", "ascii")
    with Stage() as stage:
        row = StatusRow("one", Phase.ACTIVE, rows=RowCounts(10, 5, 2))
        stage.screen.show(StatusReport("s", (row,)), in_order=False)
        assert stage.line("one")[4] == "#####xx---"


@pytest.mark.parametrize(("number", "is_crowd"), [(200, False), (201, True)])
def test_a_crowd_is_counted_by_model_and_only_jobs_that_matter_are_listed(number, is_crowd):
    jobs = [
        active(f"job-{place:03}", size=WorkSize(f"gemini-2.5-{'pro' if place % 3 else 'flash'}"))
        for place in range(number - 1)
    ]
    near = replace(jobs[77], decision=replace(jobs[77].decision, next_time=ago(minutes=-1), timer=Timer.DEADLINE))
    jobs = [failed("z1"), *jobs[:77], near, *jobs[78:]]
    with Stage(100, 60) as stage:
        stage.screen.planned(Plan("s", tuple(jobs)))
        text = stage.terminal.text()
        assert ("MODEL             JOBS" in text) is is_crowd
        if is_crowd:
            assert re.search(r"gemini-2.5-pro +133 +████░+ +532/1,330 +133 Active", text)
            assert names(stage) == ["z1", "job-077", "job-000", "job-001", "job-002", "job-003"]
            assert "and 195 more jobs: 195 Active" in text


def test_a_chosen_order_is_kept():
    rows = (StatusRow("b", Phase.SUCCEEDED), StatusRow("a", Phase.FAILED, reason="x"))
    with Stage() as stage:
        stage.screen.show(StatusReport("s", rows), in_order=True)
        assert names(stage) == ["b", "a"]
        stage.screen.show(StatusReport("s", rows), in_order=False)
        assert names(stage) == ["a", "b"]


def in_minutes(p50, p90=None):
    return ExpectedEnd(NOW + timedelta(minutes=p50), None if p90 is None else NOW + timedelta(minutes=p90))


@pytest.mark.parametrize(
    ("forecast", "shown"),
    [
        (None, None),
        (JobForecast(unknown="no attempt has ended yet"), None),
        (JobForecast(end=in_minutes(125)), "2h5m"),
        (JobForecast(end=in_minutes(9.4, 190)), "9m to 3h10m"),
        (JobForecast(end=in_minutes(0.2, 2)), "<1m to 2m"),
        (JobForecast(end=in_minutes(9.9, 10.2)), "10m"),
        (JobForecast(end=in_minutes(-5, 30)), "up to 30m"),
        (JobForecast(end=in_minutes(-5, -1)), "late"),
        (JobForecast(end=in_minutes(-5)), "late"),
        (JobForecast(stuck=Stuck("RUNNING", 7200, 1800)), "stuck"),
    ],
)
def test_when_a_job_ends(forecast, shown):
    row = StatusRow("one", Phase.ACTIVE, rows=RowCounts(9), create_time=ago(hours=1), reason="running")
    with Stage(140) as stage:
        stage.screen.show(StatusReport("s", (replace(row, forecast=forecast),)), in_order=False)
        text = stage.terminal.text()
        assert ("ENDS IN" in text) is (shown is not None)
        assert shown is None or f"1h   {shown} " in text
        assert ("! one" in text) is (shown == "stuck")
        assert ("running; stuck: running for 2h; nine of ten were for at most 30m" in text) is (shown == "stuck")


def test_when_all_end():
    rows = (StatusRow("one", Phase.ACTIVE),)
    with Stage() as stage:
        stage.screen.show(StatusReport("s", rows, forecast=StackForecast(in_minutes(10, 20))), in_order=False)
        assert "\nends in 10m to 20m\n" in stage.terminal.text()
        stage.screen.show(StatusReport("s", rows, forecast=StackForecast(unknown=("one",))), in_order=False)
        assert "ends in" not in stage.terminal.text()


def priced(low=None, high=None, actual=None):
    money = (
        None if low is None and high is None else MoneyRange(Decimal(0), *(one and Decimal(one) for one in (low, high)))
    )
    estimate = CostEstimate(TokenEstimate(5, InputBasis.BYTES), NOW.date(), money=money)
    spent = None if actual is None else Actual(Usage(), 1, money=Decimal(actual))
    return JobCost("USD", estimate, spent)


@pytest.mark.parametrize(
    ("cost", "shown", "words"),
    [
        (JobCost(), None, None),
        (priced(), None, None),
        (priced("0.1234", "3"), "~0.12 to 3.00", "cost ~0.12 to 3.00 USD"),
        (priced("0.121", "0.124"), "~0.12", "cost ~0.12 USD"),
        (priced("0.12"), "from 0.12", "cost from 0.12 USD"),
        (priced(None, "1234.5"), "up to 1,234.50", "cost up to 1,234.50 USD"),
        (priced("0.12", "3", "0.004"), "0.004", "cost 0.004 USD so far"),
        (priced("0.12", "3", "0"), "0.00", "cost 0.00 USD so far"),
    ],
)
def test_what_a_job_costs(cost, shown, words):
    with Stage(140) as stage:
        stage.screen.show(StatusReport("s", (StatusRow("one", Phase.ACTIVE, cost=cost),)), in_order=False)
        text = stage.terminal.text()
        assert ("COST" in text) is (shown is not None)
        assert shown is None or f"  {shown}" in text
        assert (words or "") in text
        assert ("cost" in text) is (words is not None)


def test_a_cost_that_leaves_jobs_out_is_the_least():
    unknown = replace(priced(actual="1"), actual=Actual(Usage(), 1, 1, None))
    rows = (StatusRow("a", Phase.ACTIVE, cost=priced(actual="1.2")), StatusRow("b", Phase.ACTIVE, cost=unknown))
    with Stage(140) as stage:
        stage.screen.show(StatusReport("s", rows), in_order=False)
        assert "cost at least 1.20 USD so far" in stage.terminal.text()


def test_slow_work_has_a_bar_and_goes_away():
    tasks = [Busy(0, f"a{HOSTILE}: upload", "12.3 MB of 40.0 MB, 3.1 MB/s", 12_300_000, 40_000_000)]
    tasks += [Busy(number, "batches.list", "3 s") for number in range(1, 6)]
    with Stage(160) as stage:
        stage.screen.planned(PLAN)
        stage.screen.busy(tasks)
        text = stage.terminal.text()
        assert ": upload  ███░░░░░░░ 12.3 MB of 40.0 MB, 3.1 MB/s\n" in text
        assert text.count("batches.list  3 s\n") == 2
        assert "and 3 more tasks\n" in text
        stage.screen.busy(())
        assert "upload" not in stage.terminal.text()


def test_without_a_plan_there_is_only_slow_work():
    with Stage() as stage:
        stage.screen.busy([Busy(0, "batches.list", "3 s")])
        assert stage.terminal.text() == "batches.list  3 s\n"
        stage.screen.warn("slow\x1b[2J")
        assert stage.terminal.text() == "10:31:07Z warning: slow\\x1b[2J\nbatches.list  3 s\n"
    assert stage.terminal.text() == "10:31:07Z warning: slow\\x1b[2J\n"


def test_what_others_did_is_shown_with_its_own_time():
    event = Event(ago(minutes=3), "a", 1, "refused", "quota", "ada@laptop", "QuotaExceeded")
    with Stage() as stage:
        stage.screen.happened([event])
        stage.screen.show(StatusReport("s", (StatusRow("a", Phase.ACTIVE),)), in_order=False)
        assert stage.terminal.text().startswith("10:28:07Z a: refused QuotaExceeded: quota\n")


def test_a_status_stays_at_the_end_and_a_plan_does_not():
    with Stage() as stage:
        stage.screen.show(StatusReport("s", (StatusRow("a", Phase.ACTIVE),)), in_order=False)
        stage.screen.waiting((), 5)
    assert "a    Active" in stage.terminal.text()
    assert "Ctrl-C" not in stage.terminal.text()
    with Stage() as stage:
        stage.screen.planned(PLAN)
        stage.screen.looked(StatusReport("s", (StatusRow("a", Phase.ACTIVE),)))
    assert stage.terminal.text() == "10:31:07Z Plan: 1 to create, 1 waiting.\n"


def test_ctrl_c_leaves_a_clean_terminal():
    stage = Stage()

    def run() -> None:
        with stage:
            stage.screen.planned(PLAN)
            assert not stage.terminal.is_restored
            stage.terminal.write("^C")
            assert stage.screen.stopping() == b"", "a write would come between the lines of the screen"
            stage.screen.busy(())
            assert STOPPING in stage.terminal.text()
            assert "^C" not in stage.terminal.text()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert stage.terminal.is_restored
    assert stage.terminal.text() == "10:31:07Z Plan: 1 to create, 1 waiting.\n"


def test_a_process_that_ends_at_once_gives_the_terminal_back():
    with Stage() as stage:
        stage.screen.planned(PLAN)
        stage.terminal.write(stage.screen.last_words().decode())
        assert stage.terminal.is_restored
        assert RESTORE.encode() in stage.screen.last_words()


def test_others_may_write_in_between():
    with Stage() as stage:
        stage.screen.planned(PLAN)
        with stage.screen.aside():
            stage.terminal.write("a: Succeeded\n")
        lines = stage.terminal.text().splitlines()
        assert lines[:2] == ["10:31:07Z Plan: 1 to create, 1 waiting.", "a: Succeeded"]
        assert sum("JOB" in line for line in lines) == 1


@pytest.mark.parametrize("columns", [60, 70, 130])
def test_a_terminal_of_another_size_is_painted_anew(columns, monkeypatch):
    stage = Stage(100)
    console = make_console(stage.terminal, "never", {"TERM": "xterm"})
    monkeypatch.setattr(Console, "size", (100, 24))
    stage.screen = Screen(console, stage.clock, elapsed=stage.seconds)
    jobs = tuple(active(f"job-{place}", size=WorkSize("gemini-2.5-flash")) for place in range(4))
    with stage:
        stage.screen.planned(Plan("s", jobs))
        stage.terminal.screen.resize(24, columns)
        monkeypatch.setattr(Console, "size", (columns, 24))
        stage.screen.busy(())
        lines = stage.terminal.text().splitlines()
        assert max(map(len, lines)) <= columns
        assert sum("PHASE" in line for line in lines) == 1
        assert len(names(stage)) == 4


def test_a_long_line_goes_on_below_its_text():
    with Stage(60) as stage:
        stage.screen.warn("the results of the job cannot be matched to their rows, because they have no key")
        assert stage.terminal.text() == (
            "10:31:07Z warning: the results of the job cannot be matched\n"
            "          to their rows, because they have no key\n"
        )


def test_a_flood_of_events_is_painted_ten_times_a_second():
    with Stage(step=LEAST_PAUSE / 50) as stage:
        stage.screen.planned(PLAN)
        before = stage.terminal.written
        for number in range(100):
            stage.screen.step("classify", f"step {number}")
        painted = stage.terminal.written - before
        assert painted < 40_000, "each event alone would take 600 characters and more"
        stage.seconds.now += 1
        stage.screen.busy(())
        assert [line for line in stage.terminal.scrolled() if line.endswith("step 50")]
        assert "step 99" in stage.terminal.text()


def test_a_screen_that_did_not_change_writes_no_line_again():
    with Stage(step=TICK) as stage:
        stage.screen.planned(PLAN)
        before = stage.terminal.written
        stage.screen.busy(())
        assert 0 < stage.terminal.written - before < 60, "only cursor movements"


def test_the_last_lines_are_written_at_the_end():
    with Stage(step=0.0) as stage:
        stage.screen.planned(PLAN)
        stage.screen.step("classify", "created batches/abc")
        assert "batches/abc" not in stage.terminal.text()
    assert stage.terminal.text().endswith("classify: created batches/abc\n")


def test_new_jobs_of_a_plan_alone():
    with Stage() as stage:
        stage.screen.planned(Plan("s", (NEW,)))
        assert stage.line("classify")[:4] == ["classify", "Waiting", "-", "-"]
        stage.screen.planned(Plan("s", ()))
        assert "s: 0 jobs\n" in stage.terminal.text()
        assert "PHASE" not in stage.terminal.text()
