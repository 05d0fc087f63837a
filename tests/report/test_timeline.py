"""The attempts of a job on one axis of time."""

from __future__ import annotations

import io

import pytest

from batchctl.report.console import make_console
from batchctl.report.describe_document import api_url, console_url
from batchctl.report.timeline import write_timeline
from tests.support.report_samples import GEMINI, NOW, VERTEX, Terminal, ago, running
from tests.support.values import replace


def drawn(*attempts, columns=120, stream=None):
    stream = stream or Terminal()
    console = make_console(stream, "never", {"TERM": "xterm", "COLUMNS": str(columns)})
    names = [str(number) for number, _ in enumerate(attempts, 1)]
    write_timeline(console, attempts, names, NOW)
    return stream.getvalue().splitlines()


def attempt(created, started=None, ended=None, state="JOB_STATE_RUNNING"):
    times = {"create_time": ago(minutes=created), "start_time": None if started is None else ago(minutes=started)}
    return running("a", **times, end_time=None if ended is None else ago(minutes=ended), state=state)


def test_queue_and_work_of_each_attempt_on_one_axis():
    lines = drawn(
        attempt(80, 60, 40, "JOB_STATE_FAILED"),
        attempt(40, 30),
        attempt(10, state="JOB_STATE_PENDING"),
        attempt(60, None, 50, "JOB_STATE_EXPIRED"),
        attempt(80, 80, 79.9),
    )
    assert lines[1:] == [
        "Timeline, 2026-11-22T09:11:07Z to 2026-11-22T10:31:07Z",
        "  ATTEMPT  QUEUED  RAN  ░ QUEUED  █ AT WORK  ▒ EITHER OF THEM",
        "  1        20m     20m  ░░░░░░░░░░██████████",
        "  2        10m     30m                      ░░░░░███████████████",
        "  3        10m     -                                       ░░░░░",
        "  4        ?       ?              ▒▒▒▒▒",
        "  5        0s      6s   █",
    ]


def test_an_attempt_that_was_never_created_has_no_line():
    assert drawn(running("a", create_time=None)) == []
    assert len(drawn(running("a", create_time=None), attempt(5))) == 4


@pytest.mark.parametrize(("columns", "cells"), [(120, 40), (90, 40), (89, 20)])
def test_a_narrow_terminal_has_a_shorter_axis(columns, cells):
    assert drawn(attempt(60, 60), columns=columns)[-1].count("█") == cells


def test_a_terminal_without_unicode_has_ascii():
    class Ascii(io.StringIO):
        encoding = "ascii"

    lines = drawn(attempt(80, 60, 40), stream=Ascii())
    assert lines[-1].endswith("-" * 20 + "#" * 20)
    assert lines[2].endswith("- QUEUED  # AT WORK")


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"remote": "batches/abc"}, "https://generativelanguage.googleapis.com/v1/batches/abc"),
        (
            {"account": VERTEX, "remote": "projects/1/locations/europe-west4/batchPredictionJobs/2"},
            "https://aiplatform.googleapis.com/v1/projects/1/locations/europe-west4/batchPredictionJobs/2",
        ),
        ({"remote": None}, None),
        ({"remote": "batches/abc", "delete_time": NOW}, None),
        ({"remote": "batches/abc", "account": replace(GEMINI, origin="emulator")}, None),
    ],
)
def test_the_address_at_the_api(changes, url):
    assert api_url(replace(running("a"), **changes)) == url
    assert api_url(None) is None


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"remote": "batches/abc"}, None),
        (
            {"account": VERTEX, "remote": "projects/1/locations/europe-west4/batchPredictionJobs/2"},
            "https://console.cloud.google.com/agent-platform/locations/europe-west4/batch-predictions/2?project=1",
        ),
        ({"account": VERTEX, "remote": None}, None),
        ({"account": replace(VERTEX, origin="http://127.0.0.1:1"), "remote": "projects/1/locations/x/batchPredictionJobs/2"}, None),
    ],
)  # fmt: skip
def test_the_page_in_the_console(changes, url):
    assert console_url(replace(running("a"), **changes)) == url
    assert console_url(None) is None
