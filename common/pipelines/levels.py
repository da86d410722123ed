"""Levels: in which order the steps of a pipeline run, and which of them at the same time.

The file says it with `dependencies.level_n`, or with `depends_on` per step, or not at all. What is
written holds: a step that is to run before another reads what was there before. Where nothing is written, a
step waits for those that write what its SQL reads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter

from common.errors import Violation
from common.json_pointers import pointer
from common.pipelines.tables import TableName

MAX_LEVELS = 50
MAX_CYCLES_TOLD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What the order of steps depends on, of one step. Pointers are where its parts stand in the file."""

    id: str
    pointer: str
    depends_on: tuple[str, ...] = ()
    asks_for: tuple[str, ...] = ()
    """The steps whose states its condition names."""
    reads: frozenset[TableName] = frozenset()
    reads_at: str = ""
    writes: TableName | None = None
    appends: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """The steps that the file has it wait for by name."""
        return (*self.depends_on, *self.asks_for)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """The level of each step, from 1, and the steps that each depends on.

    `warnings` tell where the order may not be the one that was meant.
    """

    level_of: Mapping[str, int]
    depends_on: Mapping[str, tuple[str, ...]]
    warnings: tuple[Violation, ...] = ()


def arrange(
    nodes: Sequence[Node], declared: Mapping[str, Sequence[str]] | None
) -> tuple[Arrangement, list[Violation]]:
    """Give each step its level; `declared` lists step IDs by `level_n`, None where the file says nothing.

    IDs of steps are unique; an empty one stands for an entry that names no step, which is told elsewhere.
    Where violations are found, the arrangement holds what could be made out.
    """
    by_id = {node.id: node for node in nodes}
    violations = list(_violations_of_depends_on(by_id))
    misplaced: list[Violation] = []
    level_of = {} if declared is None else _declared_levels(by_id, declared, misplaced)
    waiting = _written_before(by_id) if declared is None else _in_later_levels(level_of)
    edges = {node.id: _edges(node, by_id, waiting) for node in nodes}
    cycles = _cycles(edges)
    violations += [
        Violation("/steps", f"steps wait for each other in a circle: {' → '.join(cycle)}") for cycle in cycles
    ]
    if declared is not None:
        violations += [*misplaced, *(() if cycles else _contradictions(by_id, level_of))]
    elif not cycles:
        level_of = _longest_paths(edges)
    violations += _too_many(level_of, declared)
    violations += _rivals(nodes, level_of)
    warnings = tuple(_surprises(nodes, edges, waiting))
    return Arrangement(level_of=level_of, depends_on=edges, warnings=warnings), violations


def _violations_of_depends_on(by_id: Mapping[str, Node]) -> Iterator[Violation]:
    for node in by_id.values():
        for index, other in enumerate(node.depends_on):
            place = f"{node.pointer}/depends_on/{index}"
            if other == node.id:
                yield Violation(place, "is the step itself")
            elif other not in by_id:
                yield Violation(place, unknown_step(other, by_id))
        for other in node.asks_for:
            if other == node.id or other not in by_id:
                rule = "names the step itself" if other == node.id else unknown_step(other, by_id)
                yield Violation(f"{node.pointer}/run_if", rule)


def unknown_step(step_id: str, known: Mapping[str, object]) -> str:
    """Say that no step has this ID, and which one was meant perhaps."""
    close = get_close_matches(step_id, known, n=1)
    return f"no step has the ID {step_id}" + (f"; did you mean {close[0]}?" if close else "")


def _written_before(by_id: Mapping[str, Node]) -> dict[str, set[str]]:
    """Return for each step those that the file has wait for it: by `depends_on`, step by step."""
    waiting: dict[str, set[str]] = {step: set() for step in by_id}
    for step in by_id:
        reached, open_steps = set[str](), [step]
        while open_steps:
            named = set(by_id[open_steps.pop()].named) & by_id.keys()
            open_steps += named - reached
            reached |= named
        for other in reached - {step}:
            waiting[other].add(step)
    return waiting


def _in_later_levels(level_of: Mapping[str, int]) -> dict[str, set[str]]:
    """Return for each step those that the file has in a later level."""
    return {
        step: {other for other, other_level in level_of.items() if other_level > level}
        for step, level in level_of.items()
    }


def _edges(node: Node, by_id: Mapping[str, Node], waiting: Mapping[str, set[str]]) -> tuple[str, ...]:
    """List the steps that must be done before: those named, and those that write what this one reads.

    What the file has wait for this step is none of them, whatever it writes.
    """
    wanted = _read_by(node, by_id.values()) - waiting.get(node.id, set()) | set(node.named)
    return tuple(other for other in by_id if other != node.id and other in wanted)


def _surprises(
    nodes: Sequence[Node], edges: Mapping[str, tuple[str, ...]], waiting: Mapping[str, set[str]]
) -> Iterator[Violation]:
    """Find steps that read a table of which the file does not say clearly when it is written."""
    for number, node in enumerate(nodes):
        read_from = _read_by(node, nodes)
        for other in nodes:
            if other is node or other.id not in read_from:
                continue
            if other.id in waiting.get(node.id, ()):
                read = f"{node.id} reads {other.writes} before {other.id} writes it"
                yield Violation(node.reads_at, f"{read}: what is there before the run")
            elif (
                other.id in edges[node.id]
                and other.id not in node.named
                and not any(earlier.id in read_from for earlier in nodes[:number])
            ):
                read = f"{node.id} reads {other.writes}, which only {other.id}, listed later, writes"
                mend = f"write depends_on: [{node.id}] in {other.id}"
                rule = f"{read}: it waits for it. To read what is there before the run, {mend}"
                yield Violation(node.reads_at, rule)


def _read_by(node: Node, nodes: Iterable[Node]) -> set[str]:
    """Return the IDs of the steps that write what a step reads."""
    wildcards = [table for table in node.reads if table.is_wildcard]
    return {
        other.id
        for other in nodes
        if other.writes is not None
        and (
            other.writes in node.reads
            or (wildcards and any(table.covers(other.writes) for table in wildcards))
        )
    }


def _cycles(edges: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Find circles, each opened where it was found, so that the next one shows."""
    graph = {step: list(others) for step, others in edges.items()}
    found: list[list[str]] = []
    while len(found) < MAX_CYCLES_TOLD:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            cycle: list[str] = error.args[1]
            graph[cycle[1]].remove(cycle[0])
            found.append(cycle)
        else:
            break
    return found


def _longest_paths(edges: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    level_of: dict[str, int] = {}
    for step in TopologicalSorter(edges).static_order():
        level_of[step] = 1 + max((level_of[other] for other in edges[step]), default=0)
    return level_of


def _declared_levels(
    by_id: Mapping[str, Node], declared: Mapping[str, Sequence[str]], violations: list[Violation]
) -> dict[str, int]:
    numbers = {name: int(name.removeprefix("level_")) for name in declared}
    missing = sorted(set(range(1, max(numbers.values(), default=0))) - set(numbers.values()))
    if missing:
        names = ", ".join(f"level_{number}" for number in missing)
        violations.append(Violation("/dependencies", f"levels have no gaps, missing: {names}"))
    level_of: dict[str, int] = {}
    for name, steps in declared.items():
        for index, step in enumerate(steps):
            place = pointer(("dependencies", name, index, "step"))
            if not step:
                continue
            if step not in by_id:
                violations.append(Violation(place, unknown_step(step, by_id)))
            elif step in level_of:
                violations.append(Violation(place, f"{step} is listed already, in level_{level_of[step]}"))
            else:
                level_of[step] = numbers[name]
    unlisted = [node for node in by_id.values() if node.id not in level_of]
    violations += [
        Violation(f"{node.pointer}/id", f"{node.id} is in no level of /dependencies") for node in unlisted
    ]
    return level_of


def _contradictions(by_id: Mapping[str, Node], level_of: Mapping[str, int]) -> Iterator[Violation]:
    """Find steps that need another one which their level does not wait for."""
    for node in by_id.values():
        read_from = _read_by(node, by_id.values())
        for other in by_id.values():
            if other is node or not level_of.keys() >= {node.id, other.id}:
                continue
            if level_of[other.id] < level_of[node.id]:
                continue
            where = _where(level_of[node.id], level_of[other.id])
            if other.id in read_from and level_of[other.id] == level_of[node.id]:
                rule = f"{node.id} reads {other.writes}, which {other.id} writes {where}"
                yield Violation(node.reads_at, rule)
            if other.id in node.depends_on:
                place = f"{node.pointer}/depends_on/{node.depends_on.index(other.id)}"
                yield Violation(place, f"{node.id} depends on {other.id}, which runs {where}")
            elif other.id in node.asks_for:
                rule = f"{node.id} asks for the state of {other.id}, which runs {where}"
                yield Violation(f"{node.pointer}/run_if", rule)


def _where(level: int, other_level: int) -> str:
    if level == other_level:
        return f"in the same level, level_{level}: move one of them"
    return f"in a later level, level_{other_level}, than its own, level_{level}"


def _too_many(level_of: Mapping[str, int], declared: object) -> Iterator[Violation]:
    count = max(level_of.values(), default=0)
    if count > MAX_LEVELS:
        place = "/steps" if declared is None else "/dependencies"
        yield Violation(place, f"the steps make {count} levels; a pipeline has at most {MAX_LEVELS}")


def _rivals(nodes: Sequence[Node], level_of: Mapping[str, int]) -> Iterator[Violation]:
    """Find steps of one level that write the same table: who comes first matters, unless both append."""
    first: dict[tuple[int, TableName], Node] = {}
    for node in nodes:
        if node.writes is None or node.id not in level_of:
            continue
        rival = first.setdefault((level_of[node.id], node.writes), node)
        if rival is not node and not (rival.appends and node.appends):
            rule = (
                f"{rival.id} writes {node.writes} in the same level: give them an order, or let both append"
            )
            yield Violation(f"{node.pointer}/config/target_table", rule)
