"""What must hold of budgets in every world."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from common.costs.budgets import Budget
from common.runs.ports import JobReport
from common.runs.run import Run
from common.times import start_of_month
from tests.fakes.runs import RunRow
from tests.simulation.world import World


def budgets_broken(world: World, rows: Mapping[str, RunRow]) -> Iterator[str]:
    """Hold that no run is billed for more than it held, and no month's runs for more than its budgets."""
    yield from _runs_broken(world)
    billed = Counter(dict.fromkeys(rows, 0))
    for job, report in world.jobs.reports:
        run_id = job.labels["run"]
        if _may_be_billed(report) and _began_before_its_end(report, rows[run_id]):
            billed[run_id] += world.jobs.billed(job)
    for run_id, row in rows.items():
        if row.bytes_billed not in {None, billed[run_id]}:
            yield f"run {run_id} says it was billed for {row.bytes_billed}, and was for {billed[run_id]}"
    runs = [row.run for row in rows.values()]
    for key, pipeline in world.pipelines.items():
        mine = [run for run in runs if f"{run.tenant_id}/{run.config_id}" == key]
        yield from _month_broken(key, pipeline.budget, mine, billed)
    for tenant_id, tenant in world.rows.tenants.items():
        mine = [run for run in runs if run.tenant_id == tenant_id]
        for budget in tenant.budgets.values():
            yield from _month_broken(tenant_id, budget, mine, billed)


def _runs_broken(world: World) -> Iterator[str]:
    billed: Counter[str] = Counter()
    for job, report in world.jobs.reports:
        billed[job.labels["run"]] += world.jobs.billed(job) if _may_be_billed(report) else 0
    for run_id, most in world.held.items():
        if most is not None and billed[run_id] > most:
            yield f"run {run_id} was billed for {billed[run_id]} and held {most}"


def _began_before_its_end(report: JobReport, row: RunRow) -> bool:
    """Tell whether a job was there when its run was stopped; another delivery may be about to make it."""
    return report.started_at is None or report.started_at < row.recorded_at


def _may_be_billed(report: JobReport) -> bool:
    """Tell whether BigQuery may bill for a job: not for one that ended in an error of its own."""
    return not report.has_failed or report.error_reason == "stopped"


def _month_broken(owner: str, budget: Budget, runs: list[Run], billed: Counter[str]) -> Iterator[str]:
    most = budget.max_bytes_per_month
    months: Counter[date] = Counter()
    for run in runs:
        months[start_of_month(run.started_at).date()] += billed[run.run_id]
    for month, spent in months.items():
        if most is not None and spent > most:
            yield f"{owner} was billed for {spent} in {month}, and its budget is {most}"
