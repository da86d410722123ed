"""The statement that brings a backup's rows into a table of another shape: which columns, which rows."""

import json
from collections.abc import Mapping
from string import Template

from common.setup.tables import Column, Shape, TableDefinition
from common.warehouse.statements import Statement, statement

_SQL_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
# Types that BigQuery casts into each other; it refuses the whole statement for another pair.
_CASTABLE = (
    *(
        {"STRING", other}
        for other in ("INTEGER", "FLOAT", "NUMERIC", "BOOLEAN", "BYTES", "DATE", "TIMESTAMP")
    ),
    {"INTEGER", "FLOAT", "NUMERIC"},
    {"DATE", "TIMESTAMP"},
)


def restoring_statement(definition: TableDefinition, backup: Shape, labels: Mapping[str, str]) -> Statement:
    """Write `restore_table` for one table; identifiers are left to be put in."""
    wanted = definition.shape
    template = statement("setup/restore_table")
    text = Template(template.text).safe_substitute(
        columns=",\n  ".join(_definition(column) for column in wanted.columns),
        layout=_layout(wanted),
        description=_literal(definition.description),
        labels=", ".join(f"({_literal(key)}, {_literal(value)})" for key, value in labels.items()),
        values=", ".join(f"{_value(column, backup)} AS {column.name}" for column in wanted.columns),
        fits=" AND ".join(["TRUE", *_conditions(wanted, backup)]),
    )
    return Statement(name=template.name, text=text, parameter_types={})


def _definition(column: Column) -> str:
    required = " NOT NULL" if column.mode == "REQUIRED" else ""
    return (
        f"{column.name} {_sql_type(column)}{required} OPTIONS (description = {_literal(column.description)})"
    )


def _layout(shape: Shape) -> str:
    column = shape.column(shape.partition)
    days = f"PARTITION BY {_day(column)}" if column else ""
    cluster = f"CLUSTER BY {', '.join(shape.cluster)}" if shape.cluster else ""
    return "\n".join(clause for clause in (days, cluster) if clause)


def _day(column: Column) -> str:
    return column.name if column.type == "DATE" else f"DATE({column.name})"


def _value(column: Column, backup: Shape) -> str:
    """Say how a column gets its value: as it is, cast, or NULL where the backup has none for it."""
    old = backup.column(column.name)
    if old and old.type == column.type and _is_repeated(old) == _is_repeated(column):
        return column.name
    if old and _is_castable(old, column):
        return f"SAFE_CAST({column.name} AS {_sql_type(column)})"
    return f"CAST(NULL AS {_sql_type(column)})"


def _is_castable(old: Column, new: Column) -> bool:
    are_single = not _is_repeated(old) and not _is_repeated(new)
    return are_single and any({old.type, new.type} <= types for types in _CASTABLE)


def _conditions(wanted: Shape, backup: Shape) -> list[str]:
    required = (column for column in wanted.columns if column.mode == "REQUIRED")
    return [f"{_value(column, backup)} IS NOT NULL" for column in required]


def _is_repeated(column: Column) -> bool:
    return column.mode == "REPEATED"


def _sql_type(column: Column) -> str:
    name = _SQL_TYPES.get(column.type, column.type)
    return f"ARRAY<{name}>" if _is_repeated(column) else name


def _literal(text: str) -> str:
    # JSON's escapes are all among those of a string literal in BigQuery; "$" would open a place.
    return json.dumps(text).replace("$", "\\u0024")
