"""Who may knock at the served emulator: programs, and no web page of somebody else's.

A page in a browser can send calls to any port of its machine. It cannot choose the headers that the browser adds:
`Host` is the name by which the page thinks it knows the server, `Origin` and `Sec-Fetch-Site` say whose page it is.
So a name that is not ours (an attacker's, which leads here) and a page from elsewhere are refused before the call is
looked at. Whatever sends none of these headers is no browser.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from batchctl.emulator.wire import Refused

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_FRIENDLY_SITES = frozenset({"", "none", "same-origin"})
_BROWSER = ("origin", "referer", "sec-fetch-site", "sec-fetch-dest")
"""Not `sec-fetch-mode`, which Node.js sends, too."""
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_FORM = "application/x-www-form-urlencoded"
"""What `curl -d` says of any body."""
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104  told apart, not bound


class Door:
    """`bound` is the address that the server listens at, `names` further host names by which it is known."""

    def __init__(self, bound: str, names: frozenset[str] = frozenset()) -> None:
        self._names = frozenset(name.lower().strip("[]").rstrip(".") for name in (bound, *names)) - _WILDCARDS
        # Where it listens at all addresses, each may be called by. An address cannot be made to lead elsewhere.
        self._any_address = bound in _WILDCARDS

    def check(self, scheme: str, headers: Mapping[str, str]) -> None:
        """Raise Refused (403) for a call that a web page of another origin makes, or that came under another name."""
        host = headers.get("host", "").lower()
        if host and not self._knows(host):
            raise Refused(
                403, f"The emulator is not known as {ascii(host)[1:-1][:100]}; `serve --allow-host NAME` adds a name."
            )
        origin = headers.get("origin", "").lower()
        if origin not in {"", f"{scheme}://{host}"} or headers.get("sec-fetch-site", "").lower() not in _FRIENDLY_SITES:
            raise Refused(403, "The emulator takes no calls from web pages of another origin.")

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
    """Raise Refused (415) for a control call whose body may be a web page's form.

    A browser sends forms and plain text to anybody unasked, but JSON only where the server has agreed. So JSON it has
    to be; programs may leave the type out, or send the one that `curl -d` gives to everything.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_browser = any(name in headers for name in _BROWSER)
    if method not in _CHANGING or kind == "application/json" or kind.endswith("+json"):
        return
    if not is_browser and (is_yaml or kind in {"", _FORM}):
        return
    if is_browser and not kind and headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    raise Refused(415, "A control call that changes something has the content type application/json.")
