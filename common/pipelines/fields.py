"""Fields of a step type: how a value of a config is put into the type's statement, by its declaration.

"format": "query"       one SELECT of the tenant's, on lines of its own
"format": "table"       the path of a table, as a quoted name
"format": "column"      a column, as a quoted name
"format": "ordering"    a column with ASC or DESC and NULLS FIRST or NULLS LAST behind it
"format": "keyword"     one of the words of "enum", as it is
"type": "array"         its items, each by their own declaration, with commas between
any other type          a literal
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from common.pipelines.lexemes import with_line_feeds
from common.pipelines.schema import Schema
from common.pipelines.variables import Variables
from common.pipelines.yaml_documents import Value

_KEYWORD = re.compile(r"[A-Z]+(?:[ _][A-Z]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field that a statement has a place for."""

    name: str
    declaration: Schema
    default: Value = None

    @property
    def is_query(self) -> bool:
        """Tell whether the field holds a query of the tenant's."""
        return self.declaration.get("format") == "query"

    def render(self, value: Value, variables: Variables) -> tuple[str, str]:
        """Write a value that fits its declaration as SQL; else say the rule that it breaks."""
        given = self.default if value is None else value
        if not isinstance(given, list):
            return _render(given, self.declaration, variables)
        rendered = [_render(item, self.declaration["items"], variables) for item in given]
        return ", ".join(text for text, _ in rendered), next((rule for _, rule in rendered if rule), "")


def fields_of(type_name: str, schema: Schema, pipeline: Schema, placed: Collection[str]) -> dict[str, Field]:
    """Read the declarations of the fields that a statement has places for; ValueError where one cannot be."""
    fields = {}
    for name in sorted(placed):
        declaration = _resolved(schema["properties"].get(name), pipeline)
        if declaration is None:
            raise ValueError(f"{type_name}: query.sql has ${{{name}}}, which schema.json does not declare")
        if name not in schema.get("required", ()) and "default" not in declaration:
            raise ValueError(f"{type_name}: {name} must be required, or have a default")
        _check(f"{type_name}: {name}", declaration)
        fields[name] = Field(name=name, declaration=declaration, default=declaration.get("default"))
    return fields


def _resolved(declaration: Schema | None, pipeline: Schema) -> Schema | None:
    if declaration is None or "$ref" not in declaration:
        return declaration
    definition: Mapping[str, object] = pipeline["$defs"][declaration["$ref"].rpartition("/")[2]]
    return {**definition, **declaration}


def _check(place: str, declaration: Schema) -> None:
    kind = declaration.get("type")
    if kind == "array":
        if not declaration.get("minItems"):
            raise ValueError(f"{place} must have minItems of at least 1")
        _check(f"{place}'s items", declaration.get("items", {}))
    elif kind not in ("string", "integer", "number", "boolean"):
        raise ValueError(f"{place} must be a string, an integer, a number, a boolean or an array of them")
    elif declaration.get("format") == "keyword" and not all(
        _KEYWORD.fullmatch(word) for word in declaration.get("enum", [""])
    ):
        raise ValueError(f"{place} is a keyword and must have an enum of words in capitals")


def _render(value: Value, declaration: Schema, variables: Variables) -> tuple[str, str]:
    text = str(value)
    match declaration.get("format"):
        case "query":
            # A comment in its last line must not swallow what follows.
            return with_line_feeds(text).rstrip("; \t\n") + "\n", ""
        case "table":
            path, rule = variables.path(text)
            return f"`{'.'.join(path)}`", rule
        case "column":
            return f"`{text}`", ""
        case "ordering":
            column, _, order = text.partition(" ")
            return f"`{column}` {order}".rstrip(), ""
        case "keyword":
            return text, ""
    # JSON's strings, numbers and booleans are BigQuery's too, as long as no character is escaped in halves.
    return json.dumps(value, ensure_ascii=False), ""
