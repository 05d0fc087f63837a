"""Results in a folder on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.model.stack import SharedPlace
from batchctl.rows.files import LOCAL

if TYPE_CHECKING:  # `validate` reads rows of chains alone, and these take a part of its start
    from batchctl.model.ports.inputs import InputEncoder
    from batchctl.rows.kept import KeptFolder
    from batchctl.rows.ledger import ResultsLedger
    from batchctl.rows.looks import ResultsShelf
    from batchctl.rows.results import ResultsFolder


class LocalPlace:
    """A results folder on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = LOCAL

    @property
    def shelf(self) -> ResultsShelf:
        from batchctl.rows.looks import ResultsShelf

        return ResultsShelf(self.root)

    @property
    def store(self) -> ResultsFolder:
        from batchctl.rows.results import ResultsFolder

        return ResultsFolder(self.root)

    def ledger(self, uid: str, inputs: InputEncoder) -> ResultsLedger:
        from batchctl.rows.ledger import ResultsLedger

        return ResultsLedger(self.root, uid, inputs)

    def kept(self) -> KeptFolder:
        from batchctl.rows.kept import read_kept

        return read_kept(self.root)

    def unused(self) -> Mapping[str, int]:
        return {}

    def shown(self, path: Path) -> str:
        return os.path.relpath(path)

    def probe(self) -> None:
        """The first collection finds out, before any remote job is deleted."""

    def bring_facts(self, job: str) -> None:
        """They are here."""

    def bring_folder(self, folder: Path) -> None:
        """It is here."""

    def bring_rows(self, job: str) -> None:
        """They are here."""

    def keep_rows(self, job: str) -> None:
        """They are kept."""


def open_local(place: Path | SharedPlace) -> LocalPlace:
    """A results folder, for callers that know no other place."""
    assert isinstance(place, Path), "a bucket needs a connection"
    return LocalPlace(place)
