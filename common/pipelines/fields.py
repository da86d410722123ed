"""Fields of a step type: how a value of a config is put into the type's statement, by its declaration.

"format": "query"       one SELECT of the tenant's, on lines of its own
"format": "table"       the path of a table, as a quoted name
"format": "column"      a column, as a quoted name
"format": "ordering"    a column with ASC or DESC and NULLS FIRST or NULLS LAST behind it
"format": "keyword"     one of the words of "enum", as it is
"type": "array"         its items, each by their own declaration, with commas between
any other type          a literal, NULL where the config has none

A field inside an object is called by its path, `partition.field`.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from common.json_schema import Schema
from common.pipelines.tokens import with_line_feeds
from common.pipelines.variables import Variables
from common.pipelines.yaml_documents import Value

_KEYWORD = re.compile(r"[A-Z]+(?:[ _][A-Z]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field that a statement has a place for."""

    name: str
    declaration: Schema

    @property
    def is_query(self) -> bool:
        """Tell whether the field holds a query of the tenant's."""
        return self.declaration.get("format") == "query"

    @property
    def is_table(self) -> bool:
        """Tell whether the field names a table."""
        return self.declaration.get("format") == "table"

    @property
    def is_literal(self) -> bool:
        """Tell whether the field becomes a literal, which NULL can stand for."""
        return self.declaration["type"] != "array" and "format" not in self.declaration

    def render(self, value: Value, variables: Variables) -> tuple[str, str]:
        """Write a value that fits its declaration as SQL; else say the rule that it breaks."""
        if not isinstance(value, list):
            return _render(value, self.declaration, variables)
        rendered = [_render(item, self.declaration["items"], variables) for item in value]
        return ", ".join(text for text, _ in rendered), next((rule for _, rule in rendered if rule), "")


def fields_of(
    place: str, schema: Schema, pipeline: Schema, placed: Collection[str], given: Collection[str] = ()
) -> dict[str, Field]:
    """Read the declarations of the fields that a statement has places for; ValueError where one cannot be.

    `given` are those that a config has whenever the statement is made.
    """
    fields = {}
    for name in sorted(placed):
        declaration = declaration_of(name, schema, pipeline)
        if declaration is None:
            raise ValueError(f"{place} has ${{{name}}}, which schema.json does not declare")
        _check(f"{place}: {name}", declaration)
        fields[name] = field = Field(name=name, declaration=declaration)
        is_there = "default" in declaration or is_sure(name, schema, given)
        if not is_there and not field.is_literal:
            raise ValueError(f"{place}: {name} must be required, or have a default")
    return fields


def is_sure(name: str, schema: Schema, given: Collection[str] = ()) -> bool:
    """Tell whether each config has a field, or the object that it is in; `given` are those that it has."""
    return not {name, name.partition(".")[0]}.isdisjoint({*schema.get("required", ()), *given})


def declaration_of(name: str, schema: Schema, pipeline: Schema) -> Schema | None:
    """Find the declaration of a field, by its path; None where there is none."""
    declaration: Schema | None = schema
    for part in name.split("."):
        properties = declaration.get("properties", {}) if declaration else {}
        declaration = _resolved(properties.get(part), pipeline)
    return declaration


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
