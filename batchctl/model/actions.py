"""The actions of a plan, and their traits.

A rule that treats some actions alike asks for a trait. A new action has to define all of them.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import assert_never

from msgspec import Struct


class ActionTraits(Struct, frozen=True, kw_only=True):
    """The traits of one action."""

    is_quiet: bool
    """Nothing changes: the job waits, or there is nothing to do."""
    is_harmless: bool
    """Nothing is bought, stopped, removed or released: at most results are collected."""
    buys: bool
    """A new attempt is bought."""
    stops: bool
    """A remote job is cancelled or deleted."""
    follows_remote: bool
    """It continues an earlier decision, independently of the present manifest."""
    gains_remote: bool
    """The job has another remote job afterwards."""


class Action(StrEnum):
    """The one action that a plan has for each job."""

    CREATE = "create"
    ADOPT = "adopt"
    REUSE = "reuse"
    RETRY = "retry"
    REPLACE = "replace"
    UPDATE = "update"
    """Only settings that leave the work as it is: free, and without consent."""
    CANCEL = "cancel"
    DELETE = "delete"
    FORGET = "forget"
    COLLECT = "collect"
    WAIT = "wait"
    NONE = "none"

    @cached_property
    def is_quiet(self) -> bool:
        return self._traits.is_quiet

    @cached_property
    def is_harmless(self) -> bool:
        return self._traits.is_harmless

    @cached_property
    def buys(self) -> bool:
        return self._traits.buys

    @cached_property
    def stops(self) -> bool:
        return self._traits.stops

    @cached_property
    def follows_remote(self) -> bool:
        return self._traits.follows_remote

    @cached_property
    def gains_remote(self) -> bool:
        return self._traits.gains_remote

    @cached_property
    def _traits(self) -> ActionTraits:
        match self:
            case Action.NONE | Action.WAIT:
                return _QUIET
            case Action.COLLECT:
                return _COLLECTS
            case Action.CREATE | Action.RETRY:
                return _BUYS
            case Action.REPLACE:
                return _REPLACES
            case Action.CANCEL | Action.DELETE:
                return _STOPS
            case Action.ADOPT:
                return _ADOPTS
            case Action.REUSE | Action.UPDATE | Action.FORGET:
                return _RECORDS
            case _:
                assert_never(self)


_QUIET = ActionTraits(is_quiet=True, is_harmless=True, buys=False, stops=False, follows_remote=True, gains_remote=False)
_COLLECTS = ActionTraits(
    is_quiet=False, is_harmless=True, buys=False, stops=False, follows_remote=True, gains_remote=False
)
_BUYS = ActionTraits(is_quiet=False, is_harmless=False, buys=True, stops=False, follows_remote=False, gains_remote=True)
_REPLACES = ActionTraits(
    is_quiet=False, is_harmless=False, buys=True, stops=True, follows_remote=False, gains_remote=True
)
_STOPS = ActionTraits(
    is_quiet=False, is_harmless=False, buys=False, stops=True, follows_remote=True, gains_remote=False
)
_ADOPTS = ActionTraits(
    is_quiet=False, is_harmless=False, buys=False, stops=False, follows_remote=False, gains_remote=True
)
_RECORDS = ActionTraits(
    is_quiet=False, is_harmless=False, buys=False, stops=False, follows_remote=False, gains_remote=False
)
