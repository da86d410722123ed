"""The plan of a step type as data, `plan.json`: its jobs in their order, and what of a config feeds each.

{"jobs": [{"name": "main", "kind": "query", "sql": "query.sql",
           "members": {"destination": "${target_table}"}}]}

`kind` is one of `common.pipelines.plans`, whose members are those of its dataclass. A member comes from

"${field}", "${field.inner}"                    the config's value, or the default of its declaration; where
                                                there is neither, the member keeps its own default
{"field": "${field}", "values": {"a": "A"}}     the same, put in other words
[…]                                             the items of several such sources, each once
anything else                                   itself
`first_sql` is the SELECT that makes a destination which is not there yet; `@@name` in SQL is what is known
when the job runs (`common.runs.incremental`). `publish_sql` is what merges the rows of a step with checks
which `sql` has written to its candidate instead (`common.pipelines.merging`). `when` takes a job into the
plan by fields: by their values, {"strategy": ["merge"]}, or by whether they are given, {"keys": true}.
`docs/step-types.md` tells how a type is made of it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from common.json_schema import Schema
from common.pipelines.fields import Field, declaration_of, fields_of, is_sure
from common.pipelines.intervals import GIVEN_TO_ALL
from common.pipelines.plans import MAIN, CheckJob, CopyJob, ExtractJob, FilesLoadedJob, Job, LoadJob, QueryJob
from common.pipelines.tokens import Kind, tokens, with_line_feeds
from common.pipelines.yaml_documents import Value

IDENTIFIERS = frozenset({"tenant_id", "project_id"})
GIVEN = IDENTIFIERS | {*GIVEN_TO_ALL}
"""What stands for no field in a statement: identifiers, and the parameters that every run has."""
KINDS: Mapping[str, type[Job]] = {
    kind.KIND: kind for kind in (QueryJob, LoadJob, FilesLoadedJob, ExtractJob, CopyJob, CheckJob)
}

_FIELD = re.compile(r"\$\{(\w+(?:\.\w+)*)\}")
_COMMENTS = re.compile(r"(?:--[^\n]*\n|\s)*")
_OF_A_STATEMENT = frozenset({"sql", "first_sql", "parameters", "queries", "places", "candidate_for"})
"""Members that follow from a job's SQL file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The SQL file of a job, and the fields that it has places for."""

    text: str
    fields: Mapping[str, Field]

    @property
    def is_plain(self) -> bool:
        """Tell whether the statement is nothing but a query of the tenant's."""
        return [self.text.strip()] == [f"${{{name}}}" for name in self.queries]

    @property
    def queries(self) -> tuple[str, ...]:
        """The fields that hold a query of the tenant's."""
        return tuple(name for name, field in self.fields.items() if field.is_query)

    @property
    def tables(self) -> tuple[str, ...]:
        """The fields that name a table."""
        return tuple(name for name, field in self.fields.items() if field.is_table)

    def filled(self, texts: Mapping[str, str]) -> str:
        """Put texts in the places of fields; other variables stay."""
        pieces = (
            texts.get(piece.text[2:-1], piece.text) if piece.kind is Kind.VARIABLE else piece.text
            for piece in tokens(self.text)
        )
        return "".join(pieces).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTemplate:
    """One job of a step type: which member of its dataclass comes from where."""

    name: str
    kind: type[Job]
    members: Mapping[str, Value]
    statement: Statement | None
    first: Statement | None
    publishing: Statement | None
    when: Mapping[str, Value]

    def is_wanted(self, config: "Config") -> bool:
        """Tell whether the job is in the plan of a config."""
        return all(_fits(config.value(name), wanted) for name, wanted in self.when.items())

    def sources_of(self, member: str) -> tuple[str, ...]:
        """Name the fields that a member comes from."""
        return tuple(_named(self.members[member]))

    @property
    def fed_by(self) -> frozenset[str]:
        """The fields that the job comes from."""
        placed = [name for one in (self.statement, self.first, self.publishing) if one for name in one.fields]
        return frozenset([name for member in self.members for name in self.sources_of(member)] + placed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A step's config, with the defaults of its type's schema."""

    given: Mapping[str, Value]
    schema: Schema
    pipeline: Schema

    def value(self, name: str) -> Value:
        """Return the value of a field, its default where none is given, else None."""
        found: Value = dict(self.given)
        for part in name.split("."):
            if not isinstance(found, dict):
                return None
            found = found.get(part)
        if found is not None:
            return found
        default: Value = (declaration_of(name, self.schema, self.pipeline) or {}).get("default")
        return default

    def member(self, source: Value) -> Value:
        """Return the value of a job's member; None where no field has one."""
        if isinstance(source, list):
            items = [item for one in source if (item := self.member(one)) is not None]
            flat = [item for one in items for item in (one if isinstance(one, list) else [one])]
            return [item for number, item in enumerate(flat) if item not in flat[:number]] or None
        if isinstance(source, dict):
            worded: Any = source
            value = self.member(worded["field"])
            return None if value is None else worded["values"][str(value)]
        if isinstance(source, str) and (named := _FIELD.fullmatch(source)):
            return _plain(self.value(named[1]))
        return source


def read_plan(
    name: str, folder: Path, plan: Mapping[str, Any], schema: Schema, pipeline: Schema
) -> tuple[JobTemplate, ...]:
    """Read the jobs of a type; ValueError where its files contradict each other."""
    jobs = tuple(_read_job(name, folder, raw, schema, pipeline) for raw in plan["jobs"])
    if not jobs and "checked" not in plan:
        raise ValueError(f"{name}: plan.json has no job")
    for number, job in enumerate(jobs):
        if any(job.name == other.name and not (job.when and other.when) for other in jobs[:number]):
            raise ValueError(f"{name}: plan.json has two jobs called {job.name}: give each a when")
    return jobs


def _read_job(
    name: str, folder: Path, raw: Mapping[str, Any], schema: Schema, pipeline: Schema
) -> JobTemplate:
    place = f"{name}: the job {raw.get('name', MAIN)}"
    if unknown := raw.keys() - {"name", "kind", "sql", "first_sql", "publish_sql", "members", "when"}:
        raise ValueError(f"{place} has {min(unknown)}, which plan.json does not know")
    if raw["kind"] not in KINDS:
        raise ValueError(f"{place} has the kind {raw['kind']}: known are {', '.join(KINDS)}")
    kind, members, when = KINDS[raw["kind"]], raw.get("members", {}), raw.get("when", {})
    given = [field for field, wanted in when.items() if wanted is True]
    _check_members(place, kind, members, has_sql="sql" in raw)
    for field in {*when, *(one for source in members.values() for one in _named(source))}:
        if declaration_of(field, schema, pipeline) is None:
            raise ValueError(f"{place} comes from ${{{field}}}, which schema.json does not declare")
    for member in _required(kind) & members.keys():
        for field in _named(members[member]):
            declaration = declaration_of(field, schema, pipeline) or {}
            if "default" not in declaration and not is_sure(field, schema, given):
                raise ValueError(f"{place}: {field} must be required, for {member} comes from it")
    statement, first, publishing = (
        _read_statement(name, folder / raw[key], schema, pipeline, given) if key in raw else None
        for key in ("sql", "first_sql", "publish_sql")
    )
    return JobTemplate(
        name=raw.get("name", MAIN),
        kind=kind,
        members=members,
        statement=statement,
        first=first,
        publishing=publishing,
        when=when,
    )


def _check_members(place: str, kind: type[Job], members: Mapping[str, Any], *, has_sql: bool) -> None:
    known = {item.name for item in fields(kind)}
    takes_sql = "sql" in known
    if takes_sql is not has_sql:
        raise ValueError(f"{place} must {'have' if takes_sql else 'not have'} sql")
    for member in members:
        if member not in known - _OF_A_STATEMENT - {"name"}:
            raise ValueError(f"{place} has the member {member}, which no {kind.KIND} job has")
    if missing := _required(kind) - members.keys() - {"sql"}:
        raise ValueError(f"{place} must have the member {min(missing)}")


def _required(kind: type[Job]) -> frozenset[str]:
    return frozenset(
        item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING
    )


def _read_statement(
    name: str, path: Path, schema: Schema, pipeline: Schema, given: Sequence[str]
) -> Statement:
    text = with_line_feeds(path.read_text(encoding="utf-8"))
    text = _COMMENTS.sub("", text, count=1)  # Its opening comments are for readers of the file.
    placed = {piece.text[2:-1] for piece in tokens(text) if piece.kind is Kind.VARIABLE} - GIVEN
    return Statement(text=text, fields=fields_of(f"{name}: {path.name}", schema, pipeline, placed, given))


def _named(source: Value) -> Iterator[str]:
    if isinstance(source, str) and (named := _FIELD.fullmatch(source)):
        yield named[1]
    elif isinstance(source, dict):
        yield from _named(source["field"])
    elif isinstance(source, list):
        for one in source:
            yield from _named(one)


def _fits(value: Value, wanted: Value) -> bool:
    return value in wanted if isinstance(wanted, list) else (value is not None) is wanted


def _plain(value: Value) -> Value:
    """Write whole numbers as such, for JSON Schema takes 60.0 for one, and texts without their places."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
