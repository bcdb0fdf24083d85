"""Which addresses a message may go to over HTTP: public ones, and those an operator has allowed by name or network.

A URL that somebody may set must not turn us against what only we can reach: a cloud's metadata, databases, admin pages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's special-purpose registries (RFC 6890 and later), written out: the standard library's idea of them changes.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by the customers of a provider
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's machines are talked to from here; it looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_GLOBAL_V6 = IPv6Network(
    "2000::/3"
)  # all that is given out; loopback, local, mapped and multicast ones are outside
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocols, among them Teredo, which carries IPv4
        "2001:db8::/32",
        "2002::/16",  # 6to4, which carries IPv4
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: on networks without IPv4 the way to every IPv4 address

_LIKE_A_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)\.?", re.IGNORECASE)


def is_public(address: Address) -> bool:
    """Whether everybody on the internet can reach it, so that our reaching it gives nothing away."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    zoned = address.scope_id is not None
    return address in _GLOBAL_V6 and not zoned and not any(address in each for each in _NOT_PUBLIC_V6)


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What an operator allows beside public addresses: networks, and hosts by name, whatever their addresses are."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, networks: Sequence[str], hosts: Sequence[str] = ()) -> "AddressRules":
        """Of `10.1.0.0/16` and `hooks.internal`; ValueError where a network is none."""
        return cls(tuple(ip_network(each) for each in networks), frozenset(each.lower() for each in hosts))

    def lists(self, host: str) -> bool:
        """Whether the host is one an operator has named, or an address in one of the networks; so it may also do without TLS."""
        address = literal(host)
        return host.lower() in self.hosts or (address is not None and self._in_a_network(address))

    def allow(self, host: str, address: Address) -> bool:
        """Whether a connection to this address, which `host` resolved to, may be made."""
        return is_public(address) or self._in_a_network(address) or host.lower() in self.hosts

    def _in_a_network(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def literal(host: str) -> Address | None:
    """The address a host is, in its usual form; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_odd_number(host: str) -> bool:
    """Whether the host is an address in a form that only some read as one: 2130706433, 0x7f.1, 0177.0.0.1 (WHATWG URL, "ends in
    a number")."""
    last = host.rstrip(".").rpartition(".")[2]
    return literal(host) is None and _LIKE_A_NUMBER.fullmatch(last) is not None
