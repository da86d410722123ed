"""From a step's config to one job of its plan, and every rule that its members break.

What a member is for is the same in all types: `destination` is a table of the tenant's own, `sources` and
`source` are tables that it may read, `uris` files that it may, `maximum_bytes_billed` is at most the
platform's. All other members are what the config says, once it keeps the type's schema.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from common.errors import Violation
from common.json_pointers import pointer
from common.pipelines.candidates import CANDIDATE
from common.pipelines.codec import from_json
from common.pipelines.firewall import tables_without_dataset
from common.pipelines.job_templates import JobTemplate
from common.pipelines.partitions import partition_of, split_decorator
from common.pipelines.plans import Job, QueryJob, StatementType
from common.pipelines.statement_compiler import CompiledStatement, StatementCompiler
from common.pipelines.tables import Policy, TableName
from common.pipelines.uris import judged_example, uri_rule, with_identifiers


@dataclass(slots=True, kw_only=True)
class JobCompiler:
    """Makes the jobs of one step's config. `broken` are the fields that break the type's schema."""

    statements: StatementCompiler
    policy: Policy
    broken: frozenset[str]
    is_under_credential: bool
    parameter_types: Mapping[str, str]
    secret_parameters: frozenset[str]
    violations: list[Violation] = field(default_factory=list)
    target: TableName | None = None
    """The table that the step is there for: the last one that a field names as a destination."""

    def compile(self, template: JobTemplate) -> Job | None:
        """Make a job; None where it, or what it is made of, breaks a rule."""
        body: dict[str, Any] = {"kind": template.kind.KIND, "name": template.name}
        before = len(self.violations)
        for member in template.members:
            if self.broken.isdisjoint(_outermost(template.sources_of(member))):
                body |= self._member(template, member)
        statement = self._statement(template, body)
        is_whole = self.broken.isdisjoint(_outermost(template.fed_by)) and statement is not None
        if not is_whole or len(self.violations) > before:
            return None
        places = (statement or {}).pop("places", ())
        job: Job = from_json(template.kind, body | (statement or {}))
        return replace(job, places=places) if isinstance(job, QueryJob) else job

    def _member(self, template: JobTemplate, member: str) -> dict[str, Any]:
        value = self.statements.config.member(template.members[member])
        named = template.sources_of(member)
        place = pointer((*self.statements.path, *(named[0].split(".") if named else ())))
        if take := _TAKEN.get(member):
            return take(self, template, value, place)
        return {} if value is None else {member: value}

    def _statement(self, template: JobTemplate, body: Mapping[str, Any]) -> dict[str, Any] | None:
        if template.statement is None:
            return {}
        is_select = body.get("statement_type", StatementType.SELECT) == StatementType.SELECT
        writes = frozenset(template.sources_of("destination") if "destination" in template.members else ())
        made = self.statements.compile(template.statement, self.broken, is_select=is_select, writes=writes)
        first = made
        if template.first:
            first = self.statements.compile(template.first, self.broken, is_select=False, writes=writes)
        if made is None or first is None:
            return None
        if body.get("statement_type") == StatementType.CREATE_VIEW and (rules := _rules_of_views(made)):
            place = pointer((*self.statements.path, *template.statement.queries))
            told = [Violation(place, f"step {self.statements.step_id} {rule}") for rule in rules]
            self.violations += told
            return None
        parameters = sorted({*made.parameters, *first.parameters})
        compiled = {"sql": made.sql, "parameters": parameters, "places": made.places}
        compiled |= {"first_sql": first.sql} if template.first else {}
        return compiled if is_select else compiled | {"queries": list(made.queries)}

    def _destination(self, template: JobTemplate, value: Any, place: str) -> dict[str, Any]:
        if template.members["destination"] == CANDIDATE:  # The plan's own word, which no field can say.
            return {"destination": CANDIDATE}
        table, partition = split_decorator(value) if "partition" in template.members else (value, "")
        path, rule = self.statements.variables.path(table)
        if rule := rule or self.policy.reason_against_writing(path):
            self.violations.append(Violation(place, rule))
            return {}
        if place != pointer(self.statements.path):
            self.target = self.policy.resolve(path)
        return {"destination": path[-1]} | ({"partition": partition_of(partition)} if partition else {})

    def _partition(self, _: JobTemplate, value: Any, __: str) -> dict[str, Any]:
        return {"partition": partition_of(value)} if value else {}

    def _sources(self, _: JobTemplate, value: Any, place: str) -> dict[str, Any]:
        found = [self._readable(text, where) for text, where in self._items(value, place)]
        return {"sources": [str(table) for table in found if table]}

    def _source(self, template: JobTemplate, value: Any, place: str) -> dict[str, Any]:
        if template.members["source"] == CANDIDATE:
            return {"source": CANDIDATE}
        table = self._readable(value, place)
        if table and not self.policy.is_own(table):
            self.violations.append(Violation(place, f"must be in your own dataset, {self.policy.dataset}"))
        return {"source": table.table if table else ""}

    def _readable(self, text: str, place: str) -> TableName | None:
        path, rule = self.statements.variables.path(text)
        found = self.statements.violations_of_reading(path, rule, place)
        table = None if found else self.policy.resolve(path)
        if table and table.is_wildcard:
            found = [Violation(place, "must be one table: a wildcard (*) stands for many")]
        self.violations += found
        return None if found else table

    def _uris(self, _: JobTemplate, value: Any, place: str) -> dict[str, Any]:
        items = [
            (with_identifiers(uri, self.statements.variables.identifiers), where)
            for uri, where in self._items(value, place)
        ]
        for uri, where in items:
            if rule := uri_rule(uri, self.parameter_types, self.secret_parameters):
                self.violations.append(Violation(where, rule))
            elif reason := self.statements.policy.reason_against_uri(judged_example(uri)):
                self.violations.append(Violation(where, f"step {self.statements.step_id} {reason}"))
        return {"uris": [uri for uri, _ in items]}

    def _items(self, value: Any, place: str) -> list[tuple[str, str]]:
        """List the items of a member, each with its place: a field may hold several of them, or one."""
        path = place.removeprefix(f"{pointer(self.statements.path)}/").replace("/", ".")
        is_list = isinstance(self.statements.config.value(path), list)
        items = value if isinstance(value, list) else [value]
        return [(item, f"{place}/{number}" if is_list else place) for number, item in enumerate(items)]

    def _maximum_bytes_billed(self, _: JobTemplate, value: Any, place: str) -> dict[str, Any]:
        """Take the step's own limit, or else the platform's; under a credential the tenant is billed."""
        most = None if self.is_under_credential else self.policy.maximum_bytes_billed
        if value is not None and most is not None and value > most:
            rule = f"must be at most {most}, which is what the platform lets a step bill"
            self.violations.append(Violation(place, rule))
        limit = most if value is None else value
        return {} if limit is None else {"maximum_bytes_billed": limit}


type _Take = Callable[[JobCompiler, JobTemplate, Any, str], dict[str, Any]]
"""Takes a member's value from a place of the file, and returns members of the job."""

_TAKEN: Mapping[str, _Take] = {
    "destination": JobCompiler._destination,
    "partition": JobCompiler._partition,
    "sources": JobCompiler._sources,
    "source": JobCompiler._source,
    "uris": JobCompiler._uris,
    "maximum_bytes_billed": JobCompiler._maximum_bytes_billed,
}


def _rules_of_views(made: CompiledStatement) -> list[str]:
    """Say what a view's text has that holds in a run alone: values of parameters, and a default dataset."""
    rules = [
        f"uses ${{{name}}}: a view is read without a run, and has no parameters" for name in made.parameters
    ]
    unnamed = {name for query in made.queries for name in tables_without_dataset(query)}
    return rules + [
        f"reads {name}: in a view a table has its dataset with it, ${{tenant_id}}.{name}"
        for name in sorted(unnamed)
    ]


def _outermost(names: Collection[str]) -> frozenset[str]:
    return frozenset(name.partition(".")[0] for name in names)
