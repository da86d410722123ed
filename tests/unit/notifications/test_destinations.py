"""Strangers' addresses: none that is not public, however it is written or moved."""

from collections.abc import Sequence

import pytest

from common.errors import Forbidden, Unavailable
from common.notifications.destinations import WEB_PORTS, Destinations, is_public, resolved

PUBLIC = "93.184.215.14"


def leading_to(*addresses: str, allows_loopback: bool = False) -> Destinations:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return Destinations(resolve=resolve, allows_loopback=allows_loopback)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to be refused
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "ff02::1",
        "no address",
    ],
)
def test_an_address_that_is_not_public_is_none_to_send_to(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(Forbidden):
        leading_to(address if address != "no address" else "10.1.1.1").of_url("https://hooks.example.com/x")


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"]
)
def test_a_public_address_is_connected_to_by_its_number_and_known_by_its_name(address: str) -> None:
    found = leading_to(address).of_url("https://hooks.example.com/a/b?c=d")
    assert (found.host, found.address, found.port, found.path) == (
        "hooks.example.com",
        address,
        443,
        "/a/b?c=d",
    )


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(Forbidden):
        leading_to(PUBLIC, "10.0.0.1").of_url("https://hooks.example.com/")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com/#fragment",
        "https:///path",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/a\r\nHost: metadata",
        "https://[::1",
        "https://hooks.example.com:99999/",
        "https://" + "a" * 2000,
        "metadata.google.internal",
        "",
    ],
)
def test_an_address_that_is_no_plain_https_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        leading_to(PUBLIC).of_url(url)


def test_a_name_is_looked_up_once() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    destinations = Destinations(resolve=lambda _host, _port: next(answers))
    assert destinations.of_url("https://rebinding.example.com/").address == PUBLIC


def test_a_number_in_the_url_is_judged_like_any_address() -> None:
    for url in (
        "https://169.254.169.254/",
        "https://2852039166/",
        "https://0x7f.1/",
        "https://[::ffff:127.0.0.1]/",
    ):
        with pytest.raises((Forbidden, Unavailable)):
            Destinations(resolve=resolved).of_url(url)


def test_this_machine_is_reached_where_a_switch_says_so_and_nothing_else_is() -> None:
    here = leading_to("127.0.0.1", allows_loopback=True)
    assert here.of_url("http://localhost:8123/hook").is_plain
    with pytest.raises(Forbidden):
        leading_to("10.0.0.1", allows_loopback=True).of_url("https://inside.example.com/")
    with pytest.raises(Forbidden):
        leading_to(PUBLIC, allows_loopback=True).of_url("http://hooks.example.com/")
    assert 443 in WEB_PORTS
