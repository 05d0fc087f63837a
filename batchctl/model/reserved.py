"""Public and reserved network addresses, by the registries of IANA on 29 November 2026.

The data is our own, because the standard library's notion of a global address changes with Python's version. All blocks
with a special purpose are excluded, even the few that are globally reachable: they are relays and anycast services, not
webhooks.
Source: https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry,
…/ipv6-unicast-address-assignments, …/multicast-addresses.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network

from batchctl.model.addresses import IpAddress

_RESERVED_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared, behind a carrier's NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; the metadata servers of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
_UNICAST_6 = IPv6Network("2000::/3")
"""All of IPv6 that is given out to the public. Loopback, unique local, link-local, site-local, multicast, mapped
addresses (`::ffff:0:0/96`), discard-only (`100::/64`), segment routing (`5f00::/16`) and the like lie outside."""
_RESERVED_6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks, drones
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which leads to any address of IPv4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
"""Networks without IPv4 reach public IPv4 addresses by these, so they are as public as the address inside.
The local block, `64:ff9b:1::/48`, is for a network's own addresses and is not public."""


def is_public(address: IpAddress) -> bool:
    """Whether an address is public.

    A NAT64 address is as public as the IPv4 address inside.
    """
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _RESERVED_4)
    if address in _NAT64:
        return is_public(IPv4Address(address.packed[-4:]))
    return address in _UNICAST_6 and not any(address in block for block in _RESERVED_6)
