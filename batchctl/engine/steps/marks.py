"""The marks that a results folder has of its stack and its create call."""

from __future__ import annotations

from batchctl.model.keys import short_uid
from batchctl.model.stack import Stack


def marks_of(stack: Stack, token: str) -> dict[str, str]:
    """The marks for the manifest of an attempt's results."""
    return {"stack": stack.name, "uid": short_uid(stack.uid), "token": token}
