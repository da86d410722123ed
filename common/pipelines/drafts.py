"""Drafts of steps: one step of a file, checked by itself, before its place among the others is known."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from common.errors import Fault
from common.pipelines.firewall import judge_statement
from common.pipelines.levels import Node
from common.pipelines.lexemes import Kind, LexicalFault, lexemes
from common.pipelines.origins import Places, in_file, places_of
from common.pipelines.partitions import (
    PARTITION_FIELDS,
    partition_in,
    partitioning_in,
    schema_update_in,
    split_decorator,
)
from common.pipelines.pipeline import Retry, Step
from common.pipelines.plans import QueryJob, WriteDisposition
from common.pipelines.pointers import pointer
from common.pipelines.schema import schema_faults
from common.pipelines.step_types import StepType, StepTypes
from common.pipelines.tables import Policy, TableName
from common.pipelines.variables import Rendered, Variables
from common.pipelines.warnings import SqlOfStep
from common.pipelines.yaml_documents import Folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the steps of a pipeline are checked against."""

    step_types: StepTypes
    policy: Policy
    variables: Variables
    parameter_types: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class StepDraft:
    """One step on its way: as much of it as could be made out, and every rule that it breaks."""

    index: int
    raw: Mapping[str, Any]
    faults: list[Fault] = field(default_factory=list)
    statement: Rendered | None = None
    reads: frozenset[TableName] = frozenset()
    target: TableName | None = None
    query_field: str = ""
    places: Places = ()
    maximum_bytes_billed: int | None = None
    partition: str = ""

    @property
    def id(self) -> str:
        """The step's ID; its number where it has none."""
        given = self.raw.get("id")
        return given if isinstance(given, str) else f"number {self.index}"

    @property
    def config(self) -> Mapping[str, Any]:
        """The step's config, empty where there is none."""
        config = self.raw.get("config")
        return config if isinstance(config, dict) else {}

    def node(self) -> Node:
        """Return what the order of steps depends on."""
        depends_on = self.raw.get("depends_on")
        return Node(
            id=self.id,
            pointer=self._pointer(),
            depends_on=tuple(str(item) for item in depends_on) if isinstance(depends_on, list) else (),
            reads=self.reads,
            reads_at=self._pointer("config", *filter(None, [self.query_field])),
            writes=self.target,
            appends=self.config.get("write_disposition") == WriteDisposition.APPEND,
        )

    def step(self, level: int, depends_on: Sequence[str]) -> Step:
        """Return the step of a draft without faults."""
        if self.statement is None or self.target is None:
            raise ValueError(f"step {self.id} has faults")
        config = self.config
        query = QueryJob(
            sql=self.statement.sql,
            destination=self.target.table,
            write_disposition=WriteDisposition(config.get("write_disposition", WriteDisposition.TRUNCATE)),
            parameters=self.statement.parameters,
            partitioning=partitioning_in(config),
            clustering=tuple(config.get("clustering", ())),
            maximum_bytes_billed=self.maximum_bytes_billed,
            places=self.places,
            partition=self.partition,
            schema_update=schema_update_in(config),
        )
        return Step(
            id=self.id,
            ps_type=self.raw["ps_type"],
            index=self.index,
            level=level,
            jobs=(query,),
            target_table=self.target.table,
            depends_on=tuple(depends_on),
            timeout_minutes=int(self.raw.get("timeout_minutes", 60)),
            labels=dict(config.get("labels", {})),
            credential=config.get("credential", ""),
            retry=_retry(self.raw.get("retry", {})),
        )

    def sql_of_step(self) -> SqlOfStep:
        """Return the statement of a draft without faults, for what there is to say of it."""
        if self.statement is None or self.target is None:
            raise ValueError(f"step {self.id} has faults")
        partitioning = partitioning_in(self.config)
        return SqlOfStep(
            id=self.id,
            pointer=self._pointer("config", *filter(None, [self.query_field])),
            sql=self.statement.sql,
            reads=self.reads,
            writes=self.target,
            partitioned_by=partitioning.field if partitioning else "",
        )

    def check(self, around: Surroundings, shape_faults: Collection[Fault]) -> None:
        """Check all that can be checked where the file's shape has the given faults."""
        step_type = self._step_type(around.step_types)
        if step_type is None or not isinstance(self.raw.get("config"), dict):
            return
        self.faults += schema_faults(step_type.validator, self.config, ("steps", self.index, "config"))
        broken = [fault.pointer for fault in (*shape_faults, *self.faults)]
        if not self._is_broken("target_table", broken):
            self._check_target(around)
        if not any(self._is_broken(name, broken) for name in ("target_table", *PARTITION_FIELDS)):
            self._check_partition(around)
        if not self._is_broken("maximum_bytes_billed", broken):
            self._check_bytes(around.policy)
        self.query_field = step_type.queries[0] if len(step_type.queries) == 1 else ""
        sound = [name for name in step_type.queries if not self._is_broken(name, broken)]
        is_judged = [self._is_query_sound(step_type, name, around) for name in sound]
        if all(is_judged) and not any(self._is_broken(name, broken) for name in step_type.fields):
            self._make_statement(step_type, around)

    def _step_type(self, step_types: StepTypes) -> StepType | None:
        name = self.raw.get("ps_type")
        if not isinstance(name, str):
            return None
        if name not in step_types.by_name:
            close = get_close_matches(name, step_types.by_name, n=1)
            meant = f"did you mean {close[0]}? " if close else ""
            known = ", ".join(step_types.by_name)
            self.faults.append(Fault(self._pointer("ps_type"), f"is no step type; {meant}Known: {known}"))
        return step_types.by_name.get(name)

    def _is_broken(self, name: str, broken: Collection[str]) -> bool:
        place = self._pointer("config", name)
        return any(found == place or found.startswith(f"{place}/") for found in broken)

    def _check_target(self, around: Surroundings) -> None:
        path, rule = around.variables.path(split_decorator(self.config["target_table"])[0])
        rule = rule or around.policy.reason_against_writing(path)
        if rule:
            self.faults.append(Fault(self._pointer("config", "target_table"), rule))
        else:
            self.target = around.policy.resolve(path)

    def _check_partition(self, around: Surroundings) -> None:
        """Take the one partition that is written, and what columns its rows may add."""
        self.partition, broken = partition_in(self.config, around.parameter_types)
        self.faults += [Fault(self._pointer("config", name), rule) for name, rule in broken]

    def _check_bytes(self, policy: Policy) -> None:
        """Take the step's own limit, or else the platform's; under a credential the tenant is billed."""
        own = _whole(self.config.get("maximum_bytes_billed"))
        most = None if self.config.get("credential") else policy.maximum_bytes_billed
        self.maximum_bytes_billed = most if own is None else own
        if own is not None and most is not None and own > most:
            rule = f"must be at most {most}, which is what the platform lets a step bill"
            self.faults.append(Fault(self._pointer("config", "maximum_bytes_billed"), rule))

    def _is_query_sound(self, step_type: StepType, name: str, around: Surroundings) -> bool:
        """Judge a query of the tenant's by itself: what is put into a statement must be whole."""
        if lost := _lost_by_folding(name, self.config.get(name)):
            self._add_reasons([lost], self._pointer("config", name))
            return False
        text, _ = step_type.fields[name].render(self.config.get(name), around.variables)
        rendered = self._render(text, around, self._pointer("config", name))
        return rendered is not None and self._judge(rendered, around, self._pointer("config", name))

    def _make_statement(self, step_type: StepType, around: Surroundings) -> None:
        place = ("steps", self.index, "config")
        text, faults = step_type.statement_of(self.config, around.variables, place)
        self.faults += faults
        if faults:
            return
        rendered = self._render(text, around, pointer(place))
        if rendered and (step_type.is_plain or self._judge(rendered, around, pointer(place))):
            self.statement = rendered
            if step_type.is_plain:
                self.places = places_of(self.config[self.query_field], rendered.pieces)

    def _render(self, text: str, around: Surroundings, place: str) -> Rendered | None:
        try:
            return around.variables.render(text)
        except LexicalFault as fault:
            self._add_reasons([str(fault)], place, [(text, text)])
            return None

    def _judge(self, rendered: Rendered, around: Surroundings, place: str) -> bool:
        policy = replace(around.policy, runs_elsewhere=bool(self.config.get("credential")))
        judgement = judge_statement(rendered.sql, policy)
        self.reads |= judgement.tables
        written = "".join(text for text, _ in rendered.pieces)
        self._add_reasons(rendered.reasons, place, [(written, written)])
        self._add_reasons(judgement.reasons, place, rendered.pieces)
        return not rendered.reasons and not judgement.reasons

    def _add_reasons(
        self, reasons: Sequence[str], place: str, pieces: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Add rules that SQL breaks; `pieces` are the SQL that they tell places of, as it was written."""
        name = place.removeprefix(f"{self._pointer('config')}/")
        for reason in reasons:
            told = _PLACE_IN_SQL.search(reason)
            places = places_of(self.config.get(name, ""), pieces) if told else ()
            line, column = (told and in_file(places, int(told[1]), int(told[2]))) or (None, None)
            self.faults.append(Fault(place, f"step {self.id} {reason}", line=line, column=column))

    def _pointer(self, *path: str) -> str:
        return pointer(("steps", self.index, *path))


_PLACE_IN_SQL = re.compile(r"\bin line (\d+), column (\d+)\b")


def _lost_by_folding(name: str, text: object) -> str:
    """Say what a query has lost with its line breaks, "" for nothing."""
    if not isinstance(text, Folded):
        return ""
    try:
        pieces = lexemes(text)
    except LexicalFault:  # Which is told where the query is judged.
        return ""
    if any(piece.kind is Kind.COMMENT and piece.text[:1] in "-#" for piece in pieces):
        what = "a comment (-- or #), and the lines behind it have become part of it"
    elif any(piece.kind is Kind.STRING and piece.text.lstrip("rRbB")[:3] in _LONG_QUOTES for piece in pieces):
        what = "a string in three quotes, and its line breaks may be lost"
    else:
        return ""
    return f"has {what}: YAML makes one line of a text of several. Write `{name}: |` and the text below it"


_LONG_QUOTES = ("'''", '"""')


def _retry(raw: Mapping[str, Any]) -> Retry:
    return Retry(attempts=int(raw.get("attempts", 3)), backoff_seconds=float(raw.get("backoff_seconds", 5)))


def _whole(value: float | None) -> int | None:
    # JSON Schema takes 60.0 for a whole number.
    return None if value is None else int(value)
