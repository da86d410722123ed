"""Addresses in one form, and what they are counted by."""

import pytest

from common.addresses import canonical_address, network_of


@pytest.mark.parametrize(
    "text", ["", " ", "unknown", "1.2.3", "1.2.3.4.5", "[1.2.3.4", "::g", "1.2.3.4:port", "[::1]x", "_hidden"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert canonical_address(text) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff::9"),
        ("203.0.113.7", "::ffff:203.0.113.7"),
    ],
)
def test_whoever_has_one_address_of_a_network_is_counted_by_the_network(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


def test_neighbours_are_counted_apart() -> None:
    assert network_of("203.0.113.7") != network_of("203.0.113.8")
    assert network_of("2001:db8::1") != network_of("2001:db8:0:1::1")
