"""The results of the attempts before the one that is collected."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.ports.inputs import SourceFile
from batchctl.model.row_work import RowChoice
from batchctl.rows.input_list import InputList, read_input_list, write_input_list
from batchctl.rows.ledger_index import LedgerIndex
from batchctl.rows.segments import Wanted, read_segments
from batchctl.rows.whole_input import WholeInput


class Earlier(Struct, frozen=True):
    """Reads them, and keeps what they have in common."""

    root: Path
    target: Path
    """The folder that is written."""
    key: AttemptKey
    uid: Json
    choice: RowChoice
    digest: str
    """Of the work."""

    def listed(self) -> InputList | None:
        """The list of an input at Cloud Storage. Raises ResultsError."""
        return read_input_list(self.root, self.key.job, self.digest)

    def keep(self, whole: WholeInput, files: tuple[SourceFile, ...]) -> None:
        """Write the list of an input at Cloud Storage that was sent as it is. Raises ResultsError."""
        write_input_list(self.root, self.key.job, self.digest, whole, files)

    def index(self) -> LedgerIndex:
        """Their rows. A damaged ledger is left out: its rows have no result. Raises ResultsError."""
        wanted = Wanted(str(self.uid), self.choice.since, self.target.name)
        found = read_segments(self.root, self.key.job, wanted)
        return LedgerIndex(found.found, self.choice.accept)
