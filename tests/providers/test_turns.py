from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from batchctl.providers.turns import Turns


def test_the_same_key_waits_and_another_does_not():
    turns, order, inside, may_leave = Turns(), [], threading.Event(), threading.Event()

    def first():
        with turns.of("a"):
            inside.set()
            assert may_leave.wait(10)
            order.append("first")

    def second():
        with turns.of("a"):
            order.append("second")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert inside.wait(10)
        two = pool.submit(second)
        with turns.of("b"):
            order.append("other")
        may_leave.set()
        one.result(10)
        two.result(10)
    assert order == ["other", "first", "second"]
    assert turns._waiting == {}
