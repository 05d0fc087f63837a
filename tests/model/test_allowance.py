from __future__ import annotations

import threading
from math import inf

from batchctl.model.allowance import Allowance, in_force


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_an_allowance_there_is_no_limit() -> None:
    assert (in_force().left(), in_force().full()) == (inf, None)
    in_force().take(2**60)
    assert in_force().full() is None


def test_the_time_passes_and_ends() -> None:
    time = Time()
    one = Allowance(5.0, now=time)
    assert (one.left(), one.is_over()) == (5.0, False)
    time.now = 5.0
    assert one.is_over()


def test_it_applies_only_inside_the_block() -> None:
    one = Allowance(5.0)
    with one.holding():
        assert in_force() is one
    assert in_force().left() == inf


def test_an_inner_allowance_never_outlives_the_outer_one() -> None:
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


def test_other_threads_can_share_it() -> None:
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
