"""Gives a file the newest format.

Each migration runs in one transaction with the update of the format number, so a file always has exactly one version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from batchctl.state.database import Database
from batchctl.state.formats import MIGRATIONS, Migration
from batchctl.state.seal import is_sealed, reseal

TABLES_FILE = Path(__file__).with_name("tables.sql")
"""The tables that all of them make. `pytest tests/state/test_migrations.py --update-golden` writes it."""


class Identity(Struct, frozen=True):
    """The stack that a state belongs to."""

    stack: str
    uid: str


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """One IMMEDIATE transaction: no other process writes between its reads and its writes."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def build(db: Database, migrations: Sequence[Migration], identity: Identity) -> None:
    """Give an empty file the newest format, in one transaction: disks take milliseconds for each."""
    newest = len(MIGRATIONS)
    with transaction(db):
        made = newest if tuple(migrations[:newest]) == MIGRATIONS else 0
        if made:
            _create_newest(db, identity)
        for number, migration in enumerate(migrations[made:], start=made + 1):
            _step(db, number, migration, identity)


def _create_newest(db: Database, identity: Identity) -> None:
    """All that `MIGRATIONS` make of an empty file, without a run of them: a test holds both to the same tables."""
    for statement in TABLES_FILE.read_text(encoding="utf-8").removesuffix(";\n").split(";\n"):
        db.execute(statement)
    _insert_meta(db, identity, len(MIGRATIONS))
    reseal(db)


def migrate(db: Database, version: int, migrations: Sequence[Migration], identity: Identity) -> None:
    """Migrate a file from `version` to the newest format, each step in a transaction of its own."""
    for number, migration in enumerate(migrations[version:], start=version + 1):
        with transaction(db):
            _step(db, number, migration, identity)


def _step(db: Database, number: int, migration: Migration, identity: Identity) -> None:
    migration(db)
    if number == 1:
        _insert_meta(db, identity, 1)
    else:
        db.table("meta").update(1, {"format_version": number})
    if is_sealed(db):
        reseal(db)


def _insert_meta(db: Database, identity: Identity, version: int) -> None:
    db.execute(
        "INSERT INTO meta (id, format_version, lineage, serial, epoch, stack, uid) VALUES (1, ?, ?, 0, 0, ?, ?)",
        (version, str(uuid4()), identity.stack, identity.uid),
    )
