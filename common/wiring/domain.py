"""The services of the domain, on the adapters of `common.wiring.cloud`."""

import time
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from common.times import utc_now
from common.wiring import accounts, cloud, sealing

if TYPE_CHECKING:
    from common.http.edge import Edge
    from common.pipelines.configs import Configs
    from common.pipelines.tables import Policy
    from common.runs.beginning import RunBeginner
    from common.runs.cancelling import RunCanceller
    from common.runs.closing import Closer
    from common.runs.compile_cache import CompileCache
    from common.runs.compiling import ConfigCompiler
    from common.runs.levels import LevelWorker
    from common.runs.ports import Identities
    from common.runs.reading import RunLog
    from common.runs.starting import RunStarter
    from common.schedules.backfilling import Backfills
    from common.schedules.filling import SlotFiller
    from common.schedules.queue import RunQueue
    from common.schedules.stopping import RunStopper
    from common.tenants.administration import Administration
    from common.tenants.audit import Auditor
    from common.tenants.authentication import Authenticator
    from common.tenants.onboarding import Onboarding

TEMPLATES = Path(__file__).parents[2] / "ps_templates"


@cache
def configs() -> "Configs":
    """Return what keeps configs."""
    from common.pipelines.configs import Compiler, Configs
    from common.pipelines.step_types import load_step_types

    project, step_types = cloud.settings().project, load_step_types(TEMPLATES)
    compiler = Compiler(project_id=project, step_types=step_types, policy_of=_policy_of)
    return Configs(
        store=cloud.config_rows(),
        compiler=compiler,
        clock=utc_now,
        confines_of=cloud.tenant_rows().confines_of,
        daily_limit_of=cloud.tenant_rows().daily_limit_of,
    )


def _policy_of(tenant_id: str) -> "Policy":
    from common.pipelines.tables import Policy

    read = cloud.settings()
    return Policy(
        project_id=read.project,
        dataset=tenant_id,
        allowed_sources=read.allowed_sources,
        maximum_bytes_billed=read.maximum_bytes_billed,
    )


@cache
def compiler() -> "ConfigCompiler":
    """Return what compiles kept configs and judges their statements."""
    from common.runs.compiling import ConfigCompiler

    return ConfigCompiler(compiler=configs().compiler)


@cache
def compile_cache() -> "CompileCache":
    """Return the compiler with what this instance has compiled lately."""
    from common.runs.compile_cache import CompileCache

    return CompileCache(compile=compiler(), policy_of=_policy_of)


@cache
def worker() -> "LevelWorker":
    """Return what carries out levels."""
    return _worker(accounts.opening_identities())


@cache
def stopping_worker() -> "LevelWorker":
    """Return what ends levels that cannot be carried out; it opens no credentials."""
    return _worker(accounts.step_identities())


def _worker(identities: "Identities") -> "LevelWorker":
    from common.runs.levels import LevelWorker
    from common.schedules.freed_slots import FreedSlots

    return LevelWorker(
        store=cloud.announcing_runs(),
        claims=cloud.claims(),
        identities=identities,
        levels=cloud.levels(),
        guard=compiler().judge,
        clock=utc_now,
        sleep=time.sleep,
        budget=cloud.settings().level_budget,
        seal=sealing.parameter_seal(),
        after_end=FreedSlots(queue=queue(), filler=filler(), clock=utc_now),
    )


@cache
def beginner() -> "RunBeginner":
    """Return what admits runs and sets them going."""
    from common.runs.beginning import RunBeginner

    return RunBeginner(
        store=cloud.announcing_runs(), claims=cloud.claims(), levels=cloud.levels(), clock=utc_now
    )


@cache
def starter() -> "RunStarter":
    """Return what makes runs out of requests."""
    from common.runs.starting import RunStarter
    from common.schedules.joining import QueueingRequests

    line = QueueingRequests(queue=queue(), clock=utc_now)
    return RunStarter(
        line=line,
        beginner=beginner(),
        compile=compile_cache(),
        clock=utc_now,
        seal=sealing.parameter_seal(),
    )


@cache
def queue() -> "RunQueue":
    """Return where runs wait for a slot."""
    from common.schedules.queue import RunQueue

    return RunQueue(
        store=cloud.queue_rows(),
        firings=cloud.firing_rows(),
        claims=cloud.claims(),
        announcer=cloud.announcer(),
        clock=utc_now,
    )


@cache
def stopper() -> "RunStopper":
    """Return what cancels runs, under way or in the queue."""
    from common.schedules.stopping import RunStopper

    return RunStopper(canceller=canceller(), queue=queue())


@cache
def backfills() -> "Backfills":
    """Return what makes backfills."""
    from common.schedules.backfilling import Backfills
    from common.warehouse.backfills import BackfillRows

    return Backfills(
        reader=BackfillRows(queries=cloud.queries()),
        queue=queue(),
        filler=filler(),
        stopper=stopper(),
        beginner=beginner(),
        identities=accounts.shared_identities(),
        guard=compiler().judge,
        compile=compile_cache(),
        clock=utc_now,
        seal=sealing.parameter_seal(),
    )


@cache
def filler() -> "SlotFiller":
    """Return what gives tickets to waiting runs."""
    from common.schedules.filling import SlotFiller

    return SlotFiller(
        store=cloud.lane_rows(),
        queue=queue(),
        beginner=beginner(),
        claims=cloud.claims(),
        levels=cloud.levels(),
        compile=compile_cache(),
        clock=utc_now,
    )


@cache
def run_log() -> "RunLog":
    """Return what reads runs."""
    from common.runs.reading import RunLog
    from common.schedules.reading import QueuedRunReader

    reader = QueuedRunReader(reader=cloud.run_rows(), queue=cloud.queue_rows())
    return RunLog(reader=reader, store=cloud.run_rows(), claims=cloud.claims(), clock=utc_now)


@cache
def authenticator() -> "Authenticator":
    """Return what tells callers by their keys."""
    from common.tenants.authentication import Authenticator

    return Authenticator(store=cloud.tenant_rows(), clock=utc_now)


@cache
def onboarding() -> "Onboarding":
    """Return what makes tenants."""
    from common.tenants.onboarding import Onboarding

    return Onboarding(
        datasets=cloud.tenant_datasets(),
        store=cloud.tenant_rows(),
        claims=cloud.claims(),
        catalog=cloud.central_tables(),
        clock=utc_now,
        new_id=new_id,
        central_dataset=cloud.settings().central_dataset,
    )


@cache
def canceller() -> "RunCanceller":
    """Return what stops runs that are under way."""
    from common.runs.cancelling import RunCanceller

    return RunCanceller(
        reader=cloud.progress(),
        claims=cloud.claims(),
        identities=accounts.shared_identities(),
        levels=cloud.levels(),
        clock=utc_now,
    )


@cache
def closer() -> "Closer":
    """Return what closes down the tenants that are no longer active."""
    from common.runs.closing import Closer, Remains
    from common.warehouse.remains import RemainsRows, TenantRemover
    from common.warehouse.unchanged import PROFILES, Memory, RememberedRemains

    memory: Memory[Remains] = Memory(central=cloud.central(), tables=PROFILES)
    return Closer(
        reader=RememberedRemains(reader=RemainsRows(queries=cloud.queries()), memory=memory),
        canceller=stopper(),
        remover=TenantRemover(central=cloud.central(), auditor=auditor()),
        clock=utc_now,
        grace=cloud.settings().offboarding_grace,
    )


@cache
def administration() -> "Administration":
    """Return what looks at tenants and makes keys."""
    from common.tenants.administration import Administration

    return Administration(
        directory=cloud.tenant_rows(),
        datasets=cloud.tenant_datasets(),
        clock=utc_now,
        new_id=new_id,
        grace=cloud.settings().offboarding_grace,
    )


@cache
def auditor() -> "Auditor":
    """Return what writes the audit log."""
    from common.tenants.audit import Auditor

    return Auditor(log=cloud.audit_rows(), clock=utc_now, new_id=new_id)


@cache
def edge() -> "Edge":
    """Return what every HTTP function needs."""
    from common.http.edge import Edge
    from common.tenants.authentication import AdminKeys

    return Edge(
        authenticator=authenticator(),
        admin_keys=AdminKeys(cloud.settings().admin_api_keys),
        auditor=auditor(),
        public_urls=cloud.public_urls(),
        trusted_proxies=cloud.settings().trusted_proxies,
    )


def new_id() -> str:
    """Make a new random ID."""
    return str(uuid.uuid4())
