"""Where strangers' addresses lead: to public ones alone, and to the very address that was looked at."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from common.addresses import is_web_url
from common.errors import Forbidden, Unavailable

WEB_PORTS = frozenset({443, 8443})
MAIL_PORTS = frozenset({465, 587, 2525})
_TUNNELS = tuple(IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"))
"""Networks whose addresses carry one of IPv4 inside, which may be any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A host by its name, and the one address of it that is connected to."""

    host: str
    address: str
    port: int
    path: str = "/"
    is_plain: bool = False
    """Whether nothing is encrypted: on this machine alone."""


type Resolve = Callable[[str, int], Sequence[str]]


def resolved(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host; Unavailable where it has none now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} has no address") from error
    return [str(one[4][0]) for one in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Looks addresses up once; what is connected to afterwards is what was looked at.

    A host of which any address is not public is refused as a whole. `allows_loopback` is for the local
    platform.
    """

    resolve: Resolve = resolved
    allows_loopback: bool = False

    def of_url(self, url: str) -> Destination:
        """Return where a URL leads; Forbidden where nothing may be sent there."""
        if not is_web_url(url):
            raise Forbidden("a URL is https://host/path, without user and fragment")
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        is_plain = parts.scheme == "http"
        if parts.scheme != "https" and not (is_plain and self.allows_loopback):
            raise Forbidden("a URL begins with https://")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        found = self.of_host(host, port or (80 if is_plain else 443), WEB_PORTS)
        if is_plain and not ip_address(found.address).is_loopback:
            raise Forbidden("a URL begins with https://")
        return Destination(host=host, address=found.address, port=found.port, path=path, is_plain=is_plain)

    def of_host(self, host: str, port: int, ports: frozenset[int]) -> Destination:
        """Return where a host and a port lead; Forbidden where nothing may be sent there."""
        addresses = self.resolve(host, port)
        is_local = self.allows_loopback and all(ip_address(one).is_loopback for one in addresses)
        if not is_local and not all(is_public(one) for one in addresses):
            raise Forbidden(f"{host} has an address that is not public")
        if not is_local and port not in ports:
            told = ", ".join(str(one) for one in sorted(ports))
            raise Forbidden(f"port {port} is none of {told}")
        return Destination(host=host, address=addresses[0], port=port)


def is_public(text: str) -> bool:
    """Tell whether an address is one of the public Internet's, and carries no other inside."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if any(address in network for network in _TUNNELS):
            return False
        address = address.ipv4_mapped or address
    return address.is_global and not address.is_multicast and not address.is_reserved
