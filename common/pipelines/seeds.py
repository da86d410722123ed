"""Seeds: reference data in the file itself. Each becomes a step of its own, in a level before all others.

Such a step is a query of literals that writes a table, like any step of type bq_etl.query: run by its job ID,
judged by the firewall, and seen in a run's status. It reads nothing, so BigQuery bills nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from common.errors import Violation
from common.json_pointers import pointer
from common.pipelines.levels import Arrangement
from common.pipelines.literals import MAX_BYTES, read_rows
from common.pipelines.step_compiler import CompileContext, StepCompiler

PREFIX = "seed_"
SEED_TYPE = "bq_etl.query"


def compile_seeds(
    seeds: object, context: CompileContext, shape_violations: Sequence[Violation], first_index: int
) -> tuple[list[StepCompiler], list[Violation]]:
    """Compile what of the file's seeds has its shape; the rest, the schema has told."""
    if not isinstance(seeds, dict):
        return [], []
    broken = {
        found.pointer.split("/")[2] for found in shape_violations if found.pointer.startswith("/seeds/")
    }
    whole: dict[str, Any] = {name: seed for name, seed in seeds.items() if name not in broken}
    violations = []
    size = sum(len(seed["csv"].encode("utf-8", "replace")) for seed in whole.values())
    if size > MAX_BYTES:
        rule = f"must have at most {MAX_BYTES:,} bytes of rows in all, they have {size:,}"
        return [], [Violation("/seeds", rule)]
    steps = []
    for number, (name, seed) in enumerate(whole.items()):
        rows, told = read_rows(seed["csv"], seed["columns"], pointer(("seeds", name, "csv")))
        violations += told
        if not told:
            config = {"source_query": rows.sql, "target_table": name}
            raw = {"id": f"{PREFIX}{name}", "ps_type": SEED_TYPE, "config": config}
            step = StepCompiler(index=first_index + number, raw=raw, context=context, is_seed=True)
            step.compile(())
            # Its author has written no such step, but the seed.
            place = pointer(("seeds", name))
            step.violations = [replace(one, pointer=place) for one in step.violations]
            steps.append(step)
    return steps, violations


def seeds_first(
    arrangement: Arrangement, seeds: Sequence[StepCompiler], steps: Sequence[StepCompiler]
) -> tuple[Arrangement, list[Violation]]:
    """Put seeds before all levels; what reads a seed's table depends on it, and nothing else writes it."""
    if not seeds:
        return arrangement, []
    violations = []
    read_by: dict[str, list[str]] = {step.id: [] for step in steps}
    by_id: Mapping[str, StepCompiler] = {seed.id: seed for seed in seeds}
    for step in steps:
        if step.id in by_id:
            violations.append(Violation(pointer(("steps", step.index, "id")), "is the ID of a seed's step"))
        for seed in seeds:
            if step.target == seed.target:
                place = pointer(("steps", step.index, "config", "target_table"))
                violations.append(Violation(place, f"is written by the seed {seed.id.removeprefix(PREFIX)}"))
            if seed.target and any(table.covers(seed.target) for table in step.reads):
                read_by[step.id].append(seed.id)
    shifted = replace(
        arrangement,
        level_of={step_id: level + 1 for step_id, level in arrangement.level_of.items()}
        | dict.fromkeys(by_id, 1),
        depends_on={
            step_id: (*names, *read_by.get(step_id, ())) for step_id, names in arrangement.depends_on.items()
        }
        | dict.fromkeys(by_id, ()),
    )
    return shifted, violations
