"""What becomes of notices in the outbox."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from batchctl.model.notices import Notice, NoticeType
from batchctl.reconcile import delivered, failed, find_waiting, given_up, held, sort_outbox
from batchctl.reconcile.notify.outbox import PATIENCE, RETENTION
from tests.support.decisions import LOCAL
from tests.support.values import replace

SECOND = timedelta(seconds=1)


def notice(name="evt_1", *, age=timedelta(0), hook="ops", **fields) -> Notice:
    return Notice(name, hook, "a", 1, NoticeType.FAILED, LOCAL - age, "{}", **fields)


def sorted_out(*notices, hooks=("ops",), kept=()):
    """Which are due, hopeless and old."""
    outbox = sort_outbox(notices, hooks, kept, LOCAL)
    return tuple(" ".join(one.id for one in part) for part in (outbox.due, outbox.hopeless, outbox.old))


DELIVERED = delivered(notice(), LOCAL)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (notice(), ("evt_1", "", "")),
        (notice(next_time=LOCAL), ("evt_1", "", "")),
        (notice(next_time=LOCAL + SECOND), ("", "", "")),
        (notice(hook="former"), ("", "", "")),
        (notice(age=PATIENCE), ("evt_1", "", "")),
        (notice(age=PATIENCE + SECOND), ("", "evt_1", "")),
        (notice(age=PATIENCE + SECOND, hook="former"), ("", "evt_1", "")),
        (notice(age=PATIENCE + SECOND, next_time=LOCAL + SECOND), ("", "evt_1", "")),
        (DELIVERED, ("", "", "")),
        (delivered(notice(age=9 * PATIENCE), LOCAL - RETENTION), ("", "", "")),
        (delivered(notice(), LOCAL - RETENTION - SECOND), ("", "", "evt_1")),
        (given_up(notice(), LOCAL - RETENTION - SECOND), ("", "", "evt_1")),
        (given_up(notice(), LOCAL - RETENTION), ("", "", "")),
    ],
)
def test_each_notice_has_its_time(one, expected) -> None:
    assert sorted_out(one) == expected


def test_what_would_be_found_anew_stays() -> None:
    old = delivered(notice(), LOCAL - 2 * RETENTION)
    assert sorted_out(old, kept={"evt_1"}) == ("", "", "")
    assert sorted_out(old, kept={"evt_2"}) == ("", "", "evt_1")


def test_the_oldest_comes_first() -> None:
    notices = [notice("evt_3"), notice("evt_1", age=SECOND), notice("evt_2"), notice("evt_4", age=2 * SECOND)]
    assert sorted_out(*notices)[0] == sorted_out(*notices[::-1])[0] == "evt_4 evt_1 evt_2 evt_3"


def test_a_failed_delivery_is_tried_again_after_longer_and_longer_pauses() -> None:
    one, pauses = notice(), []
    for _ in range(12):
        one = failed(one, "503", LOCAL)
        assert one.next_time is not None
        pauses.append((one.next_time - LOCAL).total_seconds())
    assert (one.tries, one.problem, one.is_pending) == (12, "503", True)
    assert 8 <= pauses[0] <= 10
    assert all(later == pytest.approx(2 * sooner) for sooner, later in pairwise(pauses[:8]))
    assert all(pause <= 3600 for pause in pauses)
    assert pauses[-1] == pauses[-2] > 2800
    assert failed(notice("evt_2"), "503", LOCAL).next_time != failed(notice(), "503", LOCAL).next_time
    assert len(failed(notice(), "x" * 1000, LOCAL).problem) == 256


def test_ends_are_ends() -> None:
    tried = failed(notice(), "503", LOCAL)
    done, over = delivered(tried, LOCAL), given_up(tried, LOCAL)
    assert (done.is_pending, done.problem, done.next_time, done.delivered_time) == (False, "", None, LOCAL)
    assert (over.is_pending, over.problem, over.next_time, over.given_up_time) == (False, "503", None, LOCAL)


def test_what_cannot_be_told_from_here_counts_no_try() -> None:
    one = held(replace(notice(), tries=0), "no secret " + "x" * 500)
    assert (one.tries, one.next_time, one.is_pending, len(one.problem)) == (0, None, True, 256)
    assert sorted_out(one)[0] == "evt_1"


def test_only_what_a_further_try_may_deliver_is_waited_for() -> None:
    tried = failed(notice("evt_2"), "503", LOCAL)
    unusable = held(notice("evt_3", hook="other"), "no secret")
    notices = [notice(), tried, unusable, notice("evt_4", hook="other"), notice("evt_5", hook="former"), DELIVERED]
    assert [one.id for one in find_waiting(notices, {"ops", "other"})] == ["evt_1", "evt_2"]
    assert find_waiting(notices, {"other"}) == []
