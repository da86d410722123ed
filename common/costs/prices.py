"""On-demand prices by location, from `prices.json` alone: what is not in it is unknown, and never nought."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

PRICES_FILE = Path(__file__).parent / "prices.json"
TEBIBYTE = 2**40
MILLIONTH = Decimal("0.000001")
MEBIBYTE = 2**20
LEAST_BILLED_BYTES = 10 * MEBIBYTE
"""For each table that a query reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a tebibyte costs that a query is billed for; `per_tebibyte` None: nobody has told."""

    location: str
    per_tebibyte: Decimal | None
    currency: str
    source: str
    as_of: date

    def cost(self, bytes_billed: int | None) -> Decimal | None:
        """Return what bytes cost, to the millionth; None where they, or the price, are unknown.

        The free tebibyte of each month is not deducted: it belongs to a billing account, not to a tenant.
        """
        if bytes_billed is None or self.per_tebibyte is None:
            return None
        return (bytes_billed * self.per_tebibyte / TEBIBYTE).quantize(MILLIONTH)

    def affordable(self, cost: Decimal) -> int | None:
        """Return how many bytes a sum buys; None where the price is unknown."""
        return int(cost * TEBIBYTE / self.per_tebibyte) if self.per_tebibyte else None


def billed_bytes(bytes_processed: int, tables: int) -> int:
    """Return what is billed for bytes of so many tables: whole mebibytes, and ten of each at the least."""
    return max(-(-bytes_processed // MEBIBYTE) * MEBIBYTE, LEAST_BILLED_BYTES * tables)


def sum_of(found: Sequence[int | None]) -> int | None:
    """Add up what is known; None where one of them is unknown."""
    known = [one for one in found if one is not None]
    return sum(known) if len(known) == len(found) else None


def price_of(location: str) -> Price:
    """Return the price of a BigQuery location; locations are written in any case."""
    table = _table()
    known = {name.lower(): Decimal(price) for name, price in table["per_tebibyte"].items()}
    return Price(
        location=location,
        per_tebibyte=known.get(location.lower()),
        currency=table["currency"],
        source=table["source"],
        as_of=date.fromisoformat(table["as_of"]),
    )


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(PRICES_FILE.read_text(encoding="utf-8"))
    return table
