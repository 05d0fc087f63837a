"""The places that values of the stack come from, and the effective configuration with them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.locations import Location


class OriginKind(StrEnum):
    """The kinds of places that a value can come from."""

    FILE = "file"
    ENVIRONMENT = "environment"
    OPTION = "option"
    DEFAULT = "default"


class Origin(Struct, frozen=True, gc=False):
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

    @classmethod
    def default(cls) -> Origin:
        """A default of batchctl."""
        return cls(OriginKind.DEFAULT, Location.without_position("default"))

    def __str__(self) -> str:
        return str(self.place)


class ConfigValue(Struct, frozen=True):
    """One value of the effective configuration."""

    value: Json
    """Nothing that has to stay secret; an empty list or mapping is a value, too."""
    origin: Origin
    variables: Mapping[str, Origin] = {}
    """The variables in it, with the origins of their values."""


ConfigTree: TypeAlias = "dict[str, ConfigTree] | list[ConfigTree] | ConfigValue"


class Config(Struct, frozen=True):
    """The effective configuration of a stack."""

    stack: str
    target: str | None
    tree: dict[str, ConfigTree]
    """`metadata` and `spec`, as in a stack file."""
