"""A shared state: one writer, every commit in the bucket before it counts, and a bucket that fails in the middle."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from batchctl.model.errors import ApiError, GuardError, LockedError, StateError
from batchctl.model.state_objects import ABSENT, PROBE
from batchctl.model.writes import DropPast, SaveJob, SavePast
from batchctl.state.shared.lock import LOCK
from batchctl.state.shared.store import SharedState
from tests.support.patience import PATIENCE
from tests.support.shared_bucket import URL, Bucket, Line, is_put
from tests.support.state_samples import job, past


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    found = Bucket(tmp_path)
    yield found
    found.close()


def commit(state: SharedState, name: str) -> None:
    with state.lock() as session:
        session.commit([SaveJob(job(name))])


def jobs(bucket: Bucket) -> list[str]:
    """The jobs in the bucket, as a process sees them that has just started."""
    return list(bucket.state("reader").load().jobs)


# --- one writer


def test_a_commit_is_in_the_bucket_when_it_returns(bucket: Bucket) -> None:
    assert jobs(bucket) == []
    with bucket.state().lock() as session:
        for name in ("first", "second"):
            session.commit([SaveJob(job(name))])
            assert jobs(bucket)[-1] == name
            assert list(session.load().jobs) == jobs(bucket)
        session.check()
    commit(bucket.state("bob"), "third")
    assert jobs(bucket) == ["first", "second", "third"]


def test_the_times_of_forgotten_jobs_are_shared(bucket: Bucket) -> None:
    with bucket.state().lock() as session:
        session.commit([SavePast(past(2)), SavePast(past(1))])
        session.commit([DropPast(past(2)), SavePast(past(3))])
    assert bucket.state("bob").load().history == (past(1), past(3))


def test_reading_takes_no_lock_and_writes_nothing(bucket: Bucket) -> None:
    commit(bucket.state(), "first")
    line = bucket.line()
    state = bucket.state("bob", line)
    with bucket.state().lock():
        assert list(state.load().jobs) == ["first"]
        assert state.events(None, 10) == state.events(None, 10)
    assert {call.partition(" ")[0] for call in line.calls} == {"GET"}
    count = len(line.calls)
    assert state.load().version == state.version()
    assert len(line.calls) == count + 2, "an unchanged state is not read again"


def test_a_locked_state_names_its_holder(bucket: Bucket) -> None:
    told: list[str] = []
    patient = bucket.state("bob", timeout=3, on_wait=told.append)
    with bucket.state("ada").lock():
        held = bucket.state().holder()
        assert held is not None
        assert (held.who, held.epoch) == ("ada", 1)
        with pytest.raises(LockedError, match=rf"{URL} is locked by .* of ada .* epoch 1") as caught:
            patient.lock()
    assert caught.value.details["epoch"] == 1
    assert "keeps its lease of 20 s" in caught.value.hint
    assert bucket.clock.slept == [1.0] * 3
    assert len(told) == 1
    assert bucket.state().holder() is None
    with patient.lock():
        pass


def test_an_ended_lease_is_taken_over_and_its_holder_can_do_nothing_more(bucket: Bucket) -> None:
    commit(bucket.state(), "first")
    slept = bucket.state("ada").lock()
    bucket.clock.seconds += 19
    with pytest.raises(LockedError):
        bucket.state("bob").lock()
    bucket.clock.seconds += 1
    with bucket.state("bob").lock() as session:
        session.commit([SaveJob(job("second"))])
        for use in (slept.check, lambda: slept.commit([SaveJob(job("late"))]), slept.load):
            with pytest.raises(StateError, match=r"the lock on the state gs://.* another process took it over") as lost:
                use()
            assert lost.value.code == "LockLost"
        slept.__exit__(None, None, None)
        assert bucket.state().holder() is not None
        assert bucket.state().holder().epoch == 3
    assert jobs(bucket) == ["first", "second"]


def test_a_holder_that_slept_goes_on_if_nobody_took_the_lock(bucket: Bucket) -> None:
    with bucket.state().lock() as session:
        bucket.clock.seconds += 500
        session.check()
        session.commit([SaveJob(job("first"))])
        with pytest.raises(LockedError):
            bucket.state("bob").lock()
    assert jobs(bucket) == ["first"]


def test_what_a_former_holder_writes_before_the_fence_is_kept_and_nothing_after_it(bucket: Bucket) -> None:
    former = bucket.state("ada").lock()
    line = bucket.line()
    wrote: list[str] = []

    def write_first(request: httpx.Request) -> None:
        if is_put(request) and not wrote:
            wrote.append("late")
            # The lease is over, but the former holder does not know: its clock stands.
            former._lock._sent = bucket.clock.seconds
            former.commit([SaveJob(job("late"))])

    line.before = write_first
    bucket.clock.seconds += 30
    with bucket.state("bob", line).lock() as session:
        assert list(session.load().jobs) == ["late"]
        former._lock._sent = bucket.clock.seconds
        with pytest.raises(StateError, match="another process wrote to it"):
            former.commit([SaveJob(job("lost"))])
        session.commit([SaveJob(job("mine"))])
    former.__exit__(None, None, None)
    assert jobs(bucket) == ["late", "mine"]


def test_a_released_lock_needs_no_fence(bucket: Bucket) -> None:
    commit(bucket.state(), "first")
    line = bucket.line()
    state = bucket.state("bob", line)
    with state.lock():
        assert line.puts() == 0
    assert line.puts(LOCK) == 2
    reads = line.calls.count("GET ")
    with state.lock() as session:
        assert list(session.load().jobs) == ["first"]
    assert line.calls.count("GET ") == reads + 1, "an unchanged state is not read again"


def test_a_deleted_lock_is_fenced(bucket: Bucket) -> None:
    former = bucket.state("ada").lock()
    former.commit([SaveJob(job("first"))])
    storage = bucket.objects()
    storage._storage.delete(storage._at(LOCK))
    with bucket.state("bob").lock(), pytest.raises(StateError, match="another process wrote to it"):
        former.commit([SaveJob(job("late"))])
    former.__exit__(None, None, None)
    assert jobs(bucket) == ["first"]


def test_the_lease_is_renewed_in_the_background(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchctl.state.shared.lease._BEATS", 20.0 / 0.002)
    with bucket.state().lock() as session:
        before = session._lock._version
        for _ in range(PATIENCE * 500):
            if session._lock._version != before:
                break
            session._lock._end.wait(0.002)
        assert session._lock._version != before
        session.commit([SaveJob(job("first"))])


def test_only_the_named_epoch_is_broken(bucket: Bucket) -> None:
    state = bucket.state("bob")
    assert state.break_lock(state.holder()) is None
    first = bucket.state("ada").lock()
    held = state.holder()
    assert held is not None
    assert state.break_lock(held) == held
    with pytest.raises(StateError, match="another process wrote to it"):
        first.commit([SaveJob(job("late"))])
    first.__exit__(None, None, None)
    assert state.holder() is None
    with bucket.state("cyd").lock(), pytest.raises(GuardError, match=r"no longer that of epoch 1: .* of cyd .* has it"):
        state.break_lock(held)
    assert jobs(bucket) == []


def test_a_lock_that_is_broken_before_the_state_is_read_is_lost(bucket: Bucket) -> None:
    commit(bucket.state(), "first")
    line, other = bucket.line(), bucket.state("bob")

    def break_it(request: httpx.Request) -> None:
        if request.method == "GET" and not request.url.path.endswith(LOCK) and line.puts(LOCK):
            line.before = lambda _request: None
            assert other.break_lock(other.holder()) is not None

    line.before = break_it
    with pytest.raises(StateError, match="another process took it over"):
        bucket.state("ada", line).lock()
    assert line.puts() == 0
    with bucket.state("cyd").lock() as session:
        session.commit([SaveJob(job("second"))])
    assert jobs(bucket) == ["first", "second"]


# --- a bucket that fails


def cut_once(line: Line, when: str, suffix: str = "") -> None:
    done: list[str] = []

    def cut(request: httpx.Request) -> None:
        if is_put(request, suffix) and not done:
            done.append(suffix)
            raise httpx.ReadError("cut", request=request)

    setattr(line, when, cut)


@pytest.mark.parametrize("suffix", ["", LOCK])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_without_a_reply_is_settled_by_looking(bucket: Bucket, when: str, suffix: str) -> None:
    commit(bucket.state(), "first")
    line = bucket.line()
    cut_once(line, when, suffix)
    with bucket.state("bob", line).lock() as session:
        session.commit([SaveJob(job("second"))])
        assert jobs(bucket) == ["first", "second"]
        session.commit([SaveJob(job("third"))])
    assert jobs(bucket) == ["first", "second", "third"]
    assert line.puts(suffix) == 2 + (when == "before")


def test_a_lost_write_that_another_process_replaced_is_not_ours(bucket: Bucket) -> None:
    objects, line = bucket.objects(), bucket.line()

    def replace(request: httpx.Request) -> None:
        if is_put(request):
            line.after = lambda _request: None
            generation = objects.find("").generation
            assert objects.put("", io.BytesIO(b"theirs"), generation) is not None
            raise httpx.ReadError("cut", request=request)

    line.after = replace
    assert bucket.objects(line).put("", io.BytesIO(b"mine"), ABSENT) is None
    content = io.BytesIO()
    objects.fetch("", content)
    assert content.getvalue() == b"theirs"


def test_a_bucket_that_goes_away_stops_the_session_and_keeps_the_lock(bucket: Bucket) -> None:
    commit(bucket.state(), "first")
    line = bucket.line()
    session = bucket.state("bob", line).lock()

    def gone(request: httpx.Request) -> None:
        if "ifGenerationMatch" in request.url.params and request.method == "POST":
            raise httpx.ReadError("cut", request=request)

    line.before = gone
    with pytest.raises(StateError, match=f"the state {URL} cannot be used") as caught:
        session.commit([SaveJob(job("second"))])
    assert caught.value.code == "StateUnreachable"
    line.before = lambda _request: None
    for use in (session.check, session.load, lambda: session.commit([])):
        with pytest.raises(StateError, match="cannot be used"):
            use()
    session.__exit__(None, None, None)
    held = bucket.state().holder()
    assert held is None or held.who == "bob"
    bucket.clock.seconds += 30
    commit(bucket.state("cyd"), "third")
    assert jobs(bucket) == ["first", "third"]


def test_a_server_that_ignores_preconditions_is_refused(bucket: Bucket) -> None:
    line = bucket.line()
    line.ignores_preconditions = True
    with pytest.raises(StateError, match="ignores preconditions, so two writers") as caught:
        bucket.state("ada", line).lock()
    assert caught.value.code == "StateUnprotected"
    assert line.puts(LOCK) == line.puts() == 0


@pytest.mark.parametrize("use", [SharedState.load, SharedState.lock])
def test_a_substitute_is_refused_for_its_preconditions_first(
    bucket: Bucket, use: Callable[[SharedState], object]
) -> None:
    line = bucket.line()
    line.hides_refusals = True
    with pytest.raises(StateError, match="without an error from the API"):
        bucket.state("ada", line).load()
    line.ignores_preconditions = True
    with pytest.raises(StateError, match="ignores preconditions"):
        use(bucket.state("ada", line))
    assert line.puts() == 0


def test_the_probe_costs_two_writes_and_runs_once(bucket: Bucket) -> None:
    commit(bucket.state(), "first")
    line = bucket.line()
    state = bucket.state("ada", line)
    for name in ("second", "third"):
        commit(state, name)
    assert line.puts(PROBE) == 2


def test_a_missing_bucket_is_named(bucket: Bucket) -> None:
    objects = bucket.objects(url="gs://other/state.db")
    with pytest.raises(ApiError) as caught:
        objects.put("", io.BytesIO(b"x"), ABSENT)
    assert "check that the bucket other" in caught.value.hint


def test_a_lock_that_batchctl_did_not_write_is_refused(bucket: Bucket) -> None:
    for content in (b"{", b"[]", b'{"epoch": 1}', b'{"epoch":1,"holder":{},"leaseSeconds":null,"nonce":"x","beat":1}'):
        version = bucket.objects().find(LOCK)
        bucket.objects().put(LOCK, io.BytesIO(content), version.generation)
        with pytest.raises(StateError, match=f"the lock {URL}.lock is not valid"):
            bucket.state().holder()


def test_errors_name_the_bucket_and_not_the_copy(bucket: Bucket) -> None:
    bucket.objects().put("", io.BytesIO(b"not a state"), ABSENT)
    with pytest.raises(StateError) as caught:
        bucket.state().load()
    assert caught.value.code == "StateCorrupt"
    assert caught.value.message.startswith("the state gs://team/prod/state.db is corrupt")
    with pytest.raises(StateError, match=URL):
        bucket.state().lock()
    assert bucket.state().holder() is None


def test_the_state_of_another_stack_is_refused(bucket: Bucket) -> None:
    commit(bucket.state(), "first")
    with pytest.raises(StateError, match=f"the state {URL} belongs to stack 'demo'"):
        bucket.state(stack="other").load()


# --- large objects, backups


def test_a_large_state_is_sent_in_chunks(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchctl.providers.cloud.storage.CHUNK", 2**18)
    content = bytes(range(256)) * 2400
    objects, line = bucket.objects(), bucket.line()
    made = bucket.objects(line).put("", io.BytesIO(content), ABSENT)
    assert made is not None
    found = io.BytesIO()
    assert objects.fetch("", found).generation == made.generation
    assert found.getvalue() == content
    assert objects.put("", io.BytesIO(content + b"!"), ABSENT) is None
    assert objects.put("", io.BytesIO(content + b"!"), made.generation) is not None


def test_a_copy_is_complete(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(StateError, match=f"there is no state at {URL} yet"):
        bucket.state().copy_to(tmp_path / "copy.db")
    commit(bucket.state(), "first")
    bucket.state().copy_to(tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as db:
        assert db.execute("SELECT name FROM jobs").fetchall() == [("first",)]


def test_replaced_content_leaves_a_backup(bucket: Bucket) -> None:
    commit(bucket.state(), "first")
    content = bucket.state().content()
    commit(bucket.state(), "second")
    with bucket.state().lock() as session:
        backup = session.replace_content(content)
    assert backup == f"{URL}.backup-20261122T100000Z"
    assert jobs(bucket) == ["first"]
    assert bucket.objects().find(".backup-20261122T100000Z").generation != ABSENT


def test_a_damaged_state_is_rebuilt_and_kept(bucket: Bucket) -> None:
    bucket.objects().put("", io.BytesIO(b"not a state"), ABSENT)
    state = bucket.state()
    former = state.read_former()
    aside = state.rewrite([SaveJob(job("rebuilt"))], former)
    assert aside == f"{URL}.corrupt-20261122T100000Z"
    kept = io.BytesIO()
    bucket.objects().fetch(".corrupt-20261122T100000Z", kept)
    assert kept.getvalue() == b"not a state"
    assert jobs(bucket) == ["rebuilt"]
    with pytest.raises(GuardError, match=f"the state {URL} is valid"):
        state.read_former()
