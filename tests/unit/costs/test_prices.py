"""Prices by location: of data, with their source; what is unknown stays unknown."""

import json
from datetime import date
from decimal import Decimal

import pytest

from common.costs.prices import PRICES_FILE, TEBIBYTE, price_of


def test_a_tebibyte_costs_what_the_table_says() -> None:
    assert price_of("US").cost(TEBIBYTE) == Decimal("6.25")
    assert price_of("southamerica-east1").cost(TEBIBYTE // 2) == Decimal("5.625")


def test_a_location_is_known_in_any_case() -> None:
    assert price_of("us").per_tebibyte == price_of("US").per_tebibyte == Decimal("6.25")


def test_nothing_is_known_of_a_location_that_has_no_price() -> None:
    price = price_of("moon-north1")
    assert price.per_tebibyte is None
    assert price.cost(TEBIBYTE) is None
    assert price.affordable(Decimal(1)) is None


def test_bytes_that_are_unknown_cost_what_nobody_knows() -> None:
    assert price_of("US").cost(None) is None
    assert price_of("US").cost(0) == 0


def test_a_sum_buys_no_byte_more_than_it_pays_for() -> None:
    price = price_of("US")
    bought = price.affordable(Decimal("0.01"))
    assert bought is not None
    assert (bought + 1) * Decimal("6.25") / TEBIBYTE > Decimal("0.01") >= bought * Decimal("6.25") / TEBIBYTE


def test_the_table_says_where_and_when_it_was_read() -> None:
    price = price_of("EU")
    assert price.source.startswith("https://cloud.google.com/")
    assert price.as_of > date(2023, 7, 5), "prices of before are per other units"


@pytest.mark.parametrize("location", json.loads(PRICES_FILE.read_text())["per_tebibyte"])
def test_every_price_is_positive(location: str) -> None:
    assert (price_of(location).per_tebibyte or 0) > 0
