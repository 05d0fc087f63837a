"""A state file that cannot be used: each command says what is wrong and the way out, and nothing is done remotely."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchctl.state import locking
from batchctl.state.database import Database
from tests.support.command_line import Cli, Service, StackFolder

NOBODY = 65534
COMMANDS = (["plan"], ["apply", "--yes"], ["watch", "--yes"], ["status"], ["state", "list"], ["state", "pull", "copy"])


def edit(path: Path, sql: str) -> None:
    conn = sqlite3.connect(path)
    conn.executescript(sql)
    conn.close()


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


DAMAGE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "newer": (lambda path: edit(path, "update meta set format_version = 99"), "StateTooNew", "upgrade batchctl"),
    "foreign": (lambda path: edit(path, "update meta set uid = 'zzzzzz'"), "StateForeign", "--state"),
    "truncated": (cut, "StateCorrupt", "batchctl state rebuild"),
    "empty": (lambda path: path.write_bytes(b""), "StateCorrupt", "batchctl state rebuild"),
    "no database": (lambda path: path.write_bytes(b"text " * 4000), "StateCorrupt", "batchctl state rebuild"),
    "another program's": (lambda path: edit(path, "drop table meta"), "StateCorrupt", "batchctl state rebuild"),
}


def test_each_damage_is_told_with_its_way_out(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    before = service.jobs()
    path = stack.path / ".batchctl" / "state.db"
    cli.ok("state", "pull", "sound.db")
    for damage, code, way_out in DAMAGE.values():
        shutil.copy("sound.db", path)
        damage(path)
        for command in COMMANDS:
            ran = cli(*command)
            assert ran.code == 1, (command, ran)
            assert code in ran.err, (command, ran)
            assert way_out in ran.err, (command, ran)
            assert str(path) in ran.err.replace("\n", ""), (command, ran)
    assert service.jobs() == before
    assert not Path("copy").exists()


def test_a_full_disk_before_a_create_creates_nothing(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    connect = locking.connect_writer

    def connect_on_a_full_disk(path: Path) -> Database:
        db = connect(path)
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        return db

    for number in range(20):
        stack.write_job(f"more-{number}", labels={"note": "x" * 60})
    listed = cli.ok("state", "list", "-o", "json").json["jobs"]
    monkeypatch.setattr(locking, "connect_writer", connect_on_a_full_disk)
    ran = cli("apply", "--yes")
    assert ran.code == 1
    assert "StateDiskFull" in ran.err
    assert "free some space" in ran.err
    assert service.creates == 1
    assert cli.ok("state", "list", "-o", "json").json["jobs"] == listed


@pytest.fixture
def shared(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[StackFolder]:
    """A stack in a folder that other users can reach; pytest's own folders are private."""
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    place.chmod(0o755)
    folder = StackFolder(place / "stack")
    folder.write_stack()
    monkeypatch.chdir(folder.path)
    yield folder
    monkeypatch.chdir("/")
    if os.getuid() == 0:
        os.seteuid(0)
    for found in (place, *place.rglob("*")):
        found.chmod(0o755)
    shutil.rmtree(place)


def test_a_read_only_state_can_be_read_and_not_written(shared: StackFolder, cli: Cli, service: Service) -> None:
    shared.write_job("translate")
    cli.ok("apply", "--yes")
    folder = shared.path / ".batchctl"
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    results = shared.path / "results"
    results.mkdir(exist_ok=True)
    for path in (results, *results.rglob("*")):
        path.chmod(0o777)
    if os.getuid() == 0:
        os.seteuid(NOBODY)
    for command in (["plan"], ["status"], ["drift"], ["state", "list"]):
        cli.ok(*command)
    for command in (["apply", "--yes"], ["state", "rm", "translate", "--yes"], ["state", "rebuild", "--force"]):
        ran = cli(*command)
        assert ran.code == 1
        assert "StatePermission" in ran.err or "StateReadOnly" in ran.err
        assert "--state" in ran.err
    assert service.creates == 1
