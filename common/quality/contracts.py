"""Contracts: which columns a table must have, by name, type and mode."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.quality.checks import ColumnContract

_NAMES = {
    "INTEGER": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
    "RECORD": "STRUCT",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
"""BigQuery's API and its SQL call types by different names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundColumn:
    """A column that a table has, in the words of BigQuery's API."""

    name: str
    type: str
    mode: str


def broken_contract(
    wanted: Sequence[ColumnContract], found: Sequence[FoundColumn], *, allows_more: bool
) -> list[str]:
    """Say all that a table's columns lack of a contract, nothing where they keep it."""
    by_name = {column.name.casefold(): column for column in found}
    broken = [text for column in wanted for text in _broken(column, by_name.get(column.name.casefold()))]
    if not allows_more:
        known = {column.name.casefold() for column in wanted}
        broken += [f"{column.name} is not in it" for column in found if column.name.casefold() not in known]
    return broken


def _broken(wanted: ColumnContract, found: FoundColumn | None) -> Iterator[str]:
    if found is None:
        yield f"{wanted.name} is missing"
        return
    if wanted.type and type_name(wanted.type) != type_name(found.type):
        yield f"{wanted.name} is {type_name(found.type)}, not {type_name(wanted.type)}"
    if wanted.mode and wanted.mode != found.mode:
        yield f"{wanted.name} is {found.mode}, not {wanted.mode}"


def type_name(name: str) -> str:
    """Return SQL's name of a type."""
    return _NAMES.get(name.upper(), name.upper())
