"""What must hold in every world, whatever happened in it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from common.pipelines.pipeline import OnFailure, Pipeline, Step
from common.queue.firings import firings_a_day, run_id_of
from common.queue.tenant_admissions import ANOTHERS_TURN
from common.runs.ports import StepJob
from common.runs.quotas import ScheduleShare
from common.runs.run import UNCOUNTED, EndReason, RunStatus, StepStatus, TriggerType
from common.runs.tickets import job_id
from common.times import start_of_day, start_of_month
from tests.fakes.runs import RunRow
from tests.simulation.budgets import budgets_broken
from tests.simulation.file_invariants import broken_by_files
from tests.simulation.publications import broken_publications
from tests.simulation.tables import LOST
from tests.simulation.tenants import LIMITS, START, TROUBLED
from tests.simulation.world import BUDGET, SECOND, Sent, World


def broken_invariants(world: World) -> list[str]:
    """Return a sentence for each invariant that the world breaks."""
    if world.stage.has_no_end:
        return ["messages make more messages without end"]
    rows = _final_rows(world)
    return [
        *_runs_that_do_not_end(rows),
        *_effects_that_happened_twice(world),
        *_effects_that_do_not_fit_their_run(world, rows),
        *_steps_out_of_order(world),
        *_jobs_out_of_order(world, rows),
        *_limits_exceeded(world, rows),
        *budgets_broken(world, rows),
        *_backfills_too_parallel(world, rows),
        *_schedules_too_parallel(world, rows),
        *_reserves_used_up(world, rows),
        *_firings_miscounted(world, rows),
        *_tickets_and_rows_that_disagree(world, rows),
        *_waiting_without_end(world),
        *_refused_and_begun(world, rows),
        *_given_up_and_begun(world, rows),
        *_begun_by_two(world),
        *_firings_that_were_lost(world, rows),
        *_levels_handed_over_twice(world),
        *_kept_waiting_by_others(world),
        *_sent_before_it_was_written(world),
        *_rows_that_were_lost(world),
        *_tickets_taken_in_vain(world),
        *_cancelled_and_completed(world),
        *_failed_by_a_limit(world),
        *_carried_out_in_vain(world, rows),
        *_not_followed_once(world, rows),
        *broken_publications(world),
        *broken_by_files(world),
    ]


def _final_rows(world: World) -> dict[str, RunRow]:
    latest: dict[str, RunRow] = {}
    for row in world.rows.run_rows:
        known = latest.get(row.run.run_id)
        if known is None or not known.status.is_terminal:
            latest[row.run.run_id] = row
    return latest


def _runs_that_do_not_end(rows: dict[str, RunRow]) -> Iterator[str]:
    for run_id, row in rows.items():
        if not row.status.is_terminal:
            yield f"run {run_id} of {row.run.tenant_id} is still {row.status}"


def _effects_that_happened_twice(world: World) -> Iterator[str]:
    counts = Counter((*_owner(job), job.work.name) for job in world.jobs.effects)
    for (run_id, step_id, name), count in counts.items():
        if count > 1:
            yield f"job {name} of step {step_id} of run {run_id} wrote {count} times"


def _owner(job: StepJob) -> tuple[str, str]:
    return job.labels["run"], job.labels["step"]


def _effects_that_do_not_fit_their_run(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    written: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for job in world.jobs.effects:
        run_id, step_id = _owner(job)
        written[run_id].add((step_id, job.work.name))
        if rows[run_id].run.tenant_id != job.tenant_id:
            yield f"run {run_id} wrote to {job.tenant_id}"
    for run_id, row in rows.items():
        planned = {(step.step_id, name) for step in row.run.steps for name in step.jobs}
        excused = _excused(world, row)
        missing = {(step_id, name) for step_id, name in planned - written[run_id] if step_id not in excused}
        if row.status is RunStatus.COMPLETED and (missing or written[run_id] - planned):
            yield f"run {run_id} is COMPLETED and wrote {sorted(written[run_id])}"
        for step_id, step in world.rows.steps_of(run_id).items():
            lacking = {name for owner, name in planned - written[run_id] if owner == step_id}
            if step.status is StepStatus.COMPLETED and lacking:
                yield f"step {step_id} of run {run_id} is COMPLETED and {min(lacking)} wrote nothing"


def _excused(world: World, row: RunRow) -> set[str]:
    """Name the steps that a run may complete without, by the words of its pipeline."""
    pipeline = world.pipelines[f"{row.run.tenant_id}/{row.run.config_id}"]
    states = {id_: step.status for id_, step in world.rows.steps_of(row.run.run_id).items()}
    return {
        step.id
        for step in pipeline.steps
        if (states.get(step.id) is StepStatus.FAILED and step.on_failure is OnFailure.CONTINUE)
        or (
            states.get(step.id) is StepStatus.SKIPPED and (step.run_if or _is_held_up(pipeline, step, states))
        )
    }


def _is_held_up(pipeline: Pipeline, step: Step, states: Mapping[str, StepStatus]) -> bool:
    tolerance = {one.id: one.on_failure for one in pipeline.steps}
    return any(
        states.get(other) is StepStatus.SKIPPED
        or (states.get(other) is StepStatus.FAILED and tolerance[other] is OnFailure.SKIP_DEPENDENTS)
        for other in step.depends_on
    )


def _carried_out_in_vain(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    """Hold that no step is carried out whose condition does not hold, or that others before it hold up."""
    for run_id, row in rows.items():
        pipeline = world.pipelines[f"{row.run.tenant_id}/{row.run.config_id}"]
        found = world.rows.steps_of(run_id)
        states = {id_: step.status for id_, step in found.items()}
        for step in pipeline.steps:
            if states.get(step.id) is not StepStatus.COMPLETED:
                continue
            if step.run_if and states.get(step.depends_on[0], StepStatus.COMPLETED) is not StepStatus.FAILED:
                yield f"step {step.id} of run {run_id} was carried out against its condition"
            if not step.run_if and _is_held_up(pipeline, step, states):
                yield f"step {step.id} of run {run_id} was carried out although it was held up"


def _not_followed_once(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    """Hold that each run that completes is followed by one run, or one refusal, of each that follows."""
    entries = [entry.waiting for entry in world.waiting.rows.entries().values()]
    asked = {(one.trigger, one.config_id, one.run_id) for one in entries}
    asked |= {(row.run.trigger, row.run.config_id, id_) for id_, row in rows.items()}
    for follower in world.waiting.following.found:
        for run_id, row in rows.items():
            is_one = (row.run.tenant_id, row.run.config_id) == (follower.tenant_id, *follower.after)
            if not is_one or row.status is not RunStatus.COMPLETED:
                continue
            found = {
                id_ for trigger, config, id_ in asked if trigger.by == run_id and config == follower.config_id
            }
            if len(found) != 1:
                yield f"run {run_id} was followed {len(found)} times by {follower.config_id}"


def _jobs_out_of_order(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    """Hold that each job of a step begins after the one before it has done well."""
    done = {
        (*_owner(job), job.work.name): report.ended_at
        for job, report in world.jobs.reports
        if report.is_done and not report.has_failed
    }
    plans = {(id_, step.step_id): step.jobs for id_, row in rows.items() for step in row.run.steps}
    for job, report in world.jobs.reports:
        names = plans.get(
            _owner(job), (job.work.name,)
        )  # The row of a run that was taken for an orphan has none.
        if place := names.index(job.work.name):
            before = done.get((*_owner(job), names[place - 1]))
            if before is None or report.started_at is None or report.started_at < before:
                yield f"{report.job_id} started before {names[place - 1]} was done"


def _steps_out_of_order(world: World) -> Iterator[str]:
    reached: dict[str, int] = defaultdict(int)
    for job in world.jobs.effects:
        level = int(job.labels["step"].split("_")[2])
        run_id = job.labels["run"]
        if level < reached[run_id]:
            yield f"run {run_id} wrote {job.labels['step']} after level {reached[run_id]}"
        reached[run_id] = max(level, reached[run_id])


def _limits_exceeded(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    for tenant_id in world.rows.tenants:
        mine = [row for row in rows.values() if row.run.tenant_id == tenant_id]
        counted = [row for row in mine if row.reason not in UNCOUNTED]
        days: Counter[date] = Counter(start_of_day(row.run.started_at).date() for row in counted)
        months: Counter[date] = Counter(start_of_month(row.run.started_at).date() for row in mine)
        yield from (f"{tenant_id} ran {n} times on {day}" for day, n in days.items() if n > LIMITS.daily)
        yield from (f"{tenant_id} ran {n} times in {day}" for day, n in months.items() if n > LIMITS.monthly)
        yield from _too_many_at_once(tenant_id, mine)


def _too_many_at_once(tenant_id: str, rows: list[RunRow]) -> Iterator[str]:
    for row in rows:
        if (count := _running_beside(row, rows)) > LIMITS.concurrent:
            yield f"{tenant_id} ran {count} at once at {row.run.started_at}"


def _backfills_too_parallel(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    entries = world.waiting.rows.entries()
    by_backfill: dict[str, list[RunRow]] = defaultdict(list)
    for row in rows.values():
        by_backfill[row.run.trigger.backfill_id].append(row)
    for row in rows.values():
        if backfill_id := row.run.trigger.backfill_id:
            most = entries[row.run.run_id].waiting.max_parallel
            if (count := _running_beside(row, by_backfill[backfill_id])) > most:
                yield f"{count} runs of backfill {backfill_id} ran beside each other, {most} may"


def _schedules_too_parallel(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    for config in world.waiting.timetable.configs.values():
        mine = _scheduled(rows, config.tenant_id)
        for row in mine:
            if (count := _running_beside(row, mine)) > config.schedule.max_active_runs:
                yield f"{count} runs of the schedule of {config.tenant_id} overlap at {row.run.started_at}"


def _reserves_used_up(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    for config in world.waiting.timetable.configs.values():
        asked = firings_a_day([config], START.date())
        share = ScheduleShare(reserve=config.schedule.reserve, firings_a_day=asked)
        most = LIMITS.daily - share.reserved(LIMITS.daily)
        mine = (row for row in _scheduled(rows, config.tenant_id) if row.reason not in UNCOUNTED)
        days = Counter(row.run.started_at.date() for row in mine)
        for day, count in days.items():
            if count > most:
                yield f"schedules of {config.tenant_id} took {count} runs on {day}: {most} leave what is kept"


def _scheduled(rows: dict[str, RunRow], tenant_id: str) -> list[RunRow]:
    mine = (row for row in rows.values() if row.run.tenant_id == tenant_id)
    return [row for row in mine if row.run.trigger.type is TriggerType.SCHEDULE]


def _firings_miscounted(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    """Hold that each firing is a run, an entry of the queue, or counted once among those refused."""
    waiting = world.waiting
    for config in waiting.timetable.configs.values():
        times = config.schedule.between(START - SECOND, START + TROUBLED, 100)
        run_ids = {run_id_of(config.tenant_id, config.config_id, moment) for moment in times}
        begun = run_ids & {*rows, *waiting.rows.entries()}
        refusals = waiting.refusals.read_refusals(config.tenant_id, START - SECOND)
        counted = sum(refusal.firings for refusal in refusals)
        if len(begun) + counted != len(run_ids):
            yield f"of {len(run_ids)} firings {len(begun)} have begun and {counted} are counted as refused"
        if len({(one.config_id, one.last_time.date(), one.error) for one in refusals}) < len(refusals):
            yield f"refusals of {config.tenant_id} for one reason are several entries"


def _running_beside(row: RunRow, rows: list[RunRow]) -> int:
    """Count the runs that were running when this one was admitted, itself included."""
    moment = row.run.started_at
    return sum(other.run.started_at <= moment < _end(other) for other in rows)


def _end(row: RunRow):  # type: ignore[no-untyped-def]
    was_orphaned = row.reason is EndReason.NEVER_BEGUN
    return row.run.started_at if was_orphaned else row.recorded_at


def _tickets_and_rows_that_disagree(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    for tenant_id in world.rows.tenants:
        claimed = {
            int(job_id.rpartition("-")[2]): claim.labels["run"]
            for job_id, claim in world.jobs.claims.items()
            if job_id.startswith(f"cvg-ticket-{tenant_id}-")
        }
        written = {row.run.ticket: run_id for run_id, row in rows.items() if row.run.tenant_id == tenant_id}
        first = min(claimed, default=1)  # What is below is forgotten.
        if sorted(claimed) != list(range(first, first + len(claimed))):
            yield f"{tenant_id} has tickets {sorted(claimed)}"
        for number, run_id in written.items():
            if claimed.get(number) != run_id:
                yield f"ticket {number} of {tenant_id} was claimed by {claimed.get(number)}, not by {run_id}"
        below = [number for number in claimed if number < max(written, default=0)]
        for number in sorted(set(below) - set(written)):
            yield f"ticket {number} of {tenant_id} was never settled"
        if len(set(claimed.values())) != len(claimed):
            yield f"a run of {tenant_id} has two tickets"


def _waiting_without_end(world: World) -> Iterator[str]:
    for run_id, entry in world.waiting.rows.entries().items():
        if entry.status is RunStatus.QUEUED:
            yield f"run {run_id} of {entry.waiting.tenant_id} still waits"


def _refused_and_begun(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    """Hold that who is refused does not begin; a firing's refusal counts once the firing is recorded."""
    fired = {row.result.waiting.run_id: row.result.status for row in reversed(world.waiting.firings.rows)}
    for run_id, entry in world.waiting.rows.entries().items():
        is_refused = entry.status is RunStatus.FAILED and fired.get(run_id) is not RunStatus.PENDING
        if is_refused and run_id in rows and rows[run_id].reason is not EndReason.NEVER_BEGUN:
            yield f"run {run_id} was refused in the queue and has begun"


def _given_up_and_begun(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    """Hold that nobody begins a run whose ticket was taken for orphaned: it holds no slot any more."""
    sent = {one.message.run.run_id for one in world.sent}
    for run_id, row in rows.items():
        if row.reason is EndReason.NEVER_BEGUN and run_id in sent:
            yield f"run {run_id} was given up as never begun, and has begun"


def _begun_by_two(world: World) -> Iterator[str]:
    """Hold that fillers leave a tenant to the one that has just taken its ticket; two at one moment may."""
    for one in world.sent:
        run = one.message.run
        taker = world.takers.get(job_id(run.tenant_id, run.ticket), one.sender)
        is_soon = timedelta() < one.at - run.started_at < ANOTHERS_TURN
        if one.is_begun_by_a_filler and taker != one.sender and is_soon:
            yield f"run {run.run_id} was begun by {one.sender} while {taker} was at it"


def _firings_that_were_lost(world: World, rows: dict[str, RunRow]) -> Iterator[str]:
    recorded = {row.result.waiting.run_id for row in world.waiting.firings.rows}
    for config in world.waiting.timetable.configs.values():
        for moment in config.schedule.between(START - SECOND, START + TROUBLED, 100):
            run_id = run_id_of(config.tenant_id, config.config_id, moment)
            if run_id not in recorded:
                yield f"the firing of {config.tenant_id} at {moment} was lost"
    for row in world.waiting.firings.rows:
        run_id = row.result.waiting.run_id
        if row.result.status is RunStatus.PENDING and run_id not in rows:
            yield f"the firing {run_id} is PENDING and has no run"


def _levels_handed_over_twice(world: World) -> Iterator[str]:
    handovers = [one for one in world.sent if one.is_handover]
    counts = Counter((one.message.run.run_id, one.message.level, _window(one)) for one in handovers)
    for (run_id, level, _), count in counts.items():
        if count > 1:
            yield f"level {level} of run {run_id} was handed over {count} times in one window"


def _kept_waiting_by_others(world: World) -> Iterator[str]:
    """Hold that calls give their levels over in time: Pub/Sub pushes no more than its window lets out.

    A worker that oversleeps, or a filler that is held up, is excused.
    """
    if world.troubles.oversleeping > 1 or world.troubles.stalling:
        return
    for wait in world.pushes.waits:
        if wait.lasted > wait.ahead * BUDGET:
            yield f"{wait.name} waited {wait.lasted} for {wait.ahead} pushes before it"


def _failed_by_a_limit(world: World) -> Iterator[str]:
    limited = set(world.jobs.limited)
    for run_id, row in world.rows.step_rows:
        if row.status is StepStatus.FAILED and row.job_id in limited:
            yield f"step {row.step_id} of run {run_id} failed by a limit that passes"


def _sent_before_it_was_written(world: World) -> Iterator[str]:
    """Hold that what makes up for a message that gets lost is written first."""
    for one in world.sent:
        run_id, level = one.message.run.run_id, one.message.level
        if not one.had_row:
            yield f"level {level} of run {run_id} was sent before it had a row"
        if one.lacked:
            yield f"level {level} of run {run_id} was sent before the rows of {sorted(one.lacked)}"


def _rows_that_were_lost(world: World) -> Iterator[str]:
    """Hold that no row goes to a table that streaming does not know yet."""
    count = sum(row.visible_at - row.recorded_at >= LOST for row in world.rows.run_rows)
    for result in (world.waiting.rows, world.waiting.firings):
        count += sum(row.visible_at - row.recorded_at >= LOST for row in result.rows)
    if count:
        yield f"{count} rows were lost in tables that were remade"


def _tickets_taken_in_vain(world: World) -> Iterator[str]:
    """Hold that no run is admitted whose row would not be taken."""
    for since, until in world.tables.kept():
        for name, claim in world.jobs.claims.items():
            if name.startswith("cvg-ticket-") and since < claim.claimed_at < until:
                yield f"{name} was taken at {claim.claimed_at} while rows were kept"


def _cancelled_and_completed(world: World) -> Iterator[str]:
    """Hold that whoever cancels before the end is written finds the run CANCELLED."""
    ended: set[str] = set()
    for row in world.rows.run_rows:
        run_id = row.run.run_id
        if row.status.is_terminal and run_id not in ended:
            ended.add(run_id)
            flag = world.jobs.claims.get(f"cvg-cancel-{run_id}")
            if flag and flag.claimed_at < row.recorded_at and row.status is RunStatus.COMPLETED:
                yield f"run {run_id} was cancelled at {flag.claimed_at} and COMPLETED at {row.recorded_at}"


def _window(sent: Sent) -> int:
    return (sent.at - sent.message.run.started_at) // (BUDGET / 2)
