"""Putting the parts together: the one place that reads the environment and builds clients.

Everything is made when it is first asked for and kept for the life of the instance: a cold start pays for
what the function uses and for nothing else. This module has what the functions ask for.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from common.times import utc_now
from common.wiring.accounts import Accounts
from common.wiring.adapters import Adapters
from common.wiring.services import Services, new_id

if TYPE_CHECKING:
    from common.console import Console
    from common.dispatcher.dispatching import Dispatcher
    from common.http.edge import SystemEdge
    from common.http.services import AdminServices, PipelineServices, TenantServices
    from common.messages.levels import LevelReceiver
    from common.messages.run_requests import RunRequestReceiver
    from common.pubsub.publishing import Topic

logger = logging.getLogger(__name__)

# Well inside the function's 300 seconds, and what is left is the next minute's.
DISPATCH_BUDGET = timedelta(seconds=200)
# The push subscriptions' own. Until then Pub/Sub itself sends again what a call that died held, and a message
# may wait for its turn: the sweeper is for what is lost altogether.
PUSH_DEADLINE = timedelta(seconds=600)

ADAPTERS = Adapters()
ACCOUNTS = Accounts(ADAPTERS)
SERVICES = Services(ADAPTERS, ACCOUNTS)


@cache
def system_edge() -> "SystemEdge":
    """Put together what the system routes of every HTTP function stand on: no client of anything."""
    from common.http.edge import SystemEdge

    return SystemEdge(
        readiness=_readiness,
        public_urls=ADAPTERS.public_urls,
        trusted_proxies=ADAPTERS.settings.trusted_proxies,
    )


def _readiness() -> dict[str, bool]:
    """Ask each part; one whose client cannot even be made, for want of credentials, is not ready."""
    return {"bigquery": _is_ready(_bigquery_answers), "pubsub": _is_ready(_levels_topic_exists)}


def _is_ready(answers: Callable[[], bool]) -> bool:
    from google.auth.exceptions import GoogleAuthError

    try:
        return answers()
    except GoogleAuthError as error:
        logger.warning("part is not ready", extra={"error": str(error)})
        return False


def _bigquery_answers() -> bool:
    from common.warehouse.clients import answers

    return answers(ADAPTERS.platform_client)


def _levels_topic_exists() -> bool:
    return ADAPTERS.topic(ADAPTERS.settings.levels_topic).exists()


@cache
def tenant_services() -> "TenantServices":
    """Put together what the function `onboarding` stands on."""
    from common.http.services import TenantServices
    from common.tenants.onboarding_checks import DryRun
    from common.tenants.onboarding_limits import OnboardingMode, OnboardingPolicy, OnboardingRates
    from common.tenants.own_keys import OwnKeys

    read = ADAPTERS.settings
    return TenantServices(
        edge=SERVICES.edge,
        onboarding_policy=OnboardingPolicy(OnboardingMode(read.onboarding_mode), read.onboarding_token),
        onboarding=SERVICES.onboarding,
        rates=OnboardingRates(
            claims=ADAPTERS.claims,
            clock=utc_now,
            new_id=new_id,
            per_source=read.onboardings_per_source,
            total=read.onboardings_per_hour,
        ),
        dry_run=DryRun(
            datasets=ADAPTERS.tenant_datasets,
            catalog=ADAPTERS.central_tables,
            clock=utc_now,
            central_dataset=read.central_dataset,
        ),
        subscriptions=ADAPTERS.tenant_rows,
        run_queries=SERVICES.run_queries,
        credentials=ACCOUNTS.credentials,
        keys=OwnKeys(administration=SERVICES.administration, uses=ADAPTERS.audit_rows, clock=utc_now),
        usage=SERVICES.costs.usage,
        budgets=SERVICES.costs.budgets,
    )


@cache
def admin_services() -> "AdminServices":
    """Put together what the function `admin` stands on."""
    from common.dispatcher.control import PlatformWatch
    from common.http.services import AdminServices
    from common.setup.bootstrap import Bootstrap
    from common.setup.readiness import StreamingReadiness
    from common.setup.recreation import Recreation
    from common.tenants.changes import TenantChanges
    from common.tenants.offboarding import Offboarding
    from common.warehouse.backups import CentralBackups
    from common.warehouse.leftover_work import TenantInventory, TenantRemover
    from common.warehouse.tenant_datasets import ViewsOfTenants

    recreation = Recreation(
        backups=CentralBackups(central=ADAPTERS.central),
        dataset=ADAPTERS.settings.central_dataset,
        clock=utc_now,
    )
    return AdminServices(
        edge=SERVICES.edge,
        bootstrap=Bootstrap(
            central=ADAPTERS.central_tables,
            tenant_views=ViewsOfTenants(central=ADAPTERS.central),
            recreation=recreation,
            readiness=StreamingReadiness(
                targets=ADAPTERS.stream_targets, clock=utc_now, new_id=new_id, sleep=time.sleep
            ),
        ),
        onboarding=SERVICES.onboarding,
        administration=SERVICES.administration,
        audit=ADAPTERS.audit_rows,
        scheduler=ADAPTERS.scheduler_job,
        usage=SERVICES.costs.usage,
        budgets=SERVICES.costs.budgets,
        watch=PlatformWatch(
            timetable=ADAPTERS.schedule_rows,
            load=ADAPTERS.load_rows,
            clock=utc_now,
            held=ADAPTERS.stream_targets.held,
        ),
        offboarding=Offboarding(
            records=ADAPTERS.tenant_records,
            administration=SERVICES.administration,
            datasets=ADAPTERS.tenant_datasets,
            access=ACCOUNTS.credential_access,
            inventory=TenantInventory(central=ADAPTERS.central),
            remover=TenantRemover(central=ADAPTERS.central, auditor=SERVICES.auditor, actor="admin"),
            clock=utc_now,
            grace=ADAPTERS.settings.offboarding_grace,
        ),
        changes=TenantChanges(
            records=ADAPTERS.tenant_records,
            datasets=ADAPTERS.tenant_datasets,
            access=ACCOUNTS.credential_access,
            clock=utc_now,
            new_id=new_id,
            project=ADAPTERS.settings.project,
            central_dataset=ADAPTERS.settings.central_dataset,
        ),
    )


@cache
def pipeline_services() -> "PipelineServices":
    """Put together what the function `pipelines` stands on."""
    from common.http.services import PipelineServices
    from common.quality.check_queries import CheckQueries
    from common.runs.retrying import RunRetrier
    from common.runs.sql_testing import ConfigTester
    from common.schedules.timetable import Schedules

    return PipelineServices(
        edge=SERVICES.edge,
        configs=SERVICES.configs,
        run_service=SERVICES.run_service,
        retrier=RunRetrier(
            run_admission=SERVICES.run_admission,
            reader=ADAPTERS.progress,
            compile=SERVICES.compile_cache,
            clock=utc_now,
        ),
        canceller=SERVICES.stopper,
        backfills=SERVICES.backfills,
        quotes=SERVICES.costs.quotes,
        clock=utc_now,
        run_queries=SERVICES.run_queries,
        schedules=Schedules(timetable=ADAPTERS.schedule_rows, refused=ADAPTERS.refusal_rows, clock=utc_now),
        queue=SERVICES.queue,
        tables=ACCOUNTS.own_tables,
        tester=ConfigTester(
            configs=SERVICES.configs,
            queries=ACCOUNTS.literal_queries,
            guard=SERVICES.guard,
            new_id=new_id,
        ),
        quality=CheckQueries(reads=ADAPTERS.check_rows, clock=utc_now),
    )


@cache
def console() -> "Console":
    """Put together the console: it reaches the API alone, by the key of who is signed in."""
    from common.client import Api, Retries
    from common.console import Console, SessionSeal
    from common.http.edge import WrongKeys
    from common.http.request_input import source_of

    read = ADAPTERS.settings
    return Console(
        connect=lambda key: Api(url=read.api_url, key=key, retries=Retries(attempts=2), timeout_seconds=30.0),
        seal=SessionSeal(read.console_keys),
        attempts=WrongKeys(),
        source_of=lambda request: source_of(request, read.trusted_proxies),
    )


@cache
def level_receiver() -> "LevelReceiver":
    """Put together what the function `run_level` stands on."""
    from common.messages.levels import LevelReceiver

    return LevelReceiver(worker=SERVICES.worker, keys=ADAPTERS.level_keys)


@cache
def run_request_receiver() -> "RunRequestReceiver":
    """Put together what the function `run_request` stands on."""
    from common.messages.run_requests import RunRequestReceiver

    return RunRequestReceiver(
        authenticator=SERVICES.authenticator,
        run_service=SERVICES.run_service,
        announcer=ADAPTERS.announcer,
        clock=utc_now,
    )


@cache
def dead_letters() -> "Topic":
    """Return where messages go that can never be handled."""
    return ADAPTERS.topic(ADAPTERS.settings.dead_letters_topic)


@cache
def dispatcher() -> "Dispatcher":
    """Put together what the function `dispatcher` stands on."""
    from common.dispatcher.dispatching import Dispatcher
    from common.runs.dead_letters import DeadLetterHandler
    from common.runs.sweeping import Sweeper
    from common.warehouse.unchanged import SCHEDULED, Memory, RememberedTimetable
    from common.wiring.notices import late_pipelines

    sweeper = Sweeper(
        reader=ADAPTERS.progress,
        store=ADAPTERS.announcing_runs,
        claims=ADAPTERS.claims,
        levels=ADAPTERS.levels,
        compile=SERVICES.compile_cache,
        clock=utc_now,
        quiet_after=max(ADAPTERS.settings.level_budget + timedelta(minutes=2), PUSH_DEADLINE),
    )
    return Dispatcher(
        sweeper=sweeper,
        dead_letters=DeadLetterHandler(
            inbox=ADAPTERS.dead_letter_subscription,
            reader=ADAPTERS.progress,
            worker=SERVICES.stopping_worker,
            clock=utc_now,
            project=ADAPTERS.settings.project,
            levels_subscription=ADAPTERS.settings.levels_subscription,
            keys=ADAPTERS.level_keys,
        ),
        timetable=RememberedTimetable(
            timetable=ADAPTERS.schedule_rows,
            clock=utc_now,
            memory=Memory(central=ADAPTERS.central, tables=SCHEDULED),
        ),
        queue=SERVICES.queue,
        filler=SERVICES.filler,
        usage=ADAPTERS.usage_rows,
        firings=ADAPTERS.firing_rows,
        close=SERVICES.offboarding_cleanup.close,
        follow=SERVICES.followed_runs,
        tell_late=late_pipelines(),
        clock=utc_now,
        budget=DISPATCH_BUDGET,
    )
