"""Every kind of unusable state file is refused with a code and a hint, never a traceback."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchctl.model.attempts import Intent
from batchctl.model.errors import StateError
from batchctl.model.recorded import RecordedFile
from batchctl.model.writes import SaveAttempt, SaveFile, SaveJob
from batchctl.state import connection, networks, sqlite_errors
from batchctl.state.cells import read_seconds, read_time
from batchctl.state.networks import file_system_of
from batchctl.state.sqlite_errors import state_errors
from batchctl.state.store import FileState, open_state
from tests.support.file_handles import no_handles_left
from tests.support.state_samples import HandClock, attempt, job


def fill(store: FileState, jobs: int = 1) -> None:
    clock = HandClock()
    with store.lock() as session:
        for number in range(jobs):
            made = attempt(f"job-{number}", intent=Intent(clock.now()))
            session.commit([SaveJob(job(f"job-{number}")), SaveAttempt(made)])
        session.commit([SaveFile(RecordedFile(made.account, "aa", "files/1", None))])


def edit(path: Path, sql: str) -> None:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("pragma foreign_keys = off")
    conn.execute("pragma ignore_check_constraints = on")
    conn.executescript(sql)
    conn.close()


def refused(call: Callable[[], object], code: str) -> StateError:
    with pytest.raises(StateError) as caught:
        call()
    assert caught.value.code == code
    assert caught.value.hint
    assert caught.value.exit_code == 1
    return caught.value


@pytest.mark.parametrize(
    "content",
    [b"", b"not a database, only text " * 40, b"SQLite format 3\0" + b"\xff" * 4000],
    ids=["empty", "text", "junk"],
)
def test_a_file_that_is_not_a_database_is_corrupt(store: FileState, path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for use in (store.load, store.lock, lambda: store.events(None, 1)):
        error = refused(use, "StateCorrupt")
        assert "batchctl state rebuild" in error.hint
        assert str(path) in error.message
    assert path.read_bytes() == content


def test_a_truncated_file_is_corrupt(store: FileState, path: Path) -> None:
    fill(store, jobs=40)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(store.load, "StateCorrupt")
    refused(store.lock, "StateCorrupt")


def test_a_damaged_page_is_found_at_the_lock(store: FileState, path: Path) -> None:
    fill(store, jobs=40)
    content = bytearray(path.read_bytes())
    page = content.index(b"jobs/a.yaml")
    content[page - page % 4096 : page - page % 4096 + 64] = b"\xee" * 64
    path.write_bytes(content)
    refused(store.lock, "StateCorrupt")
    refused(store.load, "StateCorrupt")


def test_another_programs_database_is_refused_and_not_changed(store: FileState, path: Path) -> None:
    path.parent.mkdir()
    edit(path, "create table jobs (id)")
    assert "not a state of batchctl" in refused(store.load, "StateCorrupt").message
    refused(store.lock, "StateCorrupt")
    conn = sqlite3.connect(path)
    assert conn.execute("select name from sqlite_master").fetchall() == [("jobs",)]
    conn.close()


@pytest.mark.parametrize("table", ["jobs", "attempts", "intents", "files", "events"])
def test_a_missing_table_is_named(store: FileState, path: Path, table: str) -> None:
    fill(store)
    edit(path, f"drop table {table}")
    assert f"table {table} is missing" in refused(store.load, "StateCorrupt").message
    assert f"table {table} is missing" in refused(store.lock, "StateCorrupt").message


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("delete from meta", "table meta has no record"),
        ("alter table jobs rename column labels to label", "table jobs lacks a value for 'labels'"),
        ("update jobs set lifecycle = '{' ", "table jobs, record job-0: "),
        ('update jobs set lifecycle = \'{"backoffLimit": "1"}\' ', "expected a whole number, found '1'"),
        ('update jobs set lifecycle = \'{"onChange": "sell"}\' ', "'sell' is not a valid OnChange"),
        ("update jobs set lifecycle = '[' || replace(hex(zeroblob(200000)), '00', '[')", "table jobs, record job-0"),
        ("update jobs set labels = '[]'", "expected a JSON object, found '[]'"),
        ("update jobs set labels = '{\"a\": 1}'", "expected text, found 1"),
        ("update jobs set kind = 'Batch'", "'Batch' is not a valid Kind"),
        ("update jobs set account = 'nowhere'", "not an account"),
        ("update attempts set rejected = 2", "table attempts, record job-0 1 0: expected 0 or 1, found 2"),
        ("update attempts set cancel_cause = 'whim'", "'whim' is not a valid CancelCause"),
        ("update attempts set end_time = 'noon'", "table attempts, record job-0 1 0"),
        ("update intents set time = '2026-11-22T10:00:00'", "a time without a time zone"),
        ("update files set account = ''", "table files"),
        ("delete from jobs", "an attempt of job-0"),
        ("delete from attempts", "an intent or an attempt of job-0@1.0"),
    ],
)
def test_a_value_that_cannot_be_parsed_is_named(store: FileState, path: Path, sql: str, message: str) -> None:
    fill(store)
    edit(path, sql)
    assert message in refused(store.load, "StateCorrupt").message


def test_text_that_is_not_utf_8_is_corrupt(store: FileState, path: Path) -> None:
    fill(store)
    edit(path, "update jobs set path = cast(x'ff' as text)")
    refused(store.load, "StateCorrupt")


@pytest.mark.parametrize("value", [True, "1", [1]])
def test_a_duration_is_a_number(value: object) -> None:
    with pytest.raises(ValueError, match="expected seconds"):
        read_seconds(value)


def test_a_time_that_a_person_typed_is_read() -> None:
    assert read_time("2026-11-22 12:00:00+02:00") == HandClock().now()


def test_numbers_are_numbers(store: FileState, path: Path) -> None:
    fill(store)
    edit(path, "update jobs set lifecycle = json_set(lifecycle, '$.backoffLimit', json('true'))")
    assert "expected a whole number, found True" in refused(store.load, "StateCorrupt").message


def test_a_log_without_its_file_is_refused(store: FileState, path: Path) -> None:
    session = store.lock()
    session.commit([SaveJob(job())])
    moved = path.with_name("moved.db")
    path.rename(moved)
    other = open_state(path, stack="demo", uid="abc123", clock=HandClock(), who="ada")
    assert "state.db-wal is still there" in refused(other.load, "StateCorrupt").message
    session._lock.release()
    session._lock = store._locking._take_lock()
    moved.rename(path)
    with session:
        assert set(session.load().jobs) == {"translate"}


def test_a_lock_without_the_file_but_with_its_log_is_refused(store: FileState, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("state.db-wal").write_bytes(b"half a state")
    refused(store.lock, "StateCorrupt")
    assert not path.exists()


def test_left_overs_of_a_killed_first_run_are_harmless(store: FileState, path: Path) -> None:
    path.parent.mkdir()
    for name in ("state.db.new", "state.db.new-wal", "state.db.new-shm", "state.db-wal", "state.db-shm"):
        path.with_name(name).write_bytes(b"" if name == "state.db-wal" else b"half")
    fill(store)
    assert set(store.load().jobs) == {"job-0"}
    assert {found.name for found in path.parent.iterdir()} <= {
        "state.db",
        "state.db.lock",
        "state.db-wal",
        "state.db-shm",
    }


def test_reading_in_a_folder_that_cannot_be_written(shared_path: Path, unprivileged: Callable[[], None]) -> None:
    store = open_state(shared_path, stack="demo", uid="abc123", clock=HandClock(), who="ada")
    fill(store)
    shared_path.chmod(0o644)
    shared_path.parent.chmod(0o555)
    before = sorted(found.name for found in shared_path.parent.iterdir())
    unprivileged()
    assert set(store.load().jobs) == {"job-0"}
    assert sorted(found.name for found in shared_path.parent.iterdir()) == before
    refused(store.lock, "StatePermission")


def test_reading_beside_a_writer_in_a_folder_that_cannot_be_written(
    shared_path: Path, unprivileged: Callable[[], None]
) -> None:
    store = open_state(shared_path, stack="demo", uid="abc123", clock=HandClock(), who="ada")
    with store.lock() as session:
        session.commit([SaveJob(job())])
        for name in ("state.db", "state.db-wal", "state.db-shm"):
            shared_path.with_name(name).chmod(0o644)
        shared_path.parent.chmod(0o555)
        unprivileged()
        assert set(store.load().jobs) == {"translate"}


def test_a_log_that_cannot_be_read_is_not_ignored(shared_path: Path, unprivileged: Callable[[], None]) -> None:
    store = open_state(shared_path, stack="demo", uid="abc123", clock=HandClock(), who="ada")
    with store.lock() as session:
        session.commit([SaveJob(job())])
        log = shared_path.with_name("state.db-wal").read_bytes()
    shared_path.with_name("state.db-wal").write_bytes(log)
    shared_path.chmod(0o644)
    shared_path.parent.chmod(0o555)
    unprivileged()
    refused(store.load, "StatePermission")


def test_a_file_that_may_not_be_read(shared_path: Path, unprivileged: Callable[[], None]) -> None:
    store = open_state(shared_path, stack="demo", uid="abc123", clock=HandClock(), who="ada")
    fill(store)
    shared_path.parent.chmod(0o755)
    unprivileged()
    refused(store.load, "StatePermission")


def test_a_file_that_changes_while_it_is_read_without_a_log_is_read_again(
    shared_path: Path, unprivileged: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_state(shared_path, stack="demo", uid="abc123", clock=HandClock(), who="ada")
    fill(store)
    shared_path.chmod(0o644)
    shared_path.parent.chmod(0o555)
    unprivileged()
    moving = iter(range(100))
    signature = connection._signature
    monkeypatch.setattr(connection, "_signature", lambda path: (next(moving), *signature(path)))
    refused(store.load, "StateBusy")
    still = iter([1, 2, 3, 3])
    monkeypatch.setattr(connection, "_signature", lambda path: (next(still), *signature(path)))
    assert set(store.load().jobs) == {"job-0"}
    assert list(still) == []


def test_a_folder_where_the_file_should_be(store: FileState, path: Path) -> None:
    path.mkdir(parents=True)
    refused(store.load, "StateFailed")
    refused(store.lock, "StateFailed")


def test_a_file_where_the_folder_should_be(store: FileState, path: Path) -> None:
    path.parent.write_text("")
    refused(store.lock, "StateFailed")


def test_a_full_disk_loses_nothing(store: FileState) -> None:
    fill(store)
    with store.lock() as session:
        pages = session._db.execute("PRAGMA page_count").fetchone()[0]
        session._db.execute(f"PRAGMA max_page_count = {pages}")
        big = {"a": "x" * 50_000}
        refused(
            lambda: session.commit([SaveJob(job("second")), SaveAttempt(attempt("second", tree=big))]), "StateDiskFull"
        )
        assert set(session.load().jobs) == {"job-0"}
    assert set(store.load().jobs) == {"job-0"}


def test_a_state_that_turns_read_only(store: FileState) -> None:
    fill(store)
    with store.lock() as session:
        session._db.execute("PRAGMA query_only = ON")
        refused(lambda: session.commit([SaveJob(job("second"))]), "StateReadOnly")


def test_a_shell_that_keeps_the_file_busy(store: FileState, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.0)
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("begin immediate")
    refused(store.lock, "StateBusy")
    shell.close()
    with store.lock():
        pass


def test_a_closed_session_gives_an_error_without_traceback(store: FileState) -> None:
    with store.lock() as session:
        pass
    refused(lambda: session.commit([SaveJob(job())]), "StateFailed")
    refused(session.check, "StateFailed")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "StateDiskFull"),
        (errno.EDQUOT, "StateDiskFull"),
        (errno.EROFS, "StateReadOnly"),
        (errno.EACCES, "StatePermission"),
        (errno.EPERM, "StatePermission"),
        (errno.EIO, "StateFailed"),
    ],
)
def test_faults_of_the_system_are_mapped(number: int, code: str) -> None:
    def fail() -> None:
        with state_errors(Path("/s/state.db")):
            raise OSError(number, "no")

    assert "/s/state.db" in refused(fail, code).message


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "StateDiskFull"), (errno.EDQUOT, "StateDiskFull"), (errno.EIO, "StateFailed"), (0, "StateFailed")],
)
def test_an_io_error_is_a_full_disk_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fsync(handle: int) -> None:
        if number:
            raise OSError(number, "no")

    def fail() -> None:
        with state_errors(tmp_path / "state.db"):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
            raise error

    monkeypatch.setattr(sqlite_errors.os, "fsync", fsync)
    refused(fail, code)
    assert list(tmp_path.iterdir()) == []


def test_shared_memory_that_cannot_grow_is_a_full_disk(tmp_path: Path) -> None:
    """A few kilobytes are left: too little for SQLite, and enough for a byte of ours."""

    def fail() -> None:
        with state_errors(tmp_path / "state.db"):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
            raise error

    refused(fail, "StateDiskFull")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; only root can mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system of its own can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_can_be_read_and_is_reported(store: FileState, path: Path, small_disk: Path) -> None:
    fill(store, jobs=3)
    there = open_state(small_disk / "state.db", stack="demo", uid="abc123", clock=HandClock(), who="ada")
    (small_disk / "state.db").write_bytes(path.read_bytes())
    with (small_disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    refused(there.lock, "StateDiskFull")
    for _ in range(2):
        assert there.load() == store.load()
        there.copy_to(path.with_name("copy.db"))
        refused(there.lock, "StateDiskFull")
    (small_disk / "filler").unlink()
    with there.lock() as session:
        session.commit([SaveJob(job("later"))])
    assert "later" in there.load().jobs


def test_every_code_of_sqlite_is_mapped() -> None:
    names = [name for name in dir(sqlite3) if name.startswith("SQLITE_") and name not in {"SQLITE_OK", "SQLITE_DONE"}]
    for name in names:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = getattr(sqlite3, name)
        with pytest.raises(StateError) as caught, state_errors(Path("/s/state.db")):
            raise error
        assert caught.value.code.startswith("State"), name
    assert len(names) > 50


MOUNTS = r"""overlay / overlay rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sda1 /home/ada/local ext4 rw 0 0
host: /mnt/with\040space fuse.sshfs rw 0 0
server:/a /twice nfs rw 0 0
tmpfs /twice tmpfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/stack", "overlay"),
        ("/home/bob/.batchctl", "nfs4"),
        ("/home", "nfs4"),
        ("/homework", "overlay"),
        ("/home/ada/local/x", "ext4"),
        ("/mnt/with space/x", "fuse.sshfs"),
        ("/twice/x", "tmpfs"),
    ],
)
def test_the_deepest_and_latest_mount_counts(folder: str, kind: str) -> None:
    assert file_system_of(Path(folder), MOUNTS) == kind


def test_a_network_file_system_is_refused(
    store: FileState, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mounts"
    table.write_text(f"a / ext4 rw\nserver:/x {tmp_path.resolve()} nfs rw\n")
    monkeypatch.setattr(networks, "MOUNTS", table)
    assert "(nfs)" in refused(store.lock, "StateOnNetwork").message
    assert not path.parent.exists()
    table.unlink()
    with store.lock():
        assert path.exists()


def test_this_machines_own_mounts_can_be_read() -> None:
    if sys.platform == "linux":
        assert file_system_of(Path("/"), networks.MOUNTS.read_text()) != ""


def test_a_damaged_index_hides_no_record(store: FileState, path: Path) -> None:
    fill(store, jobs=40)
    conn = sqlite3.connect(path)
    root = conn.execute("select rootpage from sqlite_master where name = 'sqlite_autoindex_jobs_1'").fetchone()[0]
    conn.close()
    content = bytearray(path.read_bytes())
    # An empty page of an index: SQLite finds nothing wrong with it until index and table are compared.
    content[(root - 1) * 4096 : root * 4096] = b"\x0a" + bytes(4) + b"\x10" + bytes(4090)
    path.write_bytes(content)
    assert len(store.load().jobs) == 40
    refused(store.lock, "StateCorrupt")


@pytest.mark.parametrize(
    "sql",
    [
        "update attempts set digest = 'd1:' || substr(digest, 4, 63) || 'c'",
        "update attempts set remote = 'batches/elsewhere'",
        "update jobs set current = 2",
        "delete from intents",
        "delete from files",
        "insert into accounts values ('gemini emulator', 'x')",
        "update meta set seal = '0'",
        "update meta set seal = 'x'",
    ],
)
def test_a_value_that_batchctl_did_not_write_is_refused(store: FileState, path: Path, sql: str) -> None:
    fill(store)
    edit(path, sql)
    refused(store.load, "StateCorrupt")
    with pytest.raises(StateError) as caught, store.lock() as session:
        session.load()
    assert caught.value.code == "StateCorrupt"


@pytest.mark.parametrize(
    "thing", ["view strange as select 1", "trigger strange after update on meta begin select 1; end"]
)
def test_triggers_and_views_are_refused(store: FileState, path: Path, thing: str) -> None:
    fill(store)
    edit(path, f"create {thing}")
    assert "strange" in refused(store.load, "StateCorrupt").message
    refused(store.lock, "StateCorrupt")


@pytest.mark.parametrize("left", range(8))
def test_a_lack_of_handles_is_reported_and_temporary(store: FileState, path: Path, left: int) -> None:
    fill(store)

    def lock_and_load() -> None:
        with store.lock() as session:
            session.commit([SaveJob(session.load().jobs["job-0"].row)])

    for use in (store.load, lock_and_load):
        told = ""
        with no_handles_left(but=left):
            try:
                use()
            except StateError as error:
                told = f"{error.code}: {error.message}"
        assert ("limit of open files" in told) == bool(told), told
        assert told or left
        use()
