"""Graphs of pipelines: which step reads and writes which table, and which steps and pipelines wait for which.

Steps are known as `config/step`, pipelines by their IDs, tables by their full names: no name of one kind is a
name of another.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from common.errors import InvalidInput
from common.pipelines.configs import Configs, StoredConfig
from common.pipelines.followers import after_in
from common.pipelines.grants import TenantSqlGrants
from common.pipelines.job_judgements import tables_named
from common.pipelines.pipeline import Pipeline, Step
from common.pipelines.tables import Policy, TableName

MAX_STEPS = 1000
MIN_WEIGHT = 10
"""What looking at a config costs at the least, in steps."""


class EdgeKind(StrEnum):
    """What an edge says: it leads from what comes first to what comes of it."""

    READS = "reads"
    """From a table to the step that reads it."""
    WRITES = "writes"
    """From a step to the table that it writes."""
    PRECEDES = "precedes"
    """From a step to the one that waits for it, and from a pipeline to the one that runs after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNode:
    """A step with the tables that it touches."""

    config_id: str
    step: Step
    reads: frozenset[TableName]
    writes: TableName | None
    """None where its rows go to files."""

    @property
    def name(self) -> str:
        """How the graph knows it."""
        return f"{self.config_id}/{self.step.id}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Edge:
    """Two things of which one comes of the other, by their names."""

    source: str
    target: str
    kind: EdgeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Steps in the order of their levels, tables by name, and what connects them."""

    steps: tuple[StepNode, ...]
    tables: tuple[TableName, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigGraph:
    """A graph, the versions of the configs in it, and the configs that were not looked at."""

    graph: Graph
    versions: Mapping[str, int]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graphs:
    """Graphs of a tenant's configs, by the rules that hold now."""

    configs: Configs

    def of(self, tenant_id: str, config_id: str, version: int | None = None) -> ConfigGraph:
        """Return the graph of one config. NotFound; InvalidInput where today's rules refuse it."""
        pipeline = self.configs.compiled(tenant_id, config_id, version)
        return ConfigGraph(graph=graph_of(self._nodes(pipeline)), versions={config_id: pipeline.version})

    def across(self, tenant_id: str, config_id: str, version: int | None = None) -> ConfigGraph:
        """Return it with the tenant's other configs that are connected with it, by tables or by `after`.

        A thousand steps are looked at; configs beyond, and those that today's rules refuse, are left out.
        """
        asked, grants = self.configs.get(tenant_id, config_id, version), self.configs.grants_of(tenant_id)
        pipeline = self._compiled(asked, grants)
        nodes, versions = {config_id: self._nodes(pipeline)}, {config_id: pipeline.version}
        after = {config_id: after_in(asked.pipeline_yaml)}
        left_out: list[str] = []
        room = MAX_STEPS - len(pipeline.steps)
        for row in self.configs.list(tenant_id):
            if row.config_id == config_id:
                continue
            found = self._compiled_if_allowed(row, grants) if room > 0 else None
            room -= max(MIN_WEIGHT, len(found.steps) if found else 0)
            if found is None:
                left_out.append(row.config_id)
            else:
                nodes[row.config_id], versions[row.config_id] = self._nodes(found), row.version
                after[row.config_id] = after_in(row.pipeline_yaml)
        reached = connected(config_id, nodes, after)
        return ConfigGraph(
            graph=graph_of(
                [node for one in reached for node in nodes[one]],
                {one: [other for other in after[one] if other in reached] for one in reached},
            ),
            versions={one: versions[one] for one in reached},
            left_out=tuple(left_out),
        )

    def _compiled(self, row: StoredConfig, grants: TenantSqlGrants) -> Pipeline:
        return self.configs.compiler.compile_text(
            row.pipeline_yaml, row.tenant_id, row.config_id, row.version, grants
        )

    def _compiled_if_allowed(self, row: StoredConfig, grants: TenantSqlGrants) -> Pipeline | None:
        """Compile another config; None where today's rules refuse it."""
        try:
            return self._compiled(row, grants)
        except InvalidInput:
            return None

    def _nodes(self, pipeline: Pipeline) -> list[StepNode]:
        policy = self.configs.compiler.policy_of(pipeline.tenant_id)
        return step_nodes(pipeline, policy.widened(frozenset(pipeline.sources)))


def step_nodes(pipeline: Pipeline, policy: Policy) -> list[StepNode]:
    """List the steps of a pipeline with the tables that they touch, as far as their SQL names them."""
    return [
        StepNode(
            config_id=pipeline.config_id,
            step=step,
            reads=_reads_of(step, replace(policy, runs_elsewhere=bool(step.credential))),
            writes=policy.resolve([step.target_table]),
        )
        for level in pipeline.levels
        for step in level
    ]


def _reads_of(step: Step, policy: Policy) -> frozenset[TableName]:
    """List what the jobs of a step read, what they hand to each other left out."""
    own = {policy.resolve([job.destination]) for job in step.jobs} - {policy.resolve([step.target_table])}
    return frozenset({table for job in step.jobs for table in tables_named(job, policy)} - own)


def connected(
    config_id: str, nodes: Mapping[str, Sequence[StepNode]], after: Mapping[str, Sequence[str]]
) -> list[str]:
    """List the pipelines that hand tables to each other or run after each other, by ID; one comes first."""
    neighbours = {
        one: {
            other
            for other in nodes
            if _share(nodes[one], nodes[other]) or other in after[one] or one in after[other]
        }
        for one in nodes
    }
    reached, waiting = [config_id], [config_id]
    while waiting:
        new = sorted(neighbours[waiting.pop(0)] - set(reached))
        reached += new
        waiting += new
    return [config_id, *sorted(reached[1:])]


def graph_of(steps: Sequence[StepNode], after: Mapping[str, Sequence[str]] | None = None) -> Graph:
    """Connect steps with tables, and with each other; pipelines with those `after` which they run."""
    written = {node.writes for node in steps if node.writes}
    edges = {edge for node in steps for edge in _edges(node, written)}
    edges |= {
        Edge(source=first, target=then, kind=EdgeKind.PRECEDES)
        for then, named in (after or {}).items()
        for first in named
    }
    tables = written | {table for node in steps for table in _read_tables(node, written)}
    return Graph(steps=tuple(steps), tables=tuple(sorted(tables)), edges=tuple(sorted(edges)))


def _edges(node: StepNode, written: Collection[TableName]) -> Iterator[Edge]:
    if node.writes:
        yield Edge(source=node.name, target=str(node.writes), kind=EdgeKind.WRITES)
    for table in _read_tables(node, written):
        yield Edge(source=str(table), target=node.name, kind=EdgeKind.READS)
    for other in node.step.depends_on:
        yield Edge(source=f"{node.config_id}/{other}", target=node.name, kind=EdgeKind.PRECEDES)


def _read_tables(node: StepNode, written: Collection[TableName]) -> Iterator[TableName]:
    """List what a step reads; a wildcard is the tables that are written under it, else itself."""
    for table in node.reads:
        covered = [other for other in written if table.covers(other)]
        yield from covered or [table]


def _share(some: Sequence[StepNode], others: Sequence[StepNode]) -> bool:
    return some is not others and (_hands_over(some, others) or _hands_over(others, some))


def _hands_over(givers: Sequence[StepNode], takers: Sequence[StepNode]) -> bool:
    written = {node.writes for node in givers if node.writes}
    read = {table for node in takers for table in node.reads}
    plain = {table for table in read if not table.is_wildcard}
    wild = read - plain
    return not written.isdisjoint(plain) or any(one.covers(table) for one in wild for table in written)
