from __future__ import annotations

import threading
from math import inf

from batchctl.model.allowance import Allowance, in_force


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_one_nothing_is_bounded() -> None:
    assert (in_force().left(), in_force().full()) == (inf, None)
    in_force().take(2**60)
    assert in_force().full() is None


def test_the_time_runs_and_is_up() -> None:
    time = Time()
    one = Allowance(5.0, now=time)
    assert (one.left(), one.is_over()) == (5.0, False)
    time.now = 5.0
    assert one.is_over()


def test_it_holds_inside_the_block_alone() -> None:
    one = Allowance(5.0)
    with one.holding():
        assert in_force() is one
    assert in_force().left() == inf


def test_one_within_another_never_outlives_it() -> None:
    time = Time()
    look = Allowance(5.0, now=time)
    with look.holding():
        read = Allowance(60.0, now=time)
        short = Allowance(2.0, now=time)
    assert (read.left(), short.left()) == (5.0, 2.0)
    assert (read.overdue(), short.overdue()) == (look, short)


def test_bytes_count_for_all_that_are_around() -> None:
    with Allowance(inf, 10).holding():
        outer, inner = in_force(), Allowance(1.0)
    inner.take(10)
    assert inner.full() is None
    inner.take(1)
    assert inner.full() is outer


def test_other_threads_work_under_it_when_they_hold_it() -> None:
    found: list[float] = []
    one = Allowance(5.0, now=Time())

    def work() -> None:
        found.append(in_force().left())
        with one.holding():
            found.append(in_force().left())

    with one.holding():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [inf, 5.0]
