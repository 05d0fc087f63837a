"""Resolves a webhook's host to addresses that batchctl may call.

A name is resolved once and every address is checked. The caller connects to a checked address, so a later change of the
name has no effect. The author of a stack file must not reach services that only this machine can reach.
"""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_address

from batchctl.model.addresses import IpAddress, WebAddress, literal_address
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import HookUnusable, NotDelivered
from batchctl.model.reserved import is_public


def find_addresses(place: WebAddress, *, is_allowed: bool, timeout: float) -> list[IpAddress]:
    """The addresses of a host, in the system's order. `is_allowed`: the operator trusts it wherever it resolves to.

    Raises NotDelivered, and HookUnusable when the host may not be called.
    """
    if place.scheme != "https" and not is_allowed:
        raise _untrusted(place, "is not https")
    literal = literal_address(place.host)
    found = [literal] if literal is not None else _resolve(place, timeout)
    if not is_allowed and not all(is_public(address) for address in found):
        # The message omits the address: the author of the stack file must not learn how names resolve in this network.
        raise _untrusted(place, "resolves to an address that is not on the public Internet")
    return found


def _untrusted(place: WebAddress, why: str) -> HookUnusable:
    hint = f"if you trust it, set BATCHCTL_ALLOW_WEBHOOK={place.origin}"
    return HookUnusable(f"{place.origin} {why}", code=ErrorCode.UNTRUSTED_WEBHOOK, hint=hint)


def _resolve(place: WebAddress, timeout: float) -> list[IpAddress]:
    """Resolve with the system's resolver, which has no time limit; a blocked thread is abandoned."""
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
        raise NotDelivered(f"{place.host} cannot be resolved: {error}", hint="raise the thread limit") from error
    worker.join(timeout)
    if worker.is_alive():
        raise NotDelivered(f"{place.host} was not resolved within {timeout:g} seconds", hint="check DNS")
    if problem or not found:
        raise NotDelivered(f"{place.host} cannot be resolved", hint="check the host in the stack file") from (
            problem[0] if problem else None
        )
    return found
