"""Ratios of two times on the same machine, measured in turns: what growth costs, and what is free."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from common.pipelines.grants import TenantSqlGrants
from common.tenants.encryption import Keyring
from common.times import utc_now
from common.warehouse.runs import pending_row
from common.wiring import ADAPTERS, SERVICES
from tests.functional.environment import KEYRING
from tests.functional.site import Site, Tenant, a_pipeline_file
from tests.unit.runs.examples import a_run

SQL = "SELECT 1 AS n"
EARLIER_RUNS = 2000
STEPS = 20
ROUNDS = 7
RUNS_OF_A_LEVEL = 3
MANY = 200

type Measured = Callable[[], float]
"""Does something once, and returns the seconds that it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as long the one takes as the other."""

    what: str
    value: float


def ratios(site: Site, tenants: Iterator[Tenant]) -> Iterator[Ratio]:
    """Measure all; each name says what is above the line and what below."""
    yield Ratio(
        what=f"an admission's read, {EARLIER_RUNS:,} earlier runs : none",
        value=_ratio(*_admissions(next(tenants), next(tenants)), ROUNDS),
    )
    yield Ratio(
        what=f"a level's time, {STEPS} steps : 1 step",
        value=_ratio(*_levels(site, next(tenants)), RUNS_OF_A_LEVEL),
    )
    many, one = _compiling(STEPS), _compiling(1)
    yield Ratio(what=f"compiling, {STEPS} steps : 1 step", value=_ratio(many, one, ROUNDS))
    yield Ratio(what="compiling 1 step : sealing a credential", value=_ratio(one, _seal, ROUNDS))


def _ratio(above: Measured, below: Measured, rounds: int) -> float:
    """Measure in turns, so that what else the machine does befalls both."""
    pairs = [(above(), below()) for _ in range(rounds)]
    return median(one for one, _ in pairs) / median(other for _, other in pairs)


def _admissions(old: Tenant, new: Tenant) -> tuple[Measured, Measured]:
    started_at = utc_now() - timedelta(days=40)  # In an earlier month: the plan's limits are not in the way.
    runs = [
        a_run(tenant_id=old.tenant_id, run_id=f"earlier-{ticket}", ticket=ticket, started_at=started_at)
        for ticket in range(1, EARLIER_RUNS + 1)
    ]
    rows = {run.run_id: pending_row(run, started_at) | {"status": "COMPLETED"} for run in runs}
    ADAPTERS.run_rows.streaming.append("tenant_pipeline_runs", rows)
    for tenant in (old, new):
        tenant.upload("daily", a_pipeline_file({"a": SQL}))

    def read(tenant: Tenant) -> Measured:
        facts, tenant_id = ADAPTERS.admission_rows, tenant.tenant_id
        return lambda: _seconds(lambda: facts.read_admission(tenant_id, "daily", "bench", utc_now()))

    return read(old), read(new)


def _levels(site: Site, tenant: Tenant) -> tuple[Measured, Measured]:
    def measured(steps: int) -> Measured:
        config_id = f"level-{steps}"
        tenant.upload(config_id, a_pipeline_file(_level(steps)))

        def run() -> float:
            tenant.run(config_id)
            return _seconds(site.drain)

        return run

    return measured(STEPS), measured(1)


def _level(steps: int) -> dict[str, str]:
    return {f"step_{number}": SQL for number in range(steps)}


def _compiling(steps: int) -> Measured:
    text, compile_text = a_pipeline_file(_level(steps)), SERVICES.configs.compiler.compile_text
    return lambda: _cpu_seconds(lambda: compile_text(text, "bench", "bench", 1, TenantSqlGrants()), 20)


def _seal() -> float:
    keyring = Keyring.read(KEYRING)
    return _cpu_seconds(lambda: keyring.seal(b"secret" * 40, "acme", "aws"), MANY)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - began) / repeats
