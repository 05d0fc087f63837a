"""The report of a Python program in this folder: one line for each API and operation."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

_OUT = os.fdopen(os.dup(sys.stdout.fileno()), "w")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no outcome

_LONGEST = 200


class NeedsError(Exception):
    """An operation that cannot be tried, because an earlier one failed."""


class Missing:
    """Replaces the value of an operation that failed."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __getattr__(self, _name: str) -> Any:
        raise NeedsError(f"not tried: needs “{self._operation}”")


class Attempts:
    """The operations of one program. An operation with several forms works only if all of them work."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], dict[str, list[str]]] = {}

    def attempt(
        self,
        api: str,
        operation: str,
        call: Callable[[], Any],
        *,
        form: str = "",
        because: Mapping[str, str] | None = None,
    ) -> Any:
        """Try the operation: `call` raises if it does not work. Returns its value.

        `because` explains known errors: a part of the error's text, and the reason for the table.
        """
        failures = self._failures.setdefault((api, operation), {})
        try:
            return call()
        except Exception as error:  # noqa: BLE001  that is the outcome
            failures.setdefault(_reason(error, because or {}), []).append(form)
            return Missing(operation)

    def tell(self) -> None:
        """Print the outcomes."""
        for (api, operation), failures in self._failures.items():
            reasons = [
                ": ".join(filter(None, (", ".join(filter(None, forms)), reason))) for reason, forms in failures.items()
            ]
            said = {"api": api, "operation": operation, "outcome": "; ".join(reasons) or "works"}
            print(json.dumps(said, ensure_ascii=False), file=_OUT, flush=True)


def _reason(error: Exception, because: Mapping[str, str]) -> str:
    if isinstance(error, NeedsError):
        return str(error)
    text = f"{type(error).__name__}: {error}"
    for part, reason in because.items():
        if part in text:
            return reason
    return " ".join(text.split())[:_LONGEST]


def expect(is_so: bool, otherwise: object = "") -> None:
    """An assertion of the program about a reply."""
    if not is_so:
        raise AssertionError(f"unexpected: {otherwise!r}"[:_LONGEST])
