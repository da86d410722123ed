"""What the functions stand on, each a bag of its own; the wiring fills them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # A function imports what it uses itself, and not what the others stand on.
    from common.backfills.backfills import Backfills
    from common.costs.usage import Usage
    from common.dispatcher.control import DispatcherJob, PlatformWatch
    from common.http.edge import Edge
    from common.pipelines.configs import Configs
    from common.quality.check_queries import CheckQueries
    from common.queue.run_queue import RunQueue
    from common.queue.stopping import RunStopper
    from common.runs.quotes import Quotes
    from common.runs.retrying import RunRetrier
    from common.runs.run_queries import RunQueries
    from common.runs.sql_testing import ConfigTester
    from common.runs.starting import RunService
    from common.schedules.timetable import Schedules
    from common.setup.bootstrap import Bootstrap
    from common.tenants.administration import Administration
    from common.tenants.audit import AuditLog
    from common.tenants.budgets import TenantBudgets
    from common.tenants.changes import TenantChanges
    from common.tenants.credentials import Credentials
    from common.tenants.offboarding import Offboarding
    from common.tenants.onboarding import Onboarding
    from common.tenants.onboarding_checks import DryRun
    from common.tenants.onboarding_limits import OnboardingPolicy, OnboardingRates
    from common.tenants.own_keys import OwnKeys
    from common.tenants.own_tables import OwnTables
    from common.tenants.ports import TenantReads
    from common.times import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineServices:
    """Services of the tenant API of pipelines."""

    edge: Edge
    configs: Configs
    run_service: RunService
    retrier: RunRetrier
    canceller: RunStopper
    run_queries: RunQueries
    schedules: Schedules
    queue: RunQueue
    backfills: Backfills
    tables: OwnTables
    quotes: Quotes
    clock: Clock
    tester: ConfigTester
    quality: CheckQueries


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantServices:
    """Services of the tenant API of tenants themselves."""

    edge: Edge
    onboarding_policy: OnboardingPolicy
    onboarding: Onboarding
    rates: OnboardingRates
    dry_run: DryRun
    subscriptions: TenantReads
    run_queries: RunQueries
    keys: OwnKeys
    credentials: Credentials
    usage: Usage
    budgets: TenantBudgets


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminServices:
    """Services of the operators' API."""

    edge: Edge
    bootstrap: Bootstrap
    onboarding: Onboarding
    administration: Administration
    changes: TenantChanges
    audit: AuditLog
    offboarding: Offboarding
    scheduler: DispatcherJob
    watch: PlatformWatch
    usage: Usage
    budgets: TenantBudgets
