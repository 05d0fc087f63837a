"""Where a value of the stack comes from."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from batchctl.model.desired import Location


class OriginKind(StrEnum):
    """The kinds of places that a value can come from."""

    FILE = "file"
    ENVIRONMENT = "environment"
    OPTION = "option"


class Origin(NamedTuple):
    """The place of one value."""

    kind: OriginKind
    place: Location
    """In a file; else the name of the environment variable or the option."""

    @classmethod
    def file(cls, place: Location) -> Origin:
        """A place in a file."""
        return cls(OriginKind.FILE, place)

    @classmethod
    def environment(cls, name: str) -> Origin:
        """An environment variable."""
        return cls(OriginKind.ENVIRONMENT, Location.without_position(name))

    @classmethod
    def option(cls, name: str) -> Origin:
        """An option of the command line, such as `--set night`."""
        return cls(OriginKind.OPTION, Location.without_position(name))

    def __str__(self) -> str:
        return str(self.place)
