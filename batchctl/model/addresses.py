"""Parses URLs of webhooks, hosts that are addresses, and hosts that are this machine. It resolves no names."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.pattern import Pattern

IpAddress: TypeAlias = IPv4Address | IPv6Address

_URL = Pattern(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.IGNORECASE,
)
"""Strict on purpose: no user part, no fragment, nothing that two URL parsers could read differently."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MOST_PORTS = 65535
_LOOPBACK_4 = IPv4Network("127.0.0.0/8")
_LOOPBACK_6 = IPv6Address(1)
_MAPPED = IPv6Network("::ffff:0:0/96")


class WebAddress(Struct, frozen=True):
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
        """The value of the Host header: the host, and the port if it is not the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.netloc}"


def literal_address(host: str) -> IpAddress | None:
    """The address of a host in any form that systems accept (`127.1`, `0x7f000001`); None if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    import socket  # for names and uncommon forms alone

    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def is_loopback_host(host: str) -> bool:
    """Whether a URL's host is this machine: a loopback address in any form, `localhost`, or a name below it.

    This decides which hosts get credentials over plain http and bypass proxies.
    """
    name = host.lower().strip("[]").rstrip(".")
    address = literal_address(name)
    return name == "localhost" or name.endswith(".localhost") if address is None else is_loopback(address)


def is_loopback(address: IpAddress) -> bool:
    """Whether it is a loopback address: `127.0.0.0/8`, also mapped to IPv6, or `::1`."""
    if isinstance(address, IPv6Address) and address in _MAPPED:
        address = IPv4Address(address.packed[-4:])
    if isinstance(address, IPv4Address):
        return address in _LOOPBACK_4
    return address == _LOOPBACK_6


def is_private_host(host: str) -> bool:
    """Whether a host is a private address or this machine. Other names are resolved only when they are used."""
    from batchctl.model.reserved import is_public  # for webhooks alone

    literal = literal_address(host)
    return is_loopback_host(host) if literal is None else not is_public(literal)
