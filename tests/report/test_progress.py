from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest

from batchctl.model.actions import Action
from batchctl.model.plan import Plan
from batchctl.model.ports import Progress
from batchctl.model.states import Phase
from batchctl.model.work_size import WorkSize
from batchctl.report.console import make_console
from batchctl.report.live import LiveProgress, make_progress
from batchctl.report.progress import JsonLinesProgress, PlainProgress, QuietProgress
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


def live(color="never", env=ENV):
    stream = Terminal()
    return LiveProgress(make_console(stream, color, env), StandingClock()), stream


def since(stream, start):
    return stream.getvalue()[start:]


def test_live_draws_the_jobs_that_have_not_ended():
    progress, stream = live()
    with progress:
        progress.planned(PLAN)
        drawn = stream.getvalue()
    assert "10:31:07Z Plan: 1 to create, 1 waiting." in drawn
    (line,) = [line for line in drawn.splitlines() if "translate-fr" in line]
    assert line.split() == ["translate-fr", "Active", "RUNNING", "4/10", "-", "5m", "running"]
    (line,) = [line for line in drawn.splitlines() if "classify" in line]
    assert line.split() == ["classify", "Waiting", "-", "-", "-", "-", "not", "created", "yet"]
    assert "done-one" not in drawn
    assert "1 Waiting, 1 Active, 1 Succeeded" in drawn


def test_live_shows_news_and_the_next_look():
    progress, stream = live()
    with progress:
        progress.planned(PLAN)
        start = len(stream.getvalue())
        progress.step("classify", f"created {HOSTILE}")
        assert "10:31:07Z classify: created quota\\x1b[2J\\n::error" in since(stream, start)
        start = len(stream.getvalue())
        progress.warn("slow\x1b[2J")
        assert "warning: slow\\x1b[2J" in since(stream, start)
        assert "created quota" in since(stream, start)
        start = len(stream.getvalue())
        progress.waiting([ACTIVE], 30)
        assert "1 Succeeded; next check in 30s" in since(stream, start)


def test_live_forgets_news_with_the_next_plan_and_says_a_plan_once():
    progress, stream = live()
    with progress:
        progress.planned(PLAN)
        progress.step("classify", "created")
        start = len(stream.getvalue())
        progress.planned(PLAN)
        assert "not created yet" in since(stream, start)
        assert "Plan:" not in since(stream, start)


def test_live_counts_what_does_not_fit_the_screen():
    progress, stream = live()
    jobs = tuple(job_plan(f"job-{index}", Action.WAIT, Phase.ACTIVE, "running") for index in range(30))
    with progress:
        progress.planned(Plan("s", jobs))
        drawn = stream.getvalue()
    assert "job-3 " in drawn
    assert "job-4 " not in drawn
    assert "and 26 more jobs" in drawn
    table = drawn[drawn.index("JOB") :].splitlines()
    assert len(table) <= int(ENV["LINES"]) * 2 / 3


def test_live_shows_what_failed_first_and_keeps_it():
    progress, stream = live()
    bad = (Phase.FAILED, Phase.REJECTED, Phase.EXPIRED, Phase.CANCELLED, Phase.RESULTS_LOST, Phase.BLOCKED)
    going = [job_plan(f"a{index}", Action.WAIT, Phase.ACTIVE, "running") for index in range(2)]
    failed = [job_plan(f"z{index}", phase=phase, reason="it broke") for index, phase in enumerate(bad)]
    with progress:
        progress.planned(Plan("s", (*going, *failed[:2])))
        start = len(stream.getvalue())
        progress.waiting(going, 5)
        lines = [
            line.split()[0] for line in since(stream, start).splitlines() if "it broke" in line or "running" in line
        ]
        assert lines == ["z0", "z1", "a0", "a1"]
        for job in failed:
            start = len(stream.getvalue())
            progress.planned(Plan("s", (*going, job)))
            assert "it broke" in since(stream, start), job.phase


@pytest.mark.parametrize("columns", [100, 80, 60, 40, 24, 8])
def test_live_never_cuts_a_name(columns):
    names = ["summarize-the-quarterly-reports-of-berlin", "b"]
    jobs = tuple(
        job_plan(name, Action.WAIT, Phase.ACTIVE, "waits for a very long reason", size=WorkSize("gemini-2.5-flash"))
        for name in names
    )
    progress, stream = live(env=ENV | {"COLUMNS": str(columns)})
    with progress:
        progress.planned(Plan("s", jobs))
        drawn = stream.getvalue()
    assert names[0] in drawn.replace("\n", "").replace("\x1b[2K", "").replace("\r", "")
    assert all(len(line) <= columns for line in drawn.splitlines() if " b " in line)


def test_live_leaves_the_screen_as_it_was_after_an_error():
    progress, stream = live(color="auto")

    def run():
        with progress:
            progress.planned(PLAN)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert "\x1b[?25l" in stream.getvalue()
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("translate-fr")


def test_live_without_jobs():
    progress, stream = live()
    with progress:
        progress.planned(Plan("s", ()))
    assert "no jobs" in stream.getvalue()


@pytest.mark.parametrize(
    ("stream", "env", "has_log", "quiet", "kind"),
    [
        (Terminal, ENV, False, False, LiveProgress),
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
