"""Where a stack keeps its results: a folder, or a bucket with a private copy of the files that are needed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from batchctl.model.ports.inputs import InputEncoder
from batchctl.model.ports.results import ResultStore, RowLedger, Shelf
from batchctl.model.stack import SharedPlace
from batchctl.rows.files import Files
from batchctl.rows.kept import KeptFolder


class ResultsPlace(Protocol):
    """Results as the commands see them. `bring…` raise ResultsError, and do nothing if all files are here anyway."""

    @property
    def root(self) -> Path:
        """The folder with the files that are here. Every file is at the same path as in a results folder."""
        ...

    @property
    def files(self) -> Files:
        """The facts of all files below `root`."""
        ...

    @property
    def shelf(self) -> Shelf: ...

    @property
    def store(self) -> ResultStore: ...

    def ledger(self, uid: str, inputs: InputEncoder) -> RowLedger:
        """The ledgers of jobs. `uid` is the short uid of the stack."""
        ...

    def kept(self) -> KeptFolder:
        """All collected results, checked. Raises ResultsError."""
        ...

    def unused(self) -> Mapping[str, int]:
        """The files that count for no job, such as those of a killed process, with their bytes. Raises ResultsError."""
        ...

    def shown(self, path: Path) -> str:
        """A path below `root` as people find it, such as `results/job/abababab-1`."""
        ...

    def probe(self) -> None:
        """Raise ResultsError unless results can be written."""
        ...

    def bring_facts(self, job: str) -> None:
        """Get the manifests, ledgers and lists of a job's rows, and `current`."""
        ...

    def bring_folder(self, folder: Path) -> None:
        """Get all files of a collected folder below `root`."""
        ...

    def bring_rows(self, job: str) -> None:
        """Get the rows that were made for a job from the answers of another one."""
        ...

    def keep_rows(self, job: str) -> None:
        """Keep the rows that were made for a job."""
        ...


OpenPlace: TypeAlias = Callable[[Path | SharedPlace], ResultsPlace]
"""Opens the place of results. Raises BatchctlError."""
