from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from batchctl.providers.key_locks import KeyLocks
from tests.support.patience import PATIENCE


def test_the_same_key_waits_and_another_does_not():
    locks, order, inside, may_leave = KeyLocks(), [], threading.Event(), threading.Event()

    def first():
        with locks.hold("a"):
            inside.set()
            assert may_leave.wait(PATIENCE)
            order.append("first")

    def second():
        with locks.hold("a"):
            order.append("second")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert inside.wait(PATIENCE)
        two = pool.submit(second)
        with locks.hold("b"):
            order.append("other")
        may_leave.set()
        one.result(PATIENCE)
        two.result(PATIENCE)
    assert order == ["other", "first", "second"]
    assert locks._waiting == {}
