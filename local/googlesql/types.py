"""Types of GoogleSQL by name: from fields of BigQuery's schemas, and from the analyzer's answers."""

import re
from collections.abc import Mapping
from typing import Any

from zetasql.wasi._pb2.zetasql.public.type_pb2 import TypeKind, TypeProto

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STANDARD_NAMES = {
    "BOOLEAN": "BOOL",
    "FLOAT": "FLOAT64",
    "INTEGER": "INT64",
}
_ANALYZER_NAMES = {"DOUBLE": "FLOAT64"}


def column_type(field: Mapping[str, Any]) -> str:
    """Name the type of a field as a table's schema holds it (`name`, `type`, `mode`, `fields`)."""
    name = str(field["type"]).upper()
    if name in ("RECORD", "STRUCT"):
        inner = ", ".join(f"`{part['name']}` {column_type(part)}" for part in field["fields"])
        name = f"STRUCT<{inner}>"
    elif name == "RANGE":
        name = f"RANGE<{field['rangeElementType']['type']}>"
    name = _STANDARD_NAMES.get(name, name)
    return f"ARRAY<{name}>" if str(field.get("mode") or "").upper() == "REPEATED" else name


def type_name(kind: TypeProto) -> str:
    """Name a type as GoogleSQL writes it."""
    if kind.HasField("array_type"):
        return f"ARRAY<{type_name(kind.array_type.element_type)}>"
    if kind.HasField("range_type"):
        return f"RANGE<{type_name(kind.range_type.element_type)}>"
    if kind.HasField("struct_type"):
        fields = (_named(part.field_name, type_name(part.field_type)) for part in kind.struct_type.field)
        return f"STRUCT<{', '.join(fields)}>"
    name = str(TypeKind.Name(kind.type_kind)).removeprefix("TYPE_")
    return _ANALYZER_NAMES.get(name, name)


def _named(name: str, kind: str) -> str:
    return f"{name if _PLAIN_NAME.fullmatch(name) else f'`{name}`'} {kind}" if name else kind
