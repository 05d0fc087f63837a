"""Commits with many writes, whose statements are shared by the records of a table."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import Intent
from batchctl.model.events import Event
from batchctl.model.recorded import RecordedFile, RecordedJob
from batchctl.model.writes import AddEvent, DropFile, ForgetJob, RenameJob, SaveAttempt, SaveFile, SaveJob, Write
from batchctl.state.store import FileState
from tests.support.state_samples import ACCOUNT, NOW, attempt, job

NAMES = [f"job-{number:03}" for number in range(130)]


def committed(store: FileState, *commits: list[Write]) -> None:
    """Each commit ends a session: the next one reads the seal."""
    for writes in commits:
        with store.lock() as session:
            session.commit(writes)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 128, 129, 130])
def test_any_number_of_records_in_one_commit_keeps_the_seal(store: FileState, count: int) -> None:
    names, intent = NAMES[:count], Intent(NOW)
    begin = [SaveAttempt(attempt(name, intent=intent)) for name in names]
    made = [attempt(name, intent=None if number % 3 else intent) for number, name in enumerate(names)]
    committed(store, [SaveJob(job(name)) for name in names], begin, [SaveAttempt(one) for one in made])
    found = store.load().jobs
    assert found == {name: RecordedJob(job(name), (one,)) for name, one in zip(names, made, strict=True)}


def test_the_order_of_jobs_and_their_attempts_is_free(store: FileState) -> None:
    one, two = (attempt(name, intent=Intent(NOW)) for name in NAMES[:2])
    committed(store, [SaveAttempt(one), SaveJob(job(NAMES[1])), SaveAttempt(two), SaveJob(job(NAMES[0]))])
    assert {name: found.attempts for name, found in store.load().jobs.items()} == {NAMES[0]: (one,), NAMES[1]: (two,)}


def test_records_are_saved_and_dropped_in_one_commit(store: FileState) -> None:
    first, second, third = (RecordedFile(ACCOUNT, sha * 64, f"files/{sha}", NOW) for sha in "abc")
    committed(store, [SaveFile(first), SaveFile(second)], [DropFile(first), SaveFile(third), DropFile(second)])
    assert store.load().files == (third,)


def test_of_several_writes_of_one_record_the_last_one_counts(store: FileState) -> None:
    file = RecordedFile(ACCOUNT, "a" * 64, "files/a", NOW)
    committed(store, [SaveFile(file), DropFile(file)])
    assert store.load().files == ()
    committed(store, [DropFile(file), SaveFile(file)])
    assert store.load().files == (file,)


@pytest.mark.parametrize("apart", [False, True], ids=["one commit", "a commit for each write"])
def test_events_go_with_a_renamed_job_and_keep_their_order(store: FileState, *, apart: bool) -> None:
    old, new, gone = NAMES[:3]
    writes: list[Write] = [
        *(SaveJob(job(name)) for name in (old, gone)),
        AddEvent(Event(NOW, old, None, "first", "")),
        AddEvent(Event(NOW, gone, None, "second", "")),
        ForgetJob(gone),
        RenameJob(old, new),
        AddEvent(Event(NOW, new, None, "third", "")),
        SaveAttempt(attempt(new)),
        AddEvent(Event(NOW, old, None, "of another job with the former name", "")),
    ]
    committed(store, *([write] for write in writes)) if apart else committed(store, writes)
    said = [(event.job, event.what) for event in store.events(None, 20) if event.what != "recorded"]
    assert said == [
        (new, "first"),
        (gone, "second"),
        (new, "third"),
        (old, "of another job with the former name"),
    ]
    assert [one.key.job for one in store.load().jobs[new].attempts] == [new]
