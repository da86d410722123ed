"""Step types: what a pipeline's step can be. Each is a folder of data, `ps_templates/<family>/<type>/`.

`schema.json` declares the fields of a step's config; `query.sql` is the statement, with `${field}` in it. How
a field is put into the statement follows from its declaration (`fields.py`), so a new type needs no Python.
Some fields are the platform's own and say where the rows go, and whose job it is; `pipeline.schema.json`
defines them for all.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from common.errors import Fault
from common.pipelines.fields import Field, fields_of
from common.pipelines.lexemes import Kind, lexemes, with_line_feeds
from common.pipelines.pointers import pointer
from common.pipelines.schema import Schema, validator_for
from common.pipelines.variables import Variables
from common.pipelines.yaml_documents import Value

TEMPLATES = Path(__file__).parents[2] / "ps_templates"
"""What a step can be: each type in a folder of its own."""

IDENTIFIERS = frozenset({"tenant_id", "project_id"})
PLATFORM_FIELDS = frozenset(
    {
        "target_table",
        "write_disposition",
        "partitioning",
        "partition",
        "schema_update",
        "schema_update_options",
        "clustering",
        "maximum_bytes_billed",
        "credential",
        "labels",
    }
)
_COMMENTS = re.compile(r"(?:--[^\n]*\n|\s)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepType:
    """One kind of step: what its config must look like, and the statement that it becomes."""

    name: str
    validator: Draft202012Validator
    statement: str
    fields: Mapping[str, Field]

    @property
    def is_plain(self) -> bool:
        """Tell whether the statement is nothing but a query of the tenant's."""
        return [self.statement.strip()] == [f"${{{name}}}" for name in self.queries]

    @property
    def queries(self) -> tuple[str, ...]:
        """The fields that hold a query of the tenant's."""
        return tuple(name for name, field in self.fields.items() if field.is_query)

    def statement_of(
        self, config: Mapping[str, Value], variables: Variables, path: Sequence[str | int]
    ) -> tuple[str, list[Fault]]:
        """Put a config that fits the schema into the statement; its variables are still in it."""
        faults: list[Fault] = []
        texts: dict[str, str] = {}
        for name, field in self.fields.items():
            texts[name], rule = field.render(config.get(name), variables)
            if rule:
                faults.append(Fault(pointer((*path, name)), rule))
        pieces = (
            texts.get(piece.text[2:-1], piece.text) if piece.kind is Kind.VARIABLE else piece.text
            for piece in lexemes(self.statement)
        )
        return "".join(pieces).strip(), faults


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTypes:
    """All step types of a folder of templates, and the schema of the file around them."""

    pipeline: Draft202012Validator
    by_name: Mapping[str, StepType]


def load_step_types(folder: Path) -> StepTypes:
    """Read `ps_templates/`; ValueError where a template contradicts itself."""
    pipeline = read_json(folder / "pipeline.schema.json")
    types = (
        _load(f"{path.parent.parent.name}.{path.parent.name}", path.parent, pipeline)
        for path in sorted(folder.glob("*/*/query.sql"))
    )
    return StepTypes(pipeline=validator_for(pipeline), by_name={item.name: item for item in types})


def _load(name: str, folder: Path, pipeline: Schema) -> StepType:
    schema = read_json(folder / "schema.json")
    text = with_line_feeds((folder / "query.sql").read_text(encoding="utf-8"))
    statement = _COMMENTS.sub("", text, count=1)  # Its opening comments are for readers of the file.
    if "target_table" not in schema.get("required", ()):
        raise ValueError(f"{name}: schema.json must require target_table")
    placed = {piece.text[2:-1] for piece in lexemes(statement) if piece.kind is Kind.VARIABLE} - IDENTIFIERS
    idle = schema["properties"].keys() - placed - PLATFORM_FIELDS
    if idle:
        raise ValueError(f"{name}: query.sql has no ${{{min(idle)}}}, which schema.json declares")
    return StepType(
        name=name,
        validator=validator_for(schema, pipeline),
        statement=statement,
        fields=fields_of(name, schema, pipeline, placed),
    )


def read_json(path: Path) -> dict[str, Any]:
    """Read a schema of a template."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
