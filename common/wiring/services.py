"""The services of the domain, on the adapters."""

from __future__ import annotations

import time
import uuid
from functools import cached_property
from typing import TYPE_CHECKING

from common.times import utc_now

if TYPE_CHECKING:
    from common.backfills.backfills import Backfills
    from common.http.edge import Edge
    from common.pipelines.configs import Configs
    from common.pipelines.tables import Policy
    from common.queue.filling import SlotFiller
    from common.queue.run_queue import RunQueue
    from common.queue.stopping import RunStopper
    from common.runs.beginning import RunAdmission
    from common.runs.cancelling import RunCanceller
    from common.runs.compiling import CompileCache
    from common.runs.guarding import PolicyGuard
    from common.runs.levels import LevelWorker
    from common.runs.offboarding_cleanup import OffboardingCleanup
    from common.runs.ports import Identities
    from common.runs.run_queries import RunQueries
    from common.runs.starting import RunService
    from common.schedules.following import FollowedRuns
    from common.tenants.administration import Administration
    from common.tenants.audit import Auditor
    from common.tenants.authentication import Authenticator
    from common.tenants.onboarding import Onboarding
    from common.wiring.accounts import Accounts
    from common.wiring.adapters import Adapters
    from common.wiring.costs import Costs


def new_id() -> str:
    """Make a new random ID."""
    return str(uuid.uuid4())


class Services:
    """Each property is made when it is first asked for, and kept for the life of the instance."""

    def __init__(self, adapters: Adapters, accounts: Accounts) -> None:
        self.adapters = adapters
        self.accounts = accounts

    @cached_property
    def configs(self) -> Configs:
        from common.pipelines.configs import Compiler, Configs
        from common.pipelines.step_types import TEMPLATES, load_step_types

        project, step_types = self.adapters.settings.project, load_step_types(TEMPLATES)
        compiler = Compiler(project_id=project, step_types=step_types, policy_of=self._policy_of)
        return Configs(
            store=self.adapters.config_rows,
            compiler=compiler,
            clock=utc_now,
            grants_of=self.adapters.tenant_rows.grants_of,
            daily_limit_of=self.adapters.tenant_rows.daily_limit_of,
        )

    def _policy_of(self, tenant_id: str) -> Policy:
        from common.pipelines.tables import Policy

        read = self.adapters.settings
        return Policy(
            project_id=read.project,
            dataset=tenant_id,
            allowed_sources=read.allowed_sources,
            maximum_bytes_billed=read.maximum_bytes_billed,
        )

    @cached_property
    def guard(self) -> PolicyGuard:
        from common.runs.guarding import PolicyGuard

        return PolicyGuard(project_id=self.adapters.settings.project)

    @cached_property
    def compile_cache(self) -> CompileCache:
        from common.runs.compiling import CompileCache

        return CompileCache(compile_text=self.configs.compiler.compile_text, policy_of=self._policy_of)

    @cached_property
    def worker(self) -> LevelWorker:
        return self._worker(self.accounts.opening_identities)

    @cached_property
    def stopping_worker(self) -> LevelWorker:
        return self._worker(self.accounts.step_identities)

    def _worker(self, identities: Identities) -> LevelWorker:
        from common.queue.freed_slots import FreedSlots
        from common.runs.levels import LevelWorker

        return LevelWorker(
            store=self.adapters.announcing_runs,
            checks=self.adapters.announcing_checks,
            earlier=self.adapters.check_rows,
            claims=self.adapters.claims,
            identities=identities,
            levels=self.adapters.levels,
            guard=self.guard,
            clock=utc_now,
            sleep=time.sleep,
            budget=self.adapters.settings.level_budget,
            seal=self.accounts.parameter_seal,
            after_end=FreedSlots(queue=self.queue, filler=self.filler, clock=utc_now),
        )

    @cached_property
    def run_admission(self) -> RunAdmission:
        from common.runs.beginning import RunAdmission

        return RunAdmission(
            facts=self.adapters.admission_rows,
            store=self.adapters.announcing_runs,
            claims=self.adapters.claims,
            levels=self.adapters.levels,
            clock=utc_now,
            price=self.costs.price,
        )

    @cached_property
    def run_service(self) -> RunService:
        from common.queue.enqueueing import QueueingRequests
        from common.runs.starting import RunService

        enqueuer = QueueingRequests(queue=self.queue, clock=utc_now)
        return RunService(
            enqueuer=enqueuer,
            run_admission=self.run_admission,
            reader=self.adapters.progress,
            compile=self.compile_cache,
            clock=utc_now,
            seal=self.accounts.parameter_seal,
        )

    @cached_property
    def queue(self) -> RunQueue:
        from common.queue.run_queue import RunQueue

        return RunQueue(
            store=self.adapters.queue_rows,
            firings=self.adapters.firing_rows,
            claims=self.adapters.claims,
            announcer=self.adapters.announcer,
            clock=utc_now,
        )

    @cached_property
    def stopper(self) -> RunStopper:
        from common.queue.stopping import RunStopper

        return RunStopper(canceller=self.canceller, queue=self.queue)

    @cached_property
    def backfills(self) -> Backfills:
        from common.backfills.backfills import Backfills
        from common.warehouse.queue import BackfillRows

        return Backfills(
            reader=BackfillRows(queries=self.adapters.queries),
            queue=self.queue,
            filler=self.filler,
            stopper=self.stopper,
            run_admission=self.run_admission,
            quotes=self.costs.quotes,
            compile=self.compile_cache,
            clock=utc_now,
            seal=self.accounts.parameter_seal,
        )

    @cached_property
    def followed_runs(self) -> FollowedRuns:
        from common.schedules.following import FollowedRuns

        return FollowedRuns(
            reader=self.adapters.following_rows,
            start=self.run_service.start,
            queue=self.queue,
            clock=utc_now,
        )

    @cached_property
    def filler(self) -> SlotFiller:
        from common.queue.filling import SlotFiller

        return SlotFiller(
            store=self.adapters.tenant_admission_rows,
            queue=self.queue,
            run_admission=self.run_admission,
            claims=self.adapters.claims,
            levels=self.adapters.levels,
            compile=self.compile_cache,
            cancel=self.canceller.cancel,
            clock=utc_now,
        )

    @cached_property
    def run_queries(self) -> RunQueries:
        from common.queue.queued_runs import QueuedRunReads
        from common.runs.run_queries import RunQueries

        read = self.adapters
        reads = QueuedRunReads(reads=read.run_view_rows, queue=read.queue_rows, refusals=read.refusal_rows)
        return RunQueries(reads=reads, facts=read.admission_rows, claims=read.claims, clock=utc_now)

    @cached_property
    def costs(self) -> Costs:
        from common.wiring.costs import Costs

        return Costs(self.adapters, self.accounts, self.guard)

    @cached_property
    def authenticator(self) -> Authenticator:
        from common.tenants.authentication import Authenticator

        return Authenticator(store=self.adapters.tenant_rows, clock=utc_now)

    @cached_property
    def onboarding(self) -> Onboarding:
        from common.tenants.onboarding import Onboarding

        return Onboarding(
            datasets=self.adapters.tenant_datasets,
            store=self.adapters.tenant_rows,
            claims=self.adapters.claims,
            catalog=self.adapters.central_tables,
            clock=utc_now,
            new_id=new_id,
            central_dataset=self.adapters.settings.central_dataset,
        )

    @cached_property
    def canceller(self) -> RunCanceller:
        from common.runs.cancelling import RunCanceller

        return RunCanceller(
            reader=self.adapters.progress,
            claims=self.adapters.claims,
            identities=self.accounts.shared_identities,
            levels=self.adapters.levels,
            clock=utc_now,
        )

    @cached_property
    def offboarding_cleanup(self) -> OffboardingCleanup:
        from common.runs.offboarding_cleanup import LeftoverWork, OffboardingCleanup
        from common.warehouse.leftover_work import LeftoverWorkRows, TenantRemover
        from common.warehouse.unchanged import PROFILES, Memory, RememberedLeftoverWork

        memory: Memory[LeftoverWork] = Memory(central=self.adapters.central, tables=PROFILES)
        return OffboardingCleanup(
            reader=RememberedLeftoverWork(
                reader=LeftoverWorkRows(queries=self.adapters.queries), memory=memory
            ),
            canceller=self.stopper,
            remover=TenantRemover(central=self.adapters.central, auditor=self.auditor),
            clock=utc_now,
            grace=self.adapters.settings.offboarding_grace,
        )

    @cached_property
    def administration(self) -> Administration:
        from common.tenants.administration import Administration

        return Administration(
            directory=self.adapters.tenant_rows,
            datasets=self.adapters.tenant_datasets,
            clock=utc_now,
            new_id=new_id,
            grace=self.adapters.settings.offboarding_grace,
        )

    @cached_property
    def auditor(self) -> Auditor:
        from common.tenants.audit import Auditor

        return Auditor(log=self.adapters.audit_rows, clock=utc_now, new_id=new_id)

    @cached_property
    def edge(self) -> Edge:
        from common.http.edge import Edge
        from common.tenants.authentication import AdminKeys

        return Edge(
            authenticator=self.authenticator,
            admin_keys=AdminKeys(self.adapters.settings.admin_api_keys),
            auditor=self.auditor,
            public_urls=self.adapters.public_urls,
            trusted_proxies=self.adapters.settings.trusted_proxies,
        )
