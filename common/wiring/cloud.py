"""The clients and adapters of one instance, by the operator's settings."""

import os
from functools import cache
from typing import TYPE_CHECKING

from common.logs import configure_logging
from common.settings import Settings

if TYPE_CHECKING:
    from google.cloud import bigquery

    from common.public_urls import PublicUrls
    from common.pubsub.publishing import LevelTopic, Topic
    from common.pubsub.pulling import DeadLetterSubscription
    from common.runs.events import Announcer, AnnouncingRuns
    from common.runs.level_signatures import LevelKeys
    from common.scheduler.jobs import SchedulerJob
    from common.tenants.executors import ExecutorAccounts
    from common.warehouse.audit import AuditRows
    from common.warehouse.configs import ConfigRows
    from common.warehouse.firings import FiringRows
    from common.warehouse.jobs import ClaimedJobs
    from common.warehouse.lanes import LaneRows
    from common.warehouse.load import LoadRows
    from common.warehouse.progress import ProgressRows
    from common.warehouse.queries import Central, Queries
    from common.warehouse.queue import QueueRows
    from common.warehouse.runs import RunRows
    from common.warehouse.schedules import ScheduleRows
    from common.warehouse.setup import CentralTables
    from common.warehouse.stream_targets import CentralStreamTargets
    from common.warehouse.streaming import Streaming
    from common.warehouse.tenant_datasets import DatasetsOfTenants
    from common.warehouse.tenant_records import TenantRecordRows
    from common.warehouse.tenants import TenantRows


@cache
def settings() -> Settings:
    """Read the environment, and set up logging by it."""
    read = Settings.from_environment(os.environ)
    secrets = (*read.admin_api_keys, read.onboarding_token, read.credentials_keyring, *read.levels_keys)
    configure_logging(project=read.project, log_format=read.log_format, secrets=secrets)
    return read


@cache
def platform_client() -> "bigquery.Client":
    """Make the client that acts in the platform's own name."""
    from common.warehouse.clients import make_client

    read = settings()
    return make_client(
        project=read.project, location=read.location, emulator_host=read.bigquery_emulator_host
    )


@cache
def executor_accounts() -> "ExecutorAccounts":
    """Return the accounts that tenants' SQL runs under."""
    from common.tenants.executors import ExecutorAccounts

    read = settings()
    return ExecutorAccounts(shared=read.executor_service_account, dedicated=read.dedicated_service_accounts)


@cache
def central() -> "Central":
    """Return the central dataset."""
    from common.warehouse.queries import Central

    read = settings()
    return Central(client=platform_client(), dataset=read.central_dataset, location=read.location)


@cache
def queries() -> "Queries":
    """Return what runs SQL files on the central dataset."""
    from common.warehouse.queries import Queries

    return Queries(central=central())


@cache
def stream_targets() -> "CentralStreamTargets":
    """Return what is looked at before rows are streamed to a table."""
    from common.times import utc_now
    from common.warehouse.stream_targets import CentralStreamTargets

    return CentralStreamTargets(central=central(), clock=utc_now)


@cache
def streaming() -> "Streaming":
    """Return what streams rows into central tables."""
    from common.warehouse.streaming import Streaming

    return Streaming(central=central(), check=stream_targets().require)


@cache
def claims() -> "ClaimedJobs":
    """Return where claims are made."""
    from common.warehouse.jobs import ClaimedJobs

    return ClaimedJobs(client=platform_client(), location=settings().location)


@cache
def run_rows() -> "RunRows":
    """Return run and step rows."""
    from common.warehouse.runs import RunRows

    return RunRows(queries=queries(), streaming=streaming())


@cache
def progress() -> "ProgressRows":
    """Return where the progress of runs is read."""
    from common.warehouse.progress import ProgressRows

    return ProgressRows(queries=queries())


@cache
def queue_rows() -> "QueueRows":
    """Return the rows of the queue."""
    from common.warehouse.queue import QueueRows

    return QueueRows(queries=queries(), streaming=streaming())


@cache
def firing_rows() -> "FiringRows":
    """Return the rows of firings."""
    from common.warehouse.firings import FiringRows

    return FiringRows(queries=queries(), streaming=streaming())


@cache
def load_rows() -> "LoadRows":
    """Return what counts the load of plans."""
    from common.warehouse.load import LoadRows

    return LoadRows(queries=queries())


@cache
def scheduler_job() -> "SchedulerJob":
    """Return the dispatcher's job in Cloud Scheduler."""
    from common.scheduler.jobs import SchedulerJob, make_client

    read = settings()
    return SchedulerJob(client=make_client(read.scheduler_emulator_host), name=read.scheduler_job)


@cache
def lane_rows() -> "LaneRows":
    """Return what many admissions read and write at once."""
    from common.warehouse.lanes import LaneRows

    return LaneRows(queries=queries(), streaming=streaming())


@cache
def schedule_rows() -> "ScheduleRows":
    """Return the rows of schedules."""
    from common.warehouse.schedules import ScheduleRows

    return ScheduleRows(queries=queries())


@cache
def config_rows() -> "ConfigRows":
    """Return the rows of configs."""
    from common.warehouse.configs import ConfigRows

    return ConfigRows(queries=queries(), claims=claims())


@cache
def tenant_rows() -> "TenantRows":
    """Return tenants' rows."""
    from common.warehouse.tenants import TenantRows

    return TenantRows(queries=queries())


@cache
def audit_rows() -> "AuditRows":
    """Return the rows of the audit log."""
    from common.warehouse.audit import AuditRows

    return AuditRows(queries=queries(), streaming=streaming())


@cache
def tenant_records() -> "TenantRecordRows":
    """Return what changes tenants' rows."""
    from common.warehouse.tenant_records import TenantRecordRows

    return TenantRecordRows(queries=queries())


@cache
def tenant_datasets() -> "DatasetsOfTenants":
    """Return tenants' datasets."""
    from common.warehouse.tenant_datasets import DatasetsOfTenants

    return DatasetsOfTenants(
        central=central(), accounts=executor_accounts(), filling_role=settings().filling_role
    )


@cache
def central_tables() -> "CentralTables":
    """Return the tables of the central dataset."""
    from common.warehouse.setup import CentralTables

    return CentralTables(central=central())


@cache
def topic(name: str) -> "Topic":
    """Return a topic of the platform."""
    from common.pubsub.publishing import Topic, make_publisher

    return Topic(publisher=make_publisher(), project=settings().project, name=name)


@cache
def public_urls() -> "PublicUrls":
    """Return where callers reach the API."""
    from common.public_urls import PublicUrls

    return PublicUrls(own=settings().public_url, by_function=settings().public_urls)


@cache
def announcer() -> "Announcer":
    """Return what tells other systems of runs."""
    from common.pubsub.events import EventTopic
    from common.runs.events import Announcer

    read = settings()
    topic_of_events = topic(read.run_events_topic)
    return Announcer(publisher=EventTopic(topic=topic_of_events, public_urls=public_urls()))


@cache
def announcing_runs() -> "AnnouncingRuns":
    """Return run and step rows that are told of."""
    from common.runs.events import AnnouncingRuns

    return AnnouncingRuns(store=run_rows(), announcer=announcer())


@cache
def levels() -> "LevelTopic":
    """Return where level messages go."""
    from common.pubsub.publishing import LevelTopic

    return LevelTopic(topic=topic(settings().levels_topic), keys=level_keys())


@cache
def level_keys() -> "LevelKeys":
    """Return what signs level messages and checks them."""
    from common.runs.level_signatures import LevelKeys

    return LevelKeys(keys=settings().levels_keys)


@cache
def dead_letter_subscription() -> "DeadLetterSubscription":
    """Return the dispatcher's own look at the dead letters."""
    from google.cloud import pubsub_v1

    from common.pubsub.pulling import DeadLetterSubscription

    read = settings()
    return DeadLetterSubscription(
        subscriber=pubsub_v1.SubscriberClient(), project=read.project, name=read.dead_letters_subscription
    )
