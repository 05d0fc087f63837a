from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest

from batchctl.model.actions import Action
from batchctl.model.plan import Plan
from batchctl.model.ports.surroundings import Progress
from batchctl.model.states import Phase
from batchctl.report.console import make_console
from batchctl.report.progress import PlainProgress, QuietProgress
from batchctl.report.progress_kinds import make_progress
from batchctl.report.progress_log import JsonLinesProgress
from batchctl.report.screen.live import Screen
from tests.support.json_logs import json_log
from tests.support.report_samples import HOSTILE, NOW, Terminal, job_plan, running
from tests.support.sample_plan import QUIET_PLAN

ENV = {"TERM": "xterm", "COLUMNS": "100", "LINES": "12"}


class StandingClock:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += timedelta(seconds=seconds)


ACTIVE = job_plan("translate-fr", Action.WAIT, Phase.ACTIVE, "running", attempt=running("translate-fr"))
NEW = job_plan("classify", Action.CREATE, Phase.WAITING, "not created yet")
PLAN = Plan("examples", (NEW, job_plan("done-one"), ACTIVE))


def test_plain_lines():
    stream, clock = io.StringIO(), StandingClock()
    with PlainProgress(stream, clock) as progress:
        progress.planned(PLAN)
        progress.step("classify", "created batches/abc (attempt 1)")
        clock.sleep(61)
        progress.warn(HOSTILE)
    lines = stream.getvalue().splitlines()
    assert lines[:2] == [
        "10:31:07Z Plan: 1 to create, 1 waiting.",
        "10:31:07Z classify: created batches/abc (attempt 1)",
    ]
    assert lines[2].startswith("10:32:08Z warning: quota\\x1b[2J\\n::error::oops")
    assert len(lines) == 3


def test_plain_lines_tell_a_plan_only_when_it_changed():
    stream = io.StringIO()
    progress = PlainProgress(stream, StandingClock())
    for plan in (PLAN, PLAN, QUIET_PLAN, QUIET_PLAN, PLAN):
        progress.planned(plan)
    assert len(stream.getvalue().splitlines()) == 3


def test_plain_lines_tell_a_wait_when_counts_change_or_a_minute_is_over():
    stream, clock = io.StringIO(), StandingClock()
    progress = PlainProgress(stream, clock)
    for jobs in ([ACTIVE], [ACTIVE], [ACTIVE, NEW], [ACTIVE, NEW], [ACTIVE, NEW], []):
        progress.waiting(jobs, 30)
        clock.sleep(30)
    assert stream.getvalue().splitlines() == [
        "10:31:07Z waiting: 1 Active; next check in 30s",
        "10:32:07Z waiting: 1 Waiting, 1 Active; next check in 30s",
        "10:33:07Z waiting: 1 Waiting, 1 Active; next check in 30s",
        "10:33:37Z waiting: no jobs; next check in 30s",
    ]


def test_without_a_pause_the_next_check_comes_now():
    stream = io.StringIO()
    PlainProgress(stream, StandingClock()).waiting([ACTIVE], 0.0)
    assert stream.getvalue() == "10:31:07Z waiting: 1 Active; next check now\n"


def test_json_lines():
    stream = io.StringIO()
    with JsonLinesProgress(json_log(stream), StandingClock()) as progress:
        progress.planned(PLAN)
        progress.step("classify", HOSTILE)
        progress.warn("slow\nnet")
        progress.waiting([ACTIVE], 2.5)
        progress.waiting([ACTIVE], 2.5)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line["time"] for line in lines} == {"2026-11-22T10:31:07Z"}
    assert [(line["level"], line["event"], line["message"]) for line in lines] == [
        ("info", "planned", "Plan: 1 to create, 1 waiting."),
        ("info", "step", HOSTILE),
        ("warning", "warning", "slow\nnet"),
        ("info", "waiting", "1 Active"),
    ]
    assert (lines[0]["stack"], lines[0]["summary"]["create"]) == ("examples", 1)
    assert lines[1]["job"] == "classify"
    assert lines[3]["seconds"] == 2.5


def test_quiet_says_warnings_only():
    stream = io.StringIO()
    with QuietProgress(stream) as progress:
        progress.planned(PLAN)
        progress.step("classify", "created")
        progress.waiting([ACTIVE], 1)
        assert not stream.getvalue()
        progress.warn("a\nb")
    assert stream.getvalue() == "warning: a\\nb\n"


@pytest.mark.parametrize(
    ("stream", "env", "has_log", "quiet", "kind"),
    [
        (Terminal, ENV, False, False, Screen),
        (Terminal, {"TERM": "dumb"}, False, False, PlainProgress),
        (io.StringIO, ENV, False, False, PlainProgress),
        (io.StringIO, ENV | {"FORCE_COLOR": "1"}, False, False, PlainProgress),
        (Terminal, ENV, False, True, QuietProgress),
        (Terminal, ENV, True, True, JsonLinesProgress),
    ],
)
def test_the_kind_that_fits(stream, env, has_log, quiet, kind):
    stream = stream()
    console = make_console(stream, "auto", env)
    log = json_log(stream) if has_log else None
    progress: Progress = make_progress(console, stream, StandingClock(), env, log=log, quiet=quiet)
    assert type(progress) is kind
