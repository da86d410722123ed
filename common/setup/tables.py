"""Tables as files describe them: central ones in `ps_templates/setup/initial/schemas`, and a tenant's own.

The platform makes what is in `ps_templates/setup/tenant/schemas` in a tenant's dataset once it is needed.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SETUP_FOLDER = Path(__file__).parents[2] / "ps_templates" / "setup"
SCHEMA_FOLDER = SETUP_FOLDER / "initial" / "schemas"
TENANT_SCHEMAS = SETUP_FOLDER / "tenant" / "schemas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column in the API's words: `type` INTEGER, not INT64; `mode` NULLABLE, REQUIRED or REPEATED."""

    name: str
    type: str
    mode: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a table is made of. `partition` is the column whose days are its partitions, "" for none."""

    columns: tuple[Column, ...]
    partition: str = ""
    cluster: tuple[str, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the column of that name, None where there is none."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDefinition:
    """A table as its file wants it."""

    name: str
    description: str
    shape: Shape


@cache
def central_tables() -> tuple[TableDefinition, ...]:
    """Read all definitions, by name."""
    return tuple(_read(file) for file in sorted(SCHEMA_FOLDER.glob("*.json")))


@cache
def tenant_table(name: str) -> TableDefinition:
    """Read the definition of a table of the platform's in a tenant's dataset."""
    return _read(TENANT_SCHEMAS / f"{name}.json")


def _read(file: Path) -> TableDefinition:
    content = json.loads(file.read_text(encoding="utf-8"))
    return TableDefinition(
        name=file.stem,
        description=content["description"],
        shape=Shape(
            columns=tuple(Column(**column) for column in content["schema"]),
            partition=content["partition"]["field"] if content["partition"] else "",
            cluster=tuple(content["cluster"]),
        ),
    )
