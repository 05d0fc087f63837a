"""The image of the record: what a pass changes, beside all that it leaves as it was."""

from __future__ import annotations

import pytest

from batchctl.engine.image import Attempts, Image, Rows
from batchctl.model.keys import AttemptKey
from batchctl.model.recorded import RecordedJob
from tests.support.decisions import attempt, job, row
from tests.support.values import replace

FIRST, SECOND, LATER = (replace(attempt(number), key=AttemptKey("a", number)) for number in (1, 2, 3))
OTHER = replace(attempt(1), key=AttemptKey("b", 1))
BEFORE = {"a": row(job("a"), FIRST, SECOND), "b": row(job("b"), OTHER)}
CHANGED = replace(SECOND, state="JOB_STATE_FAILED")


def image() -> Image:
    return Image(dict(BEFORE))


def test_what_nothing_changes_is_the_record_itself() -> None:
    before = dict(BEFORE)
    assert Image(before).jobs is before
    assert list(image().new_attempts) == []


def test_a_changed_attempt_keeps_its_place_and_a_new_one_comes_last() -> None:
    found = image()
    found.set_attempt(LATER)
    found.set_attempt(CHANGED)
    assert found.jobs == {"a": RecordedJob(BEFORE["a"].row, (FIRST, CHANGED, LATER)), "b": BEFORE["b"]}
    assert found.jobs["b"] is BEFORE["b"]
    assert list(found.new_attempts) == [LATER]
    assert [found.attempt(one.key) for one in (FIRST, CHANGED, LATER, OTHER)] == [FIRST, CHANGED, LATER, OTHER]


def test_a_changed_row_keeps_the_attempts() -> None:
    found, changed = image(), replace(BEFORE["a"].row, priority=7)
    found.set_row(changed)
    assert found.jobs["a"] == RecordedJob(changed, (FIRST, SECOND))
    assert found.row("a") is changed


def test_a_job_that_is_forgotten_is_not_there_with_anything() -> None:
    found = image()
    found.forget("a")
    assert (found.jobs, found.row("a"), list(found.attempts("a"))) == ({"b": BEFORE["b"]}, None, [])
    assert found.attempt(FIRST.key) is None
    found.set_row(BEFORE["a"].row)
    assert found.jobs["a"] == RecordedJob(BEFORE["a"].row, ())


def test_an_attempt_without_a_row_is_of_no_job_until_it_has_one() -> None:
    found = Image({})
    found.set_attempt(OTHER)
    assert found.jobs == {}
    assert list(Attempts(found)) == [OTHER.key]
    found.set_row(BEFORE["b"].row)
    assert found.jobs == {"b": BEFORE["b"]}


def test_attempts_and_rows_are_mappings() -> None:
    found = image()
    attempts, rows = Attempts(found), Rows(found)
    found.set_attempt(LATER)
    found.forget("b")
    assert dict(attempts) == {one.key: one for one in (FIRST, SECOND, LATER)}
    assert (len(attempts), dict(rows), len(rows)) == (3, {"a": BEFORE["a"].row}, 1)
    with pytest.raises(KeyError):
        attempts[OTHER.key]
    with pytest.raises(KeyError):
        rows["b"]
