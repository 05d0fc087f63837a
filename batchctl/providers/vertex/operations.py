"""Waits for a long-running operation, such as a delete. Source: reference 3.3."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batchctl.model.errors import BadReply, NotFound, ReplyLost
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.observed import Status
from batchctl.model.ports.surroundings import Clock
from batchctl.providers.job_members import status
from batchctl.providers.vertex.resource_names import operation_path

_WAITS = (0.5, 1.0, 2.0, 4.0, *(8.0,) * 10)
"""Seconds before each further poll; about a minute and a half in total."""
_HINT = "run the command again: it checks whether the job still exists"


def wait_for_operation(
    operation: Mapping[str, Json],
    read: Callable[[str], Mapping[str, Json]],
    account: Account,
    clock: Clock,
    what: str,
) -> Status | None:
    """Poll the operation until it is done; gives its error, or None on success. `read` gets a URL path.

    Raises BadReply when the reply is not an operation, ReplyLost when it is not done in time or no longer known, and
    whatever else `read` raises.
    """
    path = operation_path(operation.get("name"), account)
    waits = iter(_WAITS)
    while operation.get("done") is not True:
        if path is None:
            raise BadReply(f"{what}: the reply is not an operation in {account.location}")
        wait = next(waits, None)
        if wait is None:
            raise ReplyLost(f"{what}: not done after {sum(_WAITS):g} seconds", hint=_HINT)
        clock.sleep(wait)
        try:
            operation = read(path)
        except NotFound as error:
            # This NotFound is not the job's: the outcome for the job is unknown.
            raise ReplyLost(f"{what}: the operation no longer exists: {error.message}", hint=_HINT) from error
    fault = operation.get("error")
    return None if fault in (None, {}) else status(fault) or Status(None, "")
