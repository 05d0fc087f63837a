"""From a webhook's host to addresses that may be called.

A name is resolved once, every address is checked, and the caller connects to what was checked: a name that leads
elsewhere a moment later changes nothing. Who writes the stack file must not reach what only this machine can reach.
"""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_address

from batchctl.model.addresses import WebAddress, literal_address
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import HookUnusable, NotDelivered
from batchctl.model.reserved import IpAddress, is_public


def find_addresses(place: WebAddress, *, is_allowed: bool, timeout: float) -> list[IpAddress]:
    """The addresses of a host, in the system's order. `is_allowed`: the operator trusts it wherever it leads.

    Raises NotDelivered, and HookUnusable when the host may not be called.
    """
    if place.scheme != "https" and not is_allowed:
        raise _untrusted(place, "is not https")
    literal = literal_address(place.host)
    found = [literal] if literal is not None else _resolve(place, timeout)
    if not is_allowed and not all(is_public(address) for address in found):
        # Which address it is stays unsaid: the stack file's author is not told what names resolve to in here.
        raise _untrusted(place, "leads to an address that is not the public Internet's")
    return found


def _untrusted(place: WebAddress, why: str) -> HookUnusable:
    hint = f"if you trust it: BATCHCTL_ALLOW_WEBHOOK={place.origin}"
    return HookUnusable(f"{place.origin} {why}", code=ErrorCode.UNTRUSTED_WEBHOOK, hint=hint)


def _resolve(place: WebAddress, timeout: float) -> list[IpAddress]:
    """Ask the system, which has no time limit of its own; a thread that it holds back is left behind."""
    found: list[IpAddress] = []
    problem: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            problem.append(error)
            return
        found.extend(dict.fromkeys(ip_address(answer[4][0]) for answer in answers))

    worker = threading.Thread(target=ask, daemon=True)
    try:
        worker.start()
    except RuntimeError as error:
        raise NotDelivered(f"{place.host} cannot be resolved: {error}", hint="raise the limit of threads") from error
    worker.join(timeout)
    if worker.is_alive():
        raise NotDelivered(f"{place.host} was not resolved within {timeout:g} seconds", hint="check the name service")
    if problem or not found:
        raise NotDelivered(f"{place.host} cannot be resolved", hint="check the host in the stack file") from (
            problem[0] if problem else None
        )
    return found
