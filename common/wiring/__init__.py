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
from common.wiring import accounts, cloud, domain

if TYPE_CHECKING:
    from common.http.edge import SystemEdge
    from common.http.services import AdminServices, PipelineServices, TenantServices
    from common.messages.levels import LevelReceiver
    from common.messages.run_requests import RunRequestReceiver
    from common.pubsub.publishing import Topic
    from common.schedules.dispatching import Dispatcher

logger = logging.getLogger(__name__)

# Well inside the function's 300 seconds, and what is left is the next minute's.
DISPATCH_BUDGET = timedelta(seconds=200)
# The push subscriptions' own. Until then Pub/Sub itself sends again what a call that died held, and a message
# may wait for its turn: the sweeper is for what is lost altogether.
PUSH_DEADLINE = timedelta(seconds=600)


@cache
def system_edge() -> "SystemEdge":
    """Put together what the system routes of every HTTP function stand on: no client of anything."""
    from common.http.edge import SystemEdge

    return SystemEdge(
        readiness=_readiness,
        public_urls=cloud.public_urls(),
        trusted_proxies=cloud.settings().trusted_proxies,
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

    return answers(cloud.platform_client())


def _levels_topic_exists() -> bool:
    return cloud.topic(cloud.settings().levels_topic).exists()


@cache
def tenant_services() -> "TenantServices":
    """Put together what the function `onboarding` stands on."""
    from common.http.services import TenantServices
    from common.tenants.onboarding_checks import DryRun
    from common.tenants.onboarding_limits import OnboardingDoor, OnboardingMode, OnboardingRates
    from common.tenants.own_keys import OwnKeys

    read = cloud.settings()
    return TenantServices(
        edge=domain.edge(),
        door=OnboardingDoor(OnboardingMode(read.onboarding_mode), read.onboarding_token),
        onboarding=domain.onboarding(),
        rates=OnboardingRates(
            claims=cloud.claims(),
            clock=utc_now,
            new_id=domain.new_id,
            per_source=read.onboardings_per_source,
            total=read.onboardings_per_hour,
        ),
        dry_run=DryRun(
            datasets=cloud.tenant_datasets(),
            catalog=cloud.central_tables(),
            clock=utc_now,
            central_dataset=read.central_dataset,
        ),
        subscriptions=cloud.tenant_rows(),
        run_log=domain.run_log(),
        credentials=accounts.credentials(),
        keys=OwnKeys(administration=domain.administration(), uses=cloud.audit_rows(), clock=utc_now),
    )


@cache
def admin_services() -> "AdminServices":
    """Put together what the function `admin` stands on."""
    from common.http.services import AdminServices
    from common.schedules.control import PlatformWatch
    from common.setup.bootstrap import Bootstrap
    from common.setup.readiness import StreamingReadiness
    from common.setup.recreation import Recreation
    from common.tenants.changes import TenantChanges
    from common.tenants.offboarding import Offboarding
    from common.warehouse.backups import CentralBackups
    from common.warehouse.remains import TenantInventory, TenantRemover
    from common.warehouse.tenant_views import ViewsOfTenants

    recreation = Recreation(
        backups=CentralBackups(central=cloud.central()),
        dataset=cloud.settings().central_dataset,
        clock=utc_now,
    )
    return AdminServices(
        edge=domain.edge(),
        bootstrap=Bootstrap(
            central=cloud.central_tables(),
            tenant_views=ViewsOfTenants(central=cloud.central()),
            recreation=recreation,
            readiness=StreamingReadiness(
                targets=cloud.stream_targets(), clock=utc_now, new_id=domain.new_id, sleep=time.sleep
            ),
        ),
        onboarding=domain.onboarding(),
        administration=domain.administration(),
        audit=cloud.audit_rows(),
        scheduler=cloud.scheduler_job(),
        watch=PlatformWatch(
            timetable=cloud.schedule_rows(),
            load=cloud.load_rows(),
            clock=utc_now,
            held=cloud.stream_targets().held,
        ),
        offboarding=Offboarding(
            records=cloud.tenant_records(),
            administration=domain.administration(),
            datasets=cloud.tenant_datasets(),
            access=accounts.credential_access(),
            inventory=TenantInventory(central=cloud.central()),
            remover=TenantRemover(central=cloud.central(), auditor=domain.auditor(), actor="admin"),
            clock=utc_now,
            grace=cloud.settings().offboarding_grace,
        ),
        changes=TenantChanges(
            records=cloud.tenant_records(),
            datasets=cloud.tenant_datasets(),
            access=accounts.credential_access(),
            clock=utc_now,
            new_id=domain.new_id,
            project=cloud.settings().project,
            central_dataset=cloud.settings().central_dataset,
        ),
    )


@cache
def pipeline_services() -> "PipelineServices":
    """Put together what the function `pipelines` stands on."""
    from common.http.services import PipelineServices
    from common.runs.retrying import RunRetrier
    from common.schedules.timetable import Schedules

    return PipelineServices(
        edge=domain.edge(),
        configs=domain.configs(),
        starter=domain.starter(),
        retrier=RunRetrier(
            beginner=domain.beginner(), reader=cloud.progress(), compile=domain.compile_cache(), clock=utc_now
        ),
        canceller=domain.stopper(),
        backfills=domain.backfills(),
        run_log=domain.run_log(),
        schedules=Schedules(timetable=cloud.schedule_rows(), clock=utc_now),
        queue=domain.queue(),
    )


@cache
def level_receiver() -> "LevelReceiver":
    """Put together what the function `run_level` stands on."""
    from common.messages.levels import LevelReceiver

    return LevelReceiver(worker=domain.worker(), keys=cloud.level_keys())


@cache
def run_request_receiver() -> "RunRequestReceiver":
    """Put together what the function `run_request` stands on."""
    from common.messages.run_requests import RunRequestReceiver

    return RunRequestReceiver(
        authenticator=domain.authenticator(),
        starter=domain.starter(),
        announcer=cloud.announcer(),
        clock=utc_now,
    )


@cache
def dead_letters() -> "Topic":
    """Return where messages go that can never be handled."""
    return cloud.topic(cloud.settings().dead_letters_topic)


@cache
def dispatcher() -> "Dispatcher":
    """Put together what the function `dispatcher` stands on."""
    from common.runs.dead_letters import DeadLetterHandler
    from common.runs.sweeping import Sweeper
    from common.schedules.dispatching import Dispatcher
    from common.warehouse.unchanged import SCHEDULED, Memory, RememberedTimetable
    from common.warehouse.usage import UsageRows

    sweeper = Sweeper(
        reader=cloud.progress(),
        store=cloud.announcing_runs(),
        claims=cloud.claims(),
        levels=cloud.levels(),
        compile=domain.compile_cache(),
        clock=utc_now,
        quiet_after=max(cloud.settings().level_budget + timedelta(minutes=2), PUSH_DEADLINE),
    )
    return Dispatcher(
        sweeper=sweeper,
        dead_letters=DeadLetterHandler(
            inbox=cloud.dead_letter_subscription(),
            reader=cloud.progress(),
            worker=domain.stopping_worker(),
            clock=utc_now,
            project=cloud.settings().project,
            levels_subscription=cloud.settings().levels_subscription,
            keys=cloud.level_keys(),
        ),
        timetable=RememberedTimetable(
            timetable=cloud.schedule_rows(),
            clock=utc_now,
            memory=Memory(central=cloud.central(), tables=SCHEDULED),
        ),
        queue=domain.queue(),
        filler=domain.filler(),
        usage=UsageRows(queries=cloud.queries()),
        firings=cloud.firing_rows(),
        close=domain.closer().close,
        clock=utc_now,
        budget=DISPATCH_BUDGET,
    )
