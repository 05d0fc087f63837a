"""Where a webhook's URL leads: its parts, and which network addresses are the public Internet's.

Asks nobody: names are resolved elsewhere.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.IGNORECASE,
)
"""Narrow on purpose: no user part, no fragment, nothing that two URL parsers could read in two ways."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MOST_PORTS = 65535
_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given out to the public."""
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_NAT64 = IPv6Network("64:ff9b::/96")
"""Networks without IPv4 of their own reach the public's by these, so they may be used where what they stand for may."""


@dataclass(frozen=True)
class WebAddress:
    """The parts of an http or https URL; scheme and host in lower case."""

    scheme: str
    host: str
    """A name, or an address in any spelling; IPv6 without its brackets."""
    port: int
    target: str
    """Path and query, at least `/`."""

    @classmethod
    def parse(cls, url: str) -> WebAddress:
        """Raises ValueError with the reason."""
        match = _URL.fullmatch(url)
        if match is None:
            raise ValueError("must be a URL such as https://example.com/hook, without user and fragment")
        scheme, target = match["scheme"].lower(), match["target"] or "/"
        port = _DEFAULT_PORTS[scheme] if match["port"] is None else int(match["port"])
        if not 0 < port <= _MOST_PORTS:
            raise ValueError(f"must have a port from 1 to {_MOST_PORTS}")
        if not target.startswith("/"):
            target = f"/{target}"
        return cls(scheme, match["host"].lower().strip("[]"), port, target)

    @property
    def netloc(self) -> str:
        """Host, and port where it is not the scheme's own: what stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.netloc}"


def literal_address(host: str) -> IpAddress | None:
    """The address that a host spells out, in any way that systems understand (`127.1`, `0x7f000001`); None: a name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def is_public(address: IpAddress) -> bool:
    """Whether an address is of the public Internet: not private, not link-local, not this machine's, not a group's.

    An IPv6 address that stands for one of IPv4 is as public as that one is.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address in _NAT64:
        return is_public(IPv4Address(address.packed[-4:]))
    # Mapped addresses (::ffff:…) and the like lie outside; the tunnels within lead anywhere.
    is_tunnel = address in _SIX_TO_FOUR or address in _TEREDO
    return address in _UNICAST and address.is_global and not is_tunnel
