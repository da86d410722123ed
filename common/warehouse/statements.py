"""SQL from files: each opens with its purpose and its parameters, which declares the parameters' types.

-- Read the profile of one tenant.
-- Parameters: tenant_id STRING, since TIMESTAMP
SELECT … FROM `${project}.${dataset}.tenant_profiles` WHERE tenant_id = @tenant_id
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.cloud import bigquery

SQL_FOLDER = Path(__file__).parent / "sql"
_PARAMETERS = re.compile(r"^-- Parameters: (?P<list>.+)$", re.MULTILINE)
_PLACE = re.compile(r"\$\{(?P<name>\w+)\}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]+")
_ARRAY = re.compile(r"^ARRAY<(?P<element>[A-Z0-9]+)>$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement (or one script) with the types of its parameters."""

    name: str
    text: str
    parameter_types: Mapping[str, str]

    def render(self, **identifiers: str) -> str:
        """Put identifiers in their `${places}`; each is checked, values never come this way."""
        for place, identifier in identifiers.items():
            if not _IDENTIFIER.fullmatch(identifier):
                raise ValueError(f"{place} is no identifier: {identifier!r}")
        return _PLACE.sub(lambda found: identifiers[found["name"]], self.text)

    def bind(
        self, values: Mapping[str, Any]
    ) -> list[bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter]:
        """Make typed query parameters; the names must be exactly those that the file declares."""
        if values.keys() != self.parameter_types.keys():
            raise ValueError(f"{self.name} takes {sorted(self.parameter_types)}, was given {sorted(values)}")
        return [bound(name, self.parameter_types[name], value) for name, value in values.items()]


@cache
def statement(name: str) -> Statement:
    """Load `sql/<name>.sql`, once."""
    text = (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return Statement(name=name, text=text, parameter_types=_declared(name, text))


def bound(
    name: str, type_name: str, value: Any
) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    """Make one query parameter of a BigQuery type; `ARRAY<T>` takes a list."""
    if array := _ARRAY.match(type_name):
        return bigquery.ArrayQueryParameter(name, array["element"], value)
    return bigquery.ScalarQueryParameter(name, type_name, value)


def _declared(name: str, text: str) -> dict[str, str]:
    found = _PARAMETERS.search(text)
    if found is None:
        raise ValueError(f"{name}.sql has no line of parameters")
    if found["list"].strip() == "none":
        return {}
    return dict(_pair(item) for item in found["list"].split(","))


def _pair(item: str) -> tuple[str, str]:
    name, type_name = item.split()
    return name, type_name
