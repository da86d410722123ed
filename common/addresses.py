"""Clients' addresses: as they are written in headers, and the networks that they are counted by."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

SITE_BITS = 64
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?")


def canonical_address(text: str) -> str:
    """Write an address in its one form, without brackets, port or zone; "" where the text is none."""
    found = _WITH_PORT.fullmatch(text.strip())
    address = _parsed((found["v6"] or found["v4"]) if found else text.strip())
    return str(address) if address else ""


def network_of(address: str) -> str:
    """Return what an address is counted by: a host with one IPv6 address has its whole network of 2^64."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return f"{IPv6Address(int(parsed) >> SITE_BITS << SITE_BITS)}/{SITE_BITS}"
    return str(parsed) if parsed else address


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # One host, two spellings: ::ffff:203.0.113.7 is 203.0.113.7.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
