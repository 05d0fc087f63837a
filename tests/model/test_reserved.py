"""Public addresses and addresses of this machine, independently of Python's version."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from batchctl.model.addresses import is_loopback_host
from batchctl.model.reserved import is_public

RESERVED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
    "169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.0.0.255",
    "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.2", "192.168.0.1", "192.175.48.1", "198.18.0.0", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1:ffff::8.8.8.8", "100::1", "100:0:0:1::1",
    "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:1::2", "2001:1::3", "2001:2::1", "2001:3::1",
    "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1",
    "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "198.17.255.255",
    "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2620:4f:8001::1",
    "3ffe::1", "3fff:1000::1", "64:ff9b::8.8.8.8",
]  # fmt: skip


@pytest.fixture(autouse=True)
def forgetful_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python whose own `is_global` and `is_loopback` are wrong."""
    for kind in (IPv4Address, IPv6Address):
        for name in ("is_global", "is_private", "is_loopback", "is_reserved", "is_link_local", "is_multicast"):
            monkeypatch.setattr(kind, name, property(lambda _self: pytest.fail("Python was asked")))


@pytest.mark.parametrize("address", RESERVED)
def test_reserved_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_all_others_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "0x7f.1", "2130706433", "017700000001", "::1", "[::1]",
        "[0:0:0:0:0:0:0:1]", "0:0:0:0:0:0:0:1", "[0000::0001]", "::ffff:127.0.0.1", "[::ffff:7f00:2]", "localhost", "LOCALHOST",
        "localhost.", "emulator.localhost", "a.b.Localhost",
    ],
)  # fmt: skip
def test_this_machine_in_every_spelling(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "128.0.0.1", "126.1.1.1", "0.0.0.0", "::", "::2", "10.0.0.1", "localhost.example", "notlocalhost", "127.0.0.1.example",
        "local", "", "example.com", "::ffff:10.0.0.1", "::127.0.0.1",
    ],
)  # fmt: skip
def test_other_machines(host: str) -> None:
    assert not is_loopback_host(host)
