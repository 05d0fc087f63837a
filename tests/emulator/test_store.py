from __future__ import annotations

import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from batchctl.emulator.core import Emulator
from batchctl.emulator.store import StoreUnusable
from batchctl.emulator.wire import Request
from tests.support.embedded_emulator import World
from tests.support.patience import PATIENCE


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "e.db"
    before = World(path)
    before.rules({"fate": "fail"})
    job, file = before.create("a", "b"), before.upload(b"x")
    session = before.start_upload()
    before.send(session, b"ab", 0, "upload")
    before.ok("POST", "/_emulator/clock", json={"advance": "1s"})
    before.faults({"method": "files.get", "kind": "status", "status": 500, "count": 1})
    counted = before.ok("GET", "/_emulator/requests")
    before.http.close()

    after = World(path)
    assert after.ok("GET", "/_emulator/requests") == counted
    assert after.http.get(f"/v1beta/{file['name']}").status_code == 500
    assert after.ok("GET", f"/v1beta/{file['name']}") == file
    assert after.state(job) == "RUNNING"
    assert after.send(session, b"c", 2).json()["file"]["sizeBytes"] == "3"
    after.pass_time("2s")
    assert after.state(job) == "FAILED"
    after.http.close()


def test_a_file_that_is_not_a_store_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    path.write_bytes(b"This is a letter, not a database. " * 100)
    with pytest.raises(StoreUnusable, match="delete it to start with an empty store"):
        Emulator(path)
    assert path.read_bytes().startswith(b"This is a letter")


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    Emulator(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreUnusable, match="format 99"):
        Emulator(path)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        Emulator(tmp_path)


def test_a_failing_transaction_is_rolled_back(world: World) -> None:
    store = world.emulator.store

    def change() -> None:
        with store.transaction():
            store.put_meta("a", 1)
            with store.transaction():
                store.put_meta("b", 2)
                raise RuntimeError

    with pytest.raises(RuntimeError):
        change()
    assert store.meta("a") is None
    assert store.meta("b") is None


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    Emulator(path).close()
    (tmp_path / "e.db-wal").mkdir()
    with pytest.raises(StoreUnusable, match=r"cannot be opened: .*Is a directory"):
        Emulator(path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER x AFTER INSERT ON counters BEGIN DELETE FROM jobs; END",
        "CREATE VIEW x AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT * FROM n",
    ],
)
def test_a_file_with_triggers_or_views_is_refused(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "e.db"
    Emulator(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
    with pytest.raises(StoreUnusable, match="contains a trigger or view"):
        Emulator(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    path.touch()
    with pytest.raises(StoreUnusable, match="has format 0"):
        Emulator(path)


def test_concurrent_creators_share_one_new_file(tmp_path: Path) -> None:
    for turn in range(25):
        path, gate = tmp_path / f"e{turn}.db", Barrier(4)

        def open_one(path: Path = path, gate: Barrier = gate) -> None:
            gate.wait()
            emulator = Emulator(path)
            emulator.handle(CREATE)
            emulator.close()

        with ThreadPoolExecutor(4) as pool:
            for opened in [pool.submit(open_one) for _ in range(4)]:
                opened.result()
        world = World(path)
        assert world.ok("GET", "/_emulator/requests")["total"] == 4
        world.http.close()


CREATE = Request(
    "POST",
    "/v1beta/models/gemini-x:batchGenerateContent",
    headers={"x-goog-api-key": "k"},
    body=b'{"batch":{"inputConfig":{"requests":{"requests":[{"request":{"contents":[{"parts":[{"text":"x"}]}]}}]}}}}',
)


def test_many_threads_share_an_emulator(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(world.emulator.handle, [CREATE] * 200))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 200
    assert world.ok("GET", "/_emulator/requests") == {"total": 200, "byMethod": {"batches.create": 200}}


def _create_many(path: Path) -> None:
    emulator = Emulator(path)
    for _ in range(25):
        assert emulator.handle(CREATE).status == 200
    emulator.close()


def test_many_processes_share_a_file_even_a_new_one(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_create_many, args=(tmp_path / "e.db",)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    world = World(tmp_path / "e.db")
    assert world.ok("GET", "/_emulator/requests")["total"] == 75
    assert len(world.ok("GET", "/_emulator/jobs")["jobs"]) == 75
    world.http.close()


def test_an_unwritable_store_is_a_server_error(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "emulator.db")
    emulator.store._db.execute("PRAGMA query_only=1")
    response = emulator.handle(Request("GET", "/v1beta/batches", (), {"x-goog-api-key": "k"}, b"", "http"))
    assert response.status == 500
    assert b"cannot write or read its store" in response.body
    emulator.close()


def test_a_blob_is_read_from_any_byte_on(world: World) -> None:
    store, parts = world.emulator.store, [b"abc", b"d", b"efgh"]
    store.append("blob", parts)
    whole = b"".join(parts)
    for start in range(len(whole)):
        assert b"".join(store.read("blob", start)) == whole[start:]
    with pytest.raises(ValueError, match="the blob has 8 bytes"):
        list(store.read("blob", 8))
