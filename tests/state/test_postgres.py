"""A state in PostgreSQL: one writer, every commit in the database before it counts, and a server that fails."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from batchctl.model.errors import BatchctlError, GuardError, LockedError, StateError
from batchctl.model.writes import DropPast, SaveJob, SavePast
from batchctl.state.postgres import held_row, place, server
from batchctl.state.postgres.lock_row import LockTable
from batchctl.state.shared.store import SharedState
from tests.support.patience import PATIENCE
from tests.support.shared_database import UNIT, Database, Line
from tests.support.state_samples import job, past


@pytest.fixture
def line(database: Database) -> Iterator[Line]:
    found = Line(database.server)
    yield found
    found.close()


def commit(state: SharedState, name: str) -> None:
    with state.lock() as session:
        session.commit([SaveJob(job(name))])


def jobs(database: Database) -> list[str]:
    """The jobs in the database, as a process sees them that has just started."""
    return list(database.state("reader").load().jobs)


# --- one writer


def test_a_commit_is_in_the_database_when_it_returns(database: Database) -> None:
    assert jobs(database) == []
    with database.state().lock() as session:
        for name in ("first", "second"):
            session.commit([SaveJob(job(name))])
            assert jobs(database)[-1] == name
            assert list(session.load().jobs) == jobs(database)
        session.check()
    commit(database.state("bob"), "third")
    assert jobs(database) == ["first", "second", "third"]
    assert database.sql(f"SELECT name FROM {database.schema}.jobs ORDER BY name") == [
        ("first",),
        ("second",),
        ("third",),
    ]


def test_the_times_of_forgotten_jobs_are_shared(database: Database) -> None:
    with database.state().lock() as session:
        session.commit([SavePast(past(2)), SavePast(past(1))])
        session.commit([DropPast(past(2)), SavePast(past(3))])
    assert database.state("bob").load().history == (past(1), past(3))


def test_reading_takes_no_lock_and_writes_nothing(database: Database) -> None:
    assert jobs(database) == []
    assert database.sql(f"SELECT 1 FROM pg_namespace WHERE nspname = '{database.schema}'") == []
    commit(database.state(), "first")
    state = database.state("bob")
    with database.state().lock():
        assert list(state.load().jobs) == ["first"]
        database.sql(f"ALTER TABLE {database.schema}.jobs RENAME TO hidden")
        assert list(state.load().jobs) == ["first"], "an unchanged state is not read again"


def test_a_locked_state_names_its_holder(database: Database) -> None:
    told: list[str] = []
    patient = database.state("bob", timeout=3, on_wait=told.append)
    with database.state("ada").lock():
        held = database.state().holder()
        assert held is not None
        assert (held.who, held.epoch) == ("ada", 1)
        with pytest.raises(LockedError, match=r"postgresql://.* is locked by .* of ada .* epoch 1") as caught:
            patient.lock()
    assert caught.value.details["epoch"] == 1
    assert database.clock.slept == [1.0] * 3
    assert len(told) == 1
    assert database.state().holder() is None
    with patient.lock():
        pass


def test_an_ended_lease_is_taken_over_and_its_holder_can_do_nothing_more(database: Database) -> None:
    commit(database.state(), "first")
    slept = database.state("ada").lock()
    database.later(19)
    with pytest.raises(LockedError):
        database.state("bob").lock()
    database.later(1)
    with database.state("bob").lock() as session:
        session.commit([SaveJob(job("second"))])
        for use in (slept.check, lambda: slept.commit([SaveJob(job("late"))]), slept.load):
            with pytest.raises(
                StateError, match=r"the lock on the state postgresql://.* another process took it"
            ) as lost:
                use()
            assert lost.value.code == "LockLost"
        slept.__exit__(None, None, None)
        holder = database.state().holder()
        assert holder is not None
        assert (holder.who, holder.epoch) == ("bob", 3)
    assert jobs(database) == ["first", "second"]


def test_a_process_that_ends_without_a_word_keeps_the_lock_for_the_short_lease(database: Database) -> None:
    killed = database.state("ada").lock()
    killed.commit([SaveJob(job("first"))])
    killed._lock.abandon()
    killed.close_copy()
    database.later(7)
    with pytest.raises(LockedError):
        database.state("bob").lock()
    database.later(1)
    commit(database.state("bob"), "second")
    assert jobs(database) == ["first", "second"]


def test_behind_a_pooler_only_the_long_lease_counts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_row, "is_direct", lambda _connection: False)
    killed = database.state("ada").lock()
    killed._lock.abandon()
    killed.close_copy()
    database.later(19)
    with pytest.raises(LockedError):
        database.state("bob").lock()
    database.later(1)
    commit(database.state("bob"), "first")


def test_a_holder_that_slept_goes_on_if_no_process_took_the_lock(database: Database) -> None:
    with database.state().lock() as session:
        database.later(500)
        session.check()
        with pytest.raises(LockedError):
            database.state("bob").lock()
        session.commit([SaveJob(job("first"))])
    assert jobs(database) == ["first"]


def test_the_lease_is_renewed_in_the_background(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchctl.state.shared.lease._BEATS", UNIT * 8.0 / 0.002)
    with database.state().lock() as session:
        database.later(15)
        age = f"SELECT clock_timestamp() - renewed < interval '{UNIT * 10} seconds' FROM {database.schema}.lock"
        for _ in range(PATIENCE * 500):
            if database.sql(age) == [(True,)]:
                break
            session._lock._end.wait(0.002)
        assert database.sql(age) == [(True,)]


def test_only_the_named_epoch_is_broken(database: Database) -> None:
    state = database.state("bob")
    assert state.break_lock(state.holder()) is None
    first = database.state("ada").lock()
    held = state.holder()
    assert held is not None
    assert state.break_lock(held) == held
    with pytest.raises(StateError, match="another process took it over"):
        first.commit([SaveJob(job("late"))])
    first.__exit__(None, None, None)
    assert state.holder() is None
    with (
        database.state("cyd").lock(),
        pytest.raises(GuardError, match=r"no longer that of epoch 1: .* of cyd .* has it"),
    ):
        state.break_lock(held)
    assert jobs(database) == []


# --- a server that fails


def test_an_ended_session_goes_on_with_a_higher_epoch(database: Database) -> None:
    with database.state().lock() as session:
        session.commit([SaveJob(job("first"))])
        database.cut_all()
        session.commit([SaveJob(job("second"))])
        database.cut_all()
        session._lock.confirm()
        holder = database.state("bob").holder()
        assert holder is not None
        assert holder.epoch == session._lock.epoch == 3
        with pytest.raises(LockedError):
            database.state("bob").lock()
    assert jobs(database) == ["first", "second"]
    assert database.state("bob").holder() is None


def test_a_session_that_is_ended_while_the_tables_are_read_reads_them_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(database.state(), "first")
    real = place.read_into

    def cut(*arguments: object) -> None:
        monkeypatch.setattr(place, "read_into", real)
        database.cut_all()
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(place, "read_into", cut)
    assert jobs(database) == ["first"]
    assert database.clock.slept == [0.5]


def test_an_ended_session_that_another_process_followed_is_lost(database: Database) -> None:
    first = database.state("ada").lock()
    database.cut_all()
    database.later(8)
    with database.state("bob").lock() as session:
        session.commit([SaveJob(job("second"))])
        for use in (first.check, lambda: first.commit([SaveJob(job("late"))])):
            with pytest.raises(StateError, match="another process took it over"):
                use()
        first.__exit__(None, None, None)
    assert jobs(database) == ["second"]


def test_a_server_that_starts_again_is_waited_for(database: Database, line: Line) -> None:
    url = line.url(database.schema)
    with database.state(url=url).lock() as session:
        session.commit([SaveJob(job("first"))])
        database.server.stop()

        def start() -> None:
            database.clock.on_sleep = lambda: None
            database.server.start()

        database.clock.on_sleep = start
        session.commit([SaveJob(job("second"))])
        assert database.clock.slept[-1] == 0.5
    assert jobs(database) == ["first", "second"]


def test_a_server_that_stays_away_ends_the_session(database: Database, line: Line) -> None:
    commit(database.state(), "first")
    session = database.state("bob", url=line.url(database.schema)).lock()
    line.close()
    with pytest.raises(StateError, match=r"the state postgresql://.* cannot be used: .*connection") as caught:
        session.commit([SaveJob(job("second"))])
    assert caught.value.code == "StateUnreachable"
    assert sum(database.clock.slept) == pytest.approx(31.5)
    for use in (session.check, session.load, lambda: session.commit([])):
        with pytest.raises(StateError, match="cannot be used"):
            use()
    session.__exit__(None, None, None)
    database.later(8)
    commit(database.state("cyd"), "third")
    assert jobs(database) == ["first", "third"]


@pytest.mark.parametrize("doing", ["cut before", "cut after"])
def test_a_commit_without_a_reply_is_settled(database: Database, line: Line, doing: str) -> None:
    commit(database.state(), "first")
    with database.state("bob", url=line.url(database.schema)).lock() as session:
        ways = [doing]
        line.on_commit = lambda: ways.pop() if ways else "pass"
        session.commit([SaveJob(job("second"))])
        assert not ways
        assert jobs(database) == ["first", "second"]
        session.commit([SaveJob(job("third"))])
    assert jobs(database) == ["first", "second", "third"]


def test_a_late_commit_has_the_row_until_it_is_done(database: Database, line: Line) -> None:
    """The holder is gone, and its COMMIT is still on the way: the next holder waits for it, and sees what it wrote."""
    commit(database.state(), "first")
    session = database.state("ada", url=line.url(database.schema)).lock()
    # For others, the lease is over.
    database.sql(f"UPDATE {database.schema}.lock SET renewed = renewed - interval '{UNIT * 30} seconds'")
    line.on_commit = lambda: "keep"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(held_row, "PAUSES", ())
        patched.setattr(server, "_SETTINGS", server._SETTINGS.replace("lock_timeout', '10s'", "lock_timeout', '100ms'"))
        patched.setattr(held_row.HeldRow._fenced, "__defaults__", ((), 60.0))
        with pytest.raises(StateError):
            session.commit([SaveJob(job("late"))])
        session.__exit__(None, None, None)
        assert jobs(database) == ["first"]
        with pytest.raises(LockedError):
            database.state("bob").lock()
    line.on_commit = lambda: "pass"
    line.deliver()
    database.later(8)
    commit(database.state("bob"), "second")
    assert jobs(database) == ["first", "late", "second"]


def test_a_server_that_says_nothing_more_is_left(
    database: Database, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = database.state(url=line.url(database.schema)).lock()
    monkeypatch.setattr(held_row.HeldRow._fenced, "__defaults__", ((), 0.2))
    line.is_silent = True
    with pytest.raises(StateError) as caught:
        session._lock.confirm()
    assert caught.value.code == "StateUnreachable"
    line.is_silent = False
    session.__exit__(None, None, None)


def test_a_standby_that_lags_is_found_out(database: Database) -> None:
    """As after a failover that lost a commit: nothing more is sent."""
    with database.state().lock() as session:
        session.commit([SaveJob(job("first"))])
        database.sql(f"UPDATE {database.schema}.lock SET generation = 'older'")
        database.later(7)
        with pytest.raises(StateError, match="a standby that lags took over") as caught:
            session.check()
        assert caught.value.code == "LockLost"
    assert database.state().holder() is not None


# --- servers and roles that cannot be used


def test_a_standby_is_read_only(database: Database) -> None:
    commit(database.state(), "first")
    database.sql("CREATE ROLE reader LOGIN SUPERUSER")
    try:
        database.sql("ALTER ROLE reader SET default_transaction_read_only = on")
        state = database.state(url=database.server.url(user="reader", schema=database.schema))
        assert list(state.load().jobs) == ["first"]
        with pytest.raises(StateError, match=r"cannot be written: cannot execute .* in a read-only") as caught:
            state.lock()
        assert caught.value.code == "StateReadOnly"
        assert "target_session_attrs=read-write" in caught.value.hint
    finally:
        database.sql("DROP ROLE reader")


def test_a_role_without_rights_is_told_what_it_needs(database: Database) -> None:
    database.sql("CREATE ROLE guest LOGIN")
    try:
        url = database.server.url(user="guest", schema=database.schema)
        with pytest.raises(StateError, match="permission denied for database") as caught:
            database.state(url=url).lock()
        assert (caught.value.code, "CREATE SCHEMA" in caught.value.hint) == ("StatePermission", True)
        database.sql(f"CREATE SCHEMA {database.schema} AUTHORIZATION guest")
        commit(database.state(url=url), "first")
        assert list(database.state(url=url).load().jobs) == ["first"]
    finally:
        database.close()
        database.sql(f"DROP SCHEMA IF EXISTS {database.schema} CASCADE")
        database.sql("DROP ROLE guest")


@pytest.mark.parametrize(
    ("url", "words", "slept"),
    [
        ("postgresql://tester@/none?host={folder}", 'database "none" does not exist', []),
        ("postgresql://nameless@/postgres?host={folder}", 'role "nameless" does not exist', []),
        ("postgresql://tester@/postgres?host={folder}/none", "No such file or directory", [0.5, 1.0, 2.0]),
        ("postgresql://tester@127.0.0.1:9/postgres", "Connection refused", [0.5, 1.0, 2.0]),
    ],
)
def test_a_server_that_cannot_be_reached_is_named(database: Database, url: str, words: str, slept: list[float]) -> None:
    with pytest.raises(StateError, match=words) as caught:
        database.state(url=url.format(folder=database.server.folder)).load()
    assert caught.value.code == "StateUnreachable"
    assert "PGPASSFILE" in caught.value.hint
    assert database.clock.slept == slept


def test_an_old_server_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "OLDEST_SERVER", 990000)
    with pytest.raises(StateError, match=r"is PostgreSQL \d\d$") as caught:
        database.state().load()
    assert caught.value.hint == "batchctl needs PostgreSQL 99 or newer"


def test_a_database_that_cannot_hold_all_texts_is_refused(database: Database) -> None:
    database.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    with pytest.raises(StateError, match="has the encoding LATIN1"):
        database.state(url=database.server.url("latin")).load()
    database.sql("DROP DATABASE latin WITH (FORCE)")


def test_a_schema_of_something_else_is_left_alone(database: Database) -> None:
    database.sql(f"CREATE SCHEMA {database.schema}")
    database.sql(f"CREATE TABLE {database.schema}.jobs (mine int)")
    with pytest.raises(
        StateError, match=f"the schema {database.schema} of .* has tables of something else, such as jobs"
    ):
        database.state().lock()
    assert database.sql(f"SELECT count(*) FROM {database.schema}.jobs") == [(0,)]


def test_the_state_of_another_stack_is_refused(database: Database) -> None:
    commit(database.state(), "first")
    with pytest.raises(StateError, match=r"the state postgresql://.* belongs to stack 'demo'") as caught:
        database.state(stack="other").load()
    assert caught.value.code == "StateForeign"


def test_a_state_of_a_newer_batchctl_is_refused(database: Database) -> None:
    commit(database.state(), "first")
    database.sql(f"UPDATE {database.schema}.meta SET format_version = 999")
    database.sql(f"UPDATE {database.schema}.lock SET format = 999")
    with pytest.raises(StateError, match="has format 999") as caught:
        database.state().load()
    assert caught.value.code == "StateTooNew"
    database.sql(f"UPDATE {database.schema}.lock SET layout = 2")
    with pytest.raises(StateError, match="was written by a newer batchctl"):
        database.state().lock()


def test_a_missing_library_has_a_way_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BatchctlError, match="needs psycopg, which is not installed") as caught:
        database.state().load()
    assert caught.value.code == "MissingLibrary"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE {0}.jobs SET model = 'other'", "do not match the checksum"),
        ("DROP TABLE {0}.attempts", "table attempts is missing"),
        ("ALTER TABLE {0}.jobs DROP COLUMN labels", "table jobs lacks a value for 'labels'"),
        ("DELETE FROM {0}.meta", "table meta has no record"),
        ("DELETE FROM {0}.lock", "table lock has no record"),
    ],
)
def test_damaged_tables_are_found_out(database: Database, damage: str, words: str) -> None:
    commit(database.state(), "first")
    database.sql(damage.format(database.schema))
    with pytest.raises(StateError, match=words) as caught:
        database.state().load()
    assert caught.value.code == "StateCorrupt"
    assert caught.value.message.startswith("the state postgresql://")


def test_damaged_tables_are_rebuilt_and_kept(database: Database, tmp_path: Path) -> None:
    commit(database.state(), "first")
    database.sql(f"UPDATE {database.schema}.jobs SET model = 'other'")
    state = database.state()
    aside = state.rewrite([SaveJob(job("rebuilt"))], state.read_former())
    assert aside == f"corrupt-20261122T100000Z in the table copies of {database.url}"
    assert jobs(database) == ["rebuilt"]
    ((content,),) = database.sql(f"SELECT content FROM {database.schema}.copies")
    assert isinstance(content, bytes)
    assert content.startswith(b"SQLite format 3")
    with pytest.raises(GuardError, match=r"the state postgresql://.* is valid"):
        state.read_former()


def test_nothing_is_left_open(database: Database) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'batchctl'"
    before = database.sql(count)
    commit(database.state(), "first")
    database.close()
    for _ in range(200):
        if database.sql(count) <= before:
            break
    assert database.sql(count) <= before


def test_two_first_runs_create_the_tables_once(database: Database) -> None:
    """The second one waits while the first creates the tables, and then sees them."""
    table = LockTable(database.schema, database.url)
    second = threading.Thread(target=lambda: commit(database.state(), "first"))
    with psycopg.connect(database.server.url()) as connection:
        table.create(connection.cursor())
        second.start()
        for _ in range(2000):
            if database.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
                break
    second.join()
    assert jobs(database) == ["first"]
