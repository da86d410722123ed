"""The tenants of a world, their pipelines and schedules."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from common.costs.budgets import NO_BUDGET, Budget, Owner
from common.pipelines.pipeline import OnFailure, Parameter, Pipeline, Retry, Step
from common.pipelines.schedule import CatchUp, Overlap, Schedule
from common.quality.checks import Check, Severity
from common.quality.verdicts import FAILED, ROW_COUNT
from common.queue.firings import ScheduledConfig
from common.runs.ports import ConfigText
from common.runs.quotas import Limits
from common.schedules.following import Follower
from tests.fakes.jobs import Outcome
from tests.fakes.runs import MemoryTenant
from tests.simulation.kinds import prepare_tables, with_other_kinds
from tests.simulation.troubles import Troubles
from tests.unit.runs.examples import a_checked_step, a_step, a_step_of_two_jobs

if TYPE_CHECKING:
    from tests.simulation.world import World

# Requests fall on both sides of a day and of a month.
START = datetime.fromisoformat("2026-03-31T23:57:00+00:00")
TROUBLED = timedelta(minutes=20)
FILLS_BACK = "initech"
LIMITS = Limits(daily=4, monthly=6, concurrent=2)
TOO_MANY_UPDATES = (
    "rateLimitExceeded",
    "Exceeded rate limits: too many table update operations for this table",
)
MIB = 2**20
SHAPES = [[1], [1, 1], [2, 1], [1, 2, 1]]


def prepare_tenants(world: "World") -> None:
    """Give three tenants two pipelines each, and two of them perhaps a schedule."""
    random = world.random
    past, overlaps = Random(f"the past of {world.seed}"), Random(f"the overlaps of {world.seed}")
    following = Random(f"who follows of {world.seed}")
    tolerances = Random(f"what may fail of {world.seed}")
    qualities = Random(f"what is checked of {world.seed}")
    kinds = Random(f"what steps do of {world.seed}")
    spending = Random(f"what is spent of {world.seed}")
    for tenant_id in ("acme", "globex", FILLS_BACK):
        world.rows.tenants[tenant_id] = MemoryTenant(limits=LIMITS)
        world.jobs.forgotten |= _forgotten(past, tenant_id)
        for config_id in ("hourly", "nightly"):
            pipeline = _tolerant(tolerances, _pipeline(random, tenant_id, config_id))
            pipeline = _checked(world, qualities, pipeline)
            pipeline = with_other_kinds(kinds, pipeline) if world.has_files else pipeline
            pipeline = replace(pipeline, budget=_budget(spending))
            world.pipelines[f"{tenant_id}/{config_id}"] = pipeline
            stored = ConfigText(config_id=config_id, version=1, text="pipeline: {name: Simulated}")
            world.rows.tenants[tenant_id].configs[config_id] = stored
            for job in (job for step in pipeline.steps for job in step.jobs):
                world.jobs.outcomes[job.destination] = _outcome(random, world.troubles)
                _have_read(world, spending, job.destination)
        if spending.random() < 0.5:
            world.rows.tenants[tenant_id].budgets = {Owner.TENANT: _budget(spending)}
        if tenant_id == "globex" and following.random() < 0.4:
            world.waiting.following.found.append(_follower(tenant_id))
        if tenant_id != FILLS_BACK and random.random() < 0.5:
            world.waiting.timetable.add(_schedule(random, overlaps, tenant_id))
    _prepare_loads(world, kinds)


def _prepare_loads(world: "World", random: Random) -> None:
    """Draw how the loads of each tenant end, and which tables are there."""
    for tenant_id in world.rows.tenants:
        world.jobs.outcomes[f"{tenant_id}_loaded"] = _outcome(random, world.troubles)
    prepare_tables(random, world)


def _budget(random: Random) -> Budget:
    """Let a month be enough for some runs, and a run for some steps."""
    return random.choice(
        [
            NO_BUDGET,
            Budget(max_bytes_per_run=random.choice([50, 150]) * MIB),
            Budget(max_bytes_per_month=random.choice([100, 300]) * MIB),
            Budget(max_bytes_per_run=100 * MIB, max_bytes_per_month=random.choice([150, 250]) * MIB),
        ]
    )


def _have_read(world: "World", random: Random, destination: str) -> None:
    """Have a job read something, and be billed for it all, for some of it or for nothing.

    The first level reads little: a run that a budget stops at once would take no time at all.
    """
    is_first = "_1_" in destination
    read = random.choice([0, 10, 10] if is_first else [0, 20, 40, 60]) * MIB
    world.jobs.bytes_of[destination] = read
    world.jobs.billed_of[destination] = random.choice([read, read, read // 2, 0])


def _follower(tenant_id: str) -> Follower:
    """Have each run of one pipeline be followed by one of the other."""
    return Follower(
        tenant_id=tenant_id, config_id="nightly", version=1, priority=5, after=("hourly",), since=START
    )


def _forgotten(random: Random, tenant_id: str) -> set[str]:
    """Have a tenant be idle for years, now and then: its numbers are taken, and nothing else tells of it."""
    count = random.choice([0, 0, 0, 1, 5])
    return {f"cvg-ticket-{tenant_id}-{number}" for number in range(1, count + 1)}


def _schedule(random: Random, overlaps: Random, tenant_id: str) -> ScheduledConfig:
    cron = random.choice(["*/5 * * * *", "3,4,5 0 * * *", "58 23 * * *"])
    return ScheduledConfig(
        tenant_id=tenant_id,
        config_id="hourly",
        version=1,
        priority=random.randint(4, 6),
        schedule=Schedule(
            cron=cron,
            catch_up=CatchUp.ALL,
            end=START + TROUBLED,
            max_active_runs=overlaps.choice([1, 1, 2]),
            overlap=overlaps.choice(list(Overlap)),
            reserve=overlaps.choice([None, 0, 50]),
        ),
        since=START,
    )


def _pipeline(random: Random, tenant_id: str, config_id: str) -> Pipeline:
    levels = []
    for level, size in enumerate(random.choice(SHAPES), start=1):
        names = [f"{tenant_id}_{config_id}_{level}_{number}" for number in range(size)]
        levels.append(tuple(_step(random, name, level) for name in names))
    return Pipeline(
        tenant_id=tenant_id,
        config_id=config_id,
        version=1,
        name=config_id,
        levels=tuple(levels),
        parameters=(Parameter(name="date", type="DATE"),),
    )


def _tolerant(random: Random, pipeline: Pipeline) -> Pipeline:
    """Let the runs of some pipelines go on where steps fail, and have steps ask for what failed."""
    if random.random() < 0.5:
        return pipeline
    levels: list[tuple[Step, ...]] = []
    for level in pipeline.levels:
        before = [step.id for step in levels[-1]] if levels else []
        levels.append(tuple(_tolerant_step(random, step, before) for step in level))
    return replace(pipeline, levels=tuple(levels), max_parallel=random.choice([0, 0, 1]))


def _tolerant_step(random: Random, step: Step, before: list[str]) -> Step:
    named = random.choice(before) if before else ""
    condition = f"steps.{named} == 'FAILED'" if named and random.random() < 0.3 else ""
    return replace(
        step,
        on_failure=random.choice([OnFailure.CONTINUE, OnFailure.SKIP_DEPENDENTS, OnFailure.SKIP_DEPENDENTS]),
        depends_on=(named,) if named else (),
        run_if=condition,
    )


def _checked(world: "World", random: Random, pipeline: Pipeline) -> Pipeline:
    """Have the rows of some steps be checked before they are published, and break a check now and then."""
    if random.random() < 0.5:
        return pipeline
    levels = [tuple(_checked_step(world, random, step) for step in level) for level in pipeline.levels]
    return replace(pipeline, levels=tuple(levels))


def _checked_step(world: "World", random: Random, step: Step) -> Step:
    if random.random() < 0.5:
        return step
    severity = random.choice([Severity.ERROR, Severity.WARN])
    world.jobs.counts[step.id] = {ROW_COUNT: 10, f"{FAILED}_0": random.choice([0, 0, 0, 3])}
    check = Check(name="not_null_id", type="not_null", severity=severity, expected="have no id")
    return replace(step, jobs=a_checked_step(step.id, step.level, checks=(check,)).jobs)


def _step(random: Random, name: str, level: int) -> Step:
    make = random.choice([a_step, a_step_of_two_jobs])
    return make(name, level, retry=Retry(attempts=2, backoff_seconds=random.choice([1, 200])))


def _outcome(random: Random, troubles: Troubles) -> Outcome:
    errors, limited = [], []
    if random.random() < troubles.limited:
        limited = [TOO_MANY_UPDATES] * random.choice([1, 2, 6])
    if random.random() < troubles.failing:
        errors = [random.choice([("backendError", "try again"), ("invalidQuery", "no such column")])]
    takes = timedelta(seconds=random.choice([1, 20, 150]))
    return Outcome(takes=takes, errors=errors, limited=limited)
