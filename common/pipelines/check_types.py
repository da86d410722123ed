"""Types of checks: each is a folder of data, `ps_templates/checks/<type>/`.

`schema.json` declares its fields, as that of a step type does; `check.json` says what decides whether it is
passed. `check.sql` counts in one row what was `checked` and what `failed`, and says what was `observed`; all
that read nothing but `${table}` share one scan. `rows.sql` selects rows that break it. Beside the fields, SQL
has places for `${table}`, its `${alias}`, `${where}`, and `${columns_given}`: that no column of the field
`columns` is NULL.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema.protocols import Validator

from common.json_schema import Schema
from common.pipelines.fields import Field, declaration_of
from common.pipelines.schema import validator_for
from common.pipelines.tokens import Kind, tokens, with_line_feeds
from common.quality.checks import Judgement

CHECKS_FOLDER = "checks"
GIVEN = frozenset({"table", "alias", "where", "columns_given"})
"""Places that SQL of every type can have."""

_COMMENTS = re.compile(r"(?:--[^\n]*\n|\s)*")
_ONE_SCAN = re.compile(
    r"SELECT\n(?P<checked>.+) AS checked,\n(?P<failed>.+) AS failed,\n(?P<observed>.+) AS observed\n"
    r"FROM \$\{table\}",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSql:
    """SQL with places; comments at its beginning are for readers of the file."""

    text: str

    @property
    def places(self) -> frozenset[str]:
        """Name the places."""
        return frozenset(token.text[2:-1] for token in tokens(self.text) if token.kind is Kind.VARIABLE)

    def filled(self, texts: Mapping[str, str]) -> str:
        """Put a text in each place."""
        pieces = (
            texts[token.text[2:-1]] if token.kind is Kind.VARIABLE else token.text
            for token in tokens(self.text)
        )
        return "".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckType:
    """One kind of check."""

    name: str
    validator: Validator
    schema: Schema
    fields: Mapping[str, Field]
    """The fields that its SQL has places for."""
    judgement: Judgement
    expected: str
    one_of: tuple[str, ...] = ()
    """Fields of which one must be given at least."""
    counting: CheckSql | None = None
    rows: CheckSql | None = None

    @property
    def measures(self) -> tuple[CheckSql, CheckSql, CheckSql] | None:
        """What it counts as expressions, where it reads nothing but the table; else None."""
        found = _ONE_SCAN.fullmatch(self.counting.text) if self.counting else None
        if found is None:
            return None
        checked, failed, observed = (CheckSql(text=found[name].strip()) for name in found.groupdict())
        return checked, failed, observed


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTypes:
    """All types of checks, and the SQL around them."""

    by_name: Mapping[str, CheckType]
    frames: Mapping[str, CheckSql]


def check_folders(templates: Path) -> dict[str, Path]:
    """Find the folders of types, by their names."""
    return {file.parent.name: file.parent for file in sorted(templates.glob(f"{CHECKS_FOLDER}/*/check.json"))}


def load_check_types(templates: Path, pipeline: Schema) -> CheckTypes:
    """Read `ps_templates/checks/`; ValueError where files contradict each other."""
    types = [_load(name, folder, pipeline) for name, folder in check_folders(templates).items()]
    frames = {file.stem: _sql(file) for file in sorted((templates / CHECKS_FOLDER).glob("*.sql"))}
    return CheckTypes(by_name={one.name: one for one in types}, frames=frames)


def _load(name: str, folder: Path, pipeline: Schema) -> CheckType:
    schema, about = _json(folder / "schema.json"), _json(folder / "check.json")
    counting, rows = (_sql(folder / file) if (folder / file).exists() else None for file in _FILES)
    placed = {place for one in (counting, rows) if one for place in one.places}
    return CheckType(
        name=name,
        validator=validator_for(schema, pipeline),
        schema=schema,
        fields=dict(_fields(name, schema, pipeline, placed - GIVEN)),
        judgement=Judgement(about["judgement"]),
        expected=about["expected"],
        one_of=tuple(about.get("one_of", ())),
        counting=counting,
        rows=rows,
    )


_FILES = ("check.sql", "rows.sql")


def _fields(name: str, schema: Schema, pipeline: Schema, placed: set[str]) -> Iterator[tuple[str, Field]]:
    for place in sorted(placed):
        declaration = declaration_of(place, schema, pipeline)
        if declaration is None:
            raise ValueError(f"the check {name} has ${{{place}}}, which schema.json does not declare")
        yield place, Field(name=place, declaration=declaration)


def _sql(file: Path) -> CheckSql:
    text = with_line_feeds(file.read_text(encoding="utf-8"))
    return CheckSql(text=_COMMENTS.sub("", text, count=1).strip())


def _json(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read
