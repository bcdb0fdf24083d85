"""Which addresses messages may go to."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.public_addresses import AddressRules, is_odd_number, is_public

INWARD = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
]
OUTWARD = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "64:ff9b::808:808",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize("address", INWARD)
def test_what_only_we_can_reach_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTWARD)
def test_what_everybody_can_reach_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_public_address_is_one_the_standard_library_calls_private(address: IPv4Address) -> None:
    if is_public(address):
        assert address.is_global
        assert not any((address.is_multicast, address.is_reserved, address.is_unspecified))


@given(st.ip_addresses(v=4))
def test_carried_in_ipv6_an_address_is_public_through_nat64_alone_and_only_if_it_is_so_itself(
    address: IPv4Address,
) -> None:
    number = int(address)
    assert is_public(IPv6Address((0x64FF9B << 96) | number)) == is_public(address)
    assert not is_public(IPv6Address((0xFFFF << 32) | number))
    assert not is_public(IPv6Address((0x2002 << 112) | (number << 80)))
    assert not is_public(IPv6Address(number))


def test_an_operator_allows_networks_and_hosts() -> None:
    rules = AddressRules.parse(["10.1.0.0/16", "fd00::/8"], ["Hooks.Internal"])
    assert rules.allow("any.example", ip_address("10.1.2.3"))
    assert rules.allow("any.example", ip_address("fd00::1"))
    assert not rules.allow("any.example", ip_address("10.2.0.1"))
    assert not rules.allow("any.example", ip_address("::ffff:10.1.2.3"))
    assert rules.allow("hooks.internal", ip_address("10.2.0.1"))
    assert rules.allow("any.example", ip_address("1.1.1.1"))


def test_what_is_listed_may_do_without_tls() -> None:
    rules = AddressRules.parse(["10.1.0.0/16"], ["hooks.internal"])
    assert [rules.lists(each) for each in ("HOOKS.internal", "10.1.2.3", "10.2.0.1", "1.1.1.1", "x.example")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_a_network_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="ten"):
        AddressRules.parse(["ten"])


@pytest.mark.parametrize(
    ("host", "odd"),
    [
        ("2130706433", True),
        ("0x7f000001", True),
        ("0x7f.1", True),
        ("0177.0.0.1", True),
        ("127.1", True),
        ("127.0.0.1.", True),
        ("example.0x", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("1und1.example", False),
        ("4.example", False),
        ("abc", False),
    ],
)
def test_addresses_in_forms_that_only_some_read_are_noticed(host: str, odd: bool) -> None:
    assert is_odd_number(host) == odd
