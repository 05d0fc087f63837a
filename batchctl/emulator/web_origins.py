"""Protects the served emulator against web pages: only programs may call it.

A page in a browser can send calls to any port of its machine, but it cannot choose the headers that the browser adds:
`Host` is the name under which the page reaches the server, `Origin` and `Sec-Fetch-Site` identify the page. Calls under
an unknown host name (an attacker's name that resolves to this machine) and calls from a page of another origin are
refused before they are processed. A client that sends none of these headers is not a browser.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from batchctl.emulator.wire import Refused

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_FRIENDLY_SITES = frozenset({"", "none", "same-origin"})
_BROWSER = ("origin", "referer", "sec-fetch-site", "sec-fetch-dest")
"""Without `sec-fetch-mode`, which Node.js sends, too."""
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_FORM = "application/x-www-form-urlencoded"
"""The content type that `curl -d` sends with every body."""
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared, not bound


class OriginCheck:
    """`bound` is the address that the server listens on, `names` are further host names that are allowed."""

    def __init__(self, bound: str, names: frozenset[str] = frozenset()) -> None:
        self._names = frozenset(name.lower().strip("[]").rstrip(".") for name in (bound, *names)) - _WILDCARDS
        # A server that listens on all addresses allows any literal address: it cannot be a name of an attacker.
        self._any_address = bound in _WILDCARDS

    def check(self, scheme: str, headers: Mapping[str, str]) -> None:
        """Raise Refused (403) for a call from a web page of another origin, or under an unknown host name."""
        host = headers.get("host", "").lower()
        if host and not self._knows(host):
            raise Refused(
                403, f"Host {ascii(host)[1:-1][:100]} is not allowed; `serve --allow-host NAME` allows a name."
            )
        origin = headers.get("origin", "").lower()
        if origin not in {"", f"{scheme}://{host}"} or headers.get("sec-fetch-site", "").lower() not in _FRIENDLY_SITES:
            raise Refused(403, "Calls from web pages of another origin are not allowed.")

    def _knows(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1].strip("[]").rstrip(".")
        if name in self._names or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return self._any_address or (mapped or address).is_loopback or str(address) in self._names


def check_control_body(method: str, headers: Mapping[str, str], *, is_yaml: bool) -> None:
    """Raise Refused (415) for a control call whose body may be the form of a web page.

    A browser sends forms and plain text to any server without asking, but JSON only with the server's consent. So the
    body must be JSON. Programs may leave out the content type, or send the default of `curl -d`.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_browser = any(name in headers for name in _BROWSER)
    if method not in _CHANGING or kind == "application/json" or kind.endswith("+json"):
        return
    if not is_browser and (is_yaml or kind in {"", _FORM}):
        return
    if is_browser and not kind and headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    raise Refused(415, "A control call that changes something must have the content type application/json.")
