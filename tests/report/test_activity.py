from __future__ import annotations

import io
import json
import threading

import pytest

from batchctl.model.activity import UNWATCHED
from batchctl.report.activity import CHECK_EVERY, TELL_AFTER, Board, Busy, Heartbeat, busy_words
from batchctl.report.progress import PlainProgress, QuietProgress
from batchctl.report.progress_log import JsonLinesProgress
from tests.report.test_progress import StandingClock
from tests.support.json_logs import json_log


def busy(*words):
    return [Busy(number, *word.split(": ")) for number, word in enumerate(words)]


class Hand:
    """Seconds that a test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Heard:
    def __init__(self):
        self.said = []
        self.busy_with = []
        self.came = threading.Event()

    def warn(self, message):
        self.said.append(message)

    def busy(self, things):
        self.busy_with.append(tuple(things))
        self.came.set()

    def until(self, holds):
        """Wait for a report of which something holds."""
        while not self.busy_with or not holds(self.busy_with[-1]):
            assert self.came.wait(60)
            self.came.clear()


def test_something_is_told_within_two_seconds():
    assert TELL_AFTER + CHECK_EVERY < 2


def test_what_takes_long_is_named_with_its_time_or_its_bytes_and_speed():
    hand = Hand()
    board = Board(hand)
    with (
        board.running("batches.list at host"),
        board.running("a: upload", 40_000_000) as upload,
        board.running("read") as read,
    ):
        assert board.slow() == ()
        hand.now = TELL_AFTER
        assert board.slow()[0].words == "batches.list at host: 2 s"
        hand.now = 4.0
        upload.add(12_300_000)
        read.add(800)
        with board.running("new"):
            assert (board.slow()[1].done, board.slow()[1].total) == (12_300_000, 40_000_000)
            assert tuple(one.words for one in board.slow()) == (
                "batches.list at host: 4 s",
                "a: upload: 12.3 MB of 40.0 MB, 3.1 MB/s",
                "read: 800 bytes, 200 bytes/s",
            )
    assert board.slow() == ()


def test_a_size_that_the_reply_declares_is_shown():
    hand = Hand()
    board = Board(hand)
    with board.running("files.download") as download:
        hand.now = 2.0
        download.expect(1_000_000)
        download.add(500_000)
        assert board.slow()[0].words == "files.download: 500.0 kB of 1.0 MB, 250.0 kB/s"


def test_what_ends_with_an_error_is_over_too():
    board = Board(Hand())

    def fail():
        with board.running("x"):
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert board.slow() == ()


def test_a_retry_is_told_at_once_and_many_for_one_reason_once():
    hand, heard = Hand(), Heard()
    board = Board(hand)
    board.trying_again("nobody listens", 1)
    board.listen(heard.warn)
    for why in ("no way to host", "no way to host", "503"):
        board.trying_again(why, 1.24)
    hand.now = TELL_AFTER
    board.trying_again("503", 4)
    board.listen(None)
    board.trying_again("over", 1)
    assert heard.said == [
        "no way to host; trying again in 1.2 s",
        "503; trying again in 1.2 s",
        "503; trying again in 4.0 s",
    ]


def test_the_heartbeat_shows_what_goes_on_and_ends_with_the_block(monkeypatch):
    monkeypatch.setattr("batchctl.report.activity.CHECK_EVERY", 0.001)
    hand, heard = Hand(), Heard()
    board = Board(hand)
    before = set(threading.enumerate())
    with Heartbeat(board, heard):
        with board.running("call"):
            hand.now = 3.0
            # A beat may have come before.
            heard.until(lambda things: things != ())
            assert [one.words for one in heard.busy_with[-1]] == ["call: 3 s"]
        heard.until(lambda things: things == ())
    assert set(threading.enumerate()) <= before
    assert heard.busy_with[-1] == ()


def test_without_a_thread_the_work_goes_on_and_retries_are_told(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    heard, board = Heard(), Board(Hand())
    with Heartbeat(board, heard):
        board.trying_again("503", 1)
    assert heard.said == ["503; trying again in 1.0 s"]


def test_one_line_names_three_things():
    assert busy_words(busy("a: 1 s", "b: 2 s")) == "a: 1 s; b: 2 s"
    assert busy_words(busy("a: 1", "b: 2", "c: 3", "d: 4", "e: 5")) == "a: 1; b: 2; c: 3; and 2 more"


def test_nobody_looks_on():
    with UNWATCHED.running("x", 5) as flow:
        flow.add(3)
    UNWATCHED.trying_again("x", 1)


def test_lines_of_a_log_come_less_and_less_often():
    stream, clock = io.StringIO(), StandingClock()
    progress = PlainProgress(stream, clock)
    for _ in range(120):
        progress.busy(busy("list\x1b: 2 s"))
        clock.sleep(1)
    progress.busy([Busy(7, "another", "9 s")])
    progress.busy([])
    progress.busy(busy("again: 1 s"))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "10:31:07Z busy: list\\x1b: 2 s"
    assert [line.split()[0] for line in lines] == [
        "10:31:07Z",
        "10:31:12Z",
        "10:31:22Z",
        "10:31:42Z",
        "10:32:22Z",
        "10:33:07Z",
        "10:33:07Z",
    ]
    assert lines[-2].endswith("busy: another: 9 s")


def test_json_says_it_as_an_event_and_quiet_says_nothing():
    stream = io.StringIO()
    JsonLinesProgress(json_log(stream), StandingClock()).busy(busy("list: 2 s"))
    event = json.loads(stream.getvalue())
    assert (event["event"], event["level"], event["message"]) == ("busy", "info", "list: 2 s")
    stream = io.StringIO()
    QuietProgress(stream).busy(busy("list: 2 s"))
    assert stream.getvalue() == ""


def test_progress_follows_a_board_while_it_is_entered():
    stream, board = io.StringIO(), Board(Hand())
    with PlainProgress(stream, StandingClock()).follow(board):
        board.trying_again("503", 1)
    board.trying_again("over", 1)
    assert stream.getvalue() == "10:31:07Z warning: 503; trying again in 1.0 s\n"
