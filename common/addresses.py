"""Addresses: those of clients, as headers have them and as they are counted, and those of the web."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

SITE_BITS = 64
MAX_URL_CHARACTERS = 2000
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


def is_web_url(url: str) -> bool:
    """Tell whether a text is https://host/path (or http), without user and fragment, in printable ASCII."""
    if len(url) > MAX_URL_CHARACTERS or any(not 32 < ord(character) < 127 for character in url):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    has_more = parts.username is not None or parts.password is not None or parts.fragment
    return bool(parts.scheme in {"http", "https"} and host and not has_more)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # One host, two spellings: ::ffff:203.0.113.7 is 203.0.113.7.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
