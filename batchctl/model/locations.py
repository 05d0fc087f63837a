"""Places in files, and what is said about them."""

from __future__ import annotations

from msgspec import Struct


class Location(Struct, frozen=True, order=True, gc=False):
    """A place in a file, for messages: line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1
    has_position: bool = True
    """Whether line and column say where; not for an argument, a variable of the environment or a missing file."""

    @classmethod
    def without_position(cls, name: str) -> Location:
        """A place outside of any file, such as `-f jobs/`."""
        return cls(name, has_position=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.has_position else self.file


class Diagnostic(Struct, frozen=True, order=True):
    """One error or warning about a manifest or the stack file."""

    location: Location
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.location}: {self.code} {self.message}{hint}"


class RowProblem(Struct, frozen=True, order=True):
    """One error in a file of rows; lines count from 1."""

    line: int
    message: str
    hint: str = ""
    code: str = "InvalidRow"
    """One of the codes of manifests."""
