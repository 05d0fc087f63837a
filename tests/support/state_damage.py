"""Ways to damage a state file, chosen by a seeded random generator."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path, random.Random], None]

_PAGE = 4096
_HUGE = "x" * 300_000
_VALUES: tuple[object, ...] = (
    None,
    "",
    "noon",
    "a\0b",
    "\N{SNOWMAN}" * 50,
    _HUGE,
    "[" * 50_000,
    '{"a": NaN}',
    "null",
    "[]",
    "{}",
    "9999-99-99T99:99:99Z",
    "0001-01-01T00:00:00+23:59",
    "d1:" + "0" * 64,
    "JOB_STATE_BREWING",
    "batches/elsewhere",
    0,
    1,
    -1,
    2**63 - 1,
    -(2**63),
    0.5,
    float("inf"),
    b"",
    b"\xff\xfe\x00",
)


def _tables(conn: sqlite3.Connection) -> list[str]:
    return [row[0] for row in conn.execute("select name from sqlite_master where type = 'table' order by name")]


def _columns(conn: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in conn.execute(f"pragma table_info({table})")]


def _open(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None)
    for pragma in ("foreign_keys = off", "ignore_check_constraints = on", "journal_mode = delete"):
        conn.execute(f"pragma {pragma}")
    return conn


def _unstrict(conn: sqlite3.Connection) -> None:
    """Let every column accept every type, as in a file from another program."""
    conn.execute("pragma writable_schema = on")
    conn.execute("update sqlite_master set sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '')")
    conn.execute("pragma writable_schema = reset")


# --- bytes


def flip_bits(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 2, 8, 60))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def flip_in_text(path: Path, chance: random.Random) -> None:
    """Damage stored values, where the structure of the file does not show it."""
    content = bytearray(path.read_bytes())
    places = [place for place, byte in enumerate(content) if 0x30 <= byte < 0x7F]
    for _ in range(chance.choice((1, 1, 3))):
        content[chance.choice(places)] ^= 1 << chance.randrange(5)
    path.write_bytes(content)


def damage_header(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 4))):
        content[chance.randrange(100)] = chance.randrange(256)
    path.write_bytes(content)


def truncate(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    length = chance.choice((chance.randrange(len(content)), chance.randrange(len(content) // _PAGE) * _PAGE))
    path.write_bytes(content[:length])


def lengthen(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(chance.choice((1, 100, _PAGE, 3 * _PAGE))))


def damage_page(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content) // _PAGE) * _PAGE
    other = chance.randrange(len(content) // _PAGE) * _PAGE
    filling = chance.choice((bytes(_PAGE), chance.randbytes(_PAGE), bytes(content[other : other + _PAGE])))
    content[start : start + _PAGE] = filling
    path.write_bytes(content)


def replace_whole(path: Path, chance: random.Random) -> None:
    junk = chance.randbytes(chance.choice((1, 99, 100, 5000)))
    path.write_bytes(chance.choice((b"", junk, b"SQLite format 3\0" + junk, b"\0" * 8192, b"{}\n", _HUGE.encode())))


def damage_log(path: Path, chance: random.Random) -> None:
    """Put another file in the place of the log."""
    for suffix in ("-wal", "-shm", "-journal"):
        if chance.random() < 0.6:
            path.with_name(path.name + suffix).write_bytes(chance.randbytes(chance.choice((0, 1, 32, 4152, 40_000))))


# --- tables


def drop_table(path: Path, chance: random.Random) -> None:
    conn = _open(path)
    conn.execute(f"drop table {chance.choice(_tables(conn))}")
    conn.close()


def rename_table(path: Path, chance: random.Random) -> None:
    conn = _open(path)
    conn.execute(f"alter table {chance.choice(_tables(conn))} rename to strange")
    conn.close()


def rename_column(path: Path, chance: random.Random) -> None:
    conn = _open(path)
    table = chance.choice(_tables(conn))
    conn.execute(f"alter table {table} rename column {chance.choice(_columns(conn, table))} to strange")
    conn.close()


def add_things(path: Path, chance: random.Random) -> None:
    conn = _open(path)
    things = (
        "create table strange (id)",
        "alter table jobs add column strange text",
        "create index strange on jobs (path)",
        "create view strange as select 1",
        "create trigger strange after update on meta begin delete from attempts; end",
        "create trigger strange after update on meta begin update attempts set results = null; end",
    )
    conn.execute(chance.choice(things))
    conn.close()


def set_cells(path: Path, chance: random.Random) -> None:
    conn = _open(path)
    if chance.random() < 0.7:
        _unstrict(conn)
        conn.close()
        conn = _open(path)
    for _ in range(chance.choice((1, 1, 3))):
        table = chance.choice(_tables(conn))
        column, value = chance.choice(_columns(conn, table)), chance.choice(_VALUES)
        where = "" if chance.random() < 0.3 else f"where rowid = (select max(rowid) from {table})"
        try:
            conn.execute(f"update {table} set {column} = ? {where}", [value])
        except sqlite3.Error:
            continue  # a strict column or a unique key holds out
    conn.close()


def take_records(path: Path, chance: random.Random) -> None:
    conn = _open(path)
    table = chance.choice(_tables(conn))
    ids = [row[0] for row in conn.execute(f"select rowid from {table}")]
    for rowid in chance.sample(ids, chance.randint(1, len(ids))) if ids else []:
        conn.execute(f"delete from {table} where rowid = ?", [rowid])
    conn.close()


def mix_records(path: Path, chance: random.Random) -> None:
    """Give a record the values of another."""
    conn = _open(path)
    table = chance.choice(("jobs", "attempts", "meta"))
    for column in chance.sample(_columns(conn, table), 3):
        try:
            conn.execute(f"update {table} set {column} = (select {column} from {table} order by random() limit 1)")
        except sqlite3.Error:
            continue  # a unique key holds out
    conn.close()


def make_foreign(path: Path, chance: random.Random) -> None:
    """A SQLite file of another program, that may use our tables' names."""
    path.unlink()
    conn = _open(path)
    for table in chance.sample(("meta", "jobs", "attempts", "intents", "files", "events", "cookies"), 4):
        conn.execute(f"create table {table} (id integer, name text, format_version, stack, uid)")
        conn.execute(f"insert into {table} values (1, 'x', 1, 'demo', 'abc123')")
    conn.close()


DAMAGES: tuple[Damage, ...] = (
    flip_bits,
    flip_bits,
    flip_in_text,
    flip_in_text,
    damage_header,
    truncate,
    lengthen,
    damage_page,
    replace_whole,
    damage_log,
    drop_table,
    rename_table,
    rename_column,
    add_things,
    set_cells,
    set_cells,
    take_records,
    mix_records,
    make_foreign,
)
