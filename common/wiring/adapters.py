"""The clients and adapters of one instance, by the operator's settings."""

from __future__ import annotations

import os
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from common.logs import configure_logging
from common.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.cloud import bigquery

    from common.public_urls import PublicUrls
    from common.pubsub.publishing import LevelTopic, Topic
    from common.pubsub.pulling import DeadLetterSubscription
    from common.runs.events import Announcer, AnnouncingChecks, AnnouncingRuns
    from common.runs.level_messages import LevelKeys
    from common.scheduler.jobs import SchedulerJob
    from common.tenants.executors import ExecutorAccounts
    from common.warehouse.admissions import AdmissionRows
    from common.warehouse.audit import AuditRows
    from common.warehouse.bigquery import Central, Queries
    from common.warehouse.check_rows import CheckRows
    from common.warehouse.configs import ConfigRows
    from common.warehouse.following import FollowingRows
    from common.warehouse.jobs import ClaimedJobs
    from common.warehouse.progress import ProgressRows
    from common.warehouse.queue import FiringRows, QueueRows
    from common.warehouse.refusals import RefusalRows
    from common.warehouse.run_views import RunViewRows
    from common.warehouse.runs import RunRows
    from common.warehouse.schedules import ScheduleRows
    from common.warehouse.setup import CentralTables
    from common.warehouse.streaming import CentralStreamTargets, Streaming
    from common.warehouse.tenant_admissions import TenantAdmissionRows
    from common.warehouse.tenant_datasets import DatasetsOfTenants
    from common.warehouse.tenants import TenantRecordRows, TenantRows
    from common.warehouse.usage import LoadRows, UsageRows


class Adapters:
    """Each property is made when it is first asked for, and kept for the life of the instance."""

    @cached_property
    def settings(self) -> Settings:
        """Read the environment, and set up logging by it."""
        read = Settings.from_environment(os.environ)
        secrets = (*read.admin_api_keys, read.onboarding_token, read.credentials_keyring, *read.levels_keys)
        configure_logging(project=read.project, log_format=read.log_format, secrets=secrets)
        return read

    @cached_property
    def platform_client(self) -> bigquery.Client:
        """Make the client that acts in the platform's own name."""
        from common.warehouse.clients import make_client

        read = self.settings
        return make_client(
            project=read.project, location=read.location, emulator_host=read.bigquery_emulator_host
        )

    @cached_property
    def executor_accounts(self) -> ExecutorAccounts:
        from common.tenants.executors import ExecutorAccounts

        read = self.settings
        return ExecutorAccounts(
            shared=read.executor_service_account, dedicated=read.dedicated_service_accounts
        )

    @cached_property
    def central(self) -> Central:
        from common.warehouse.bigquery import Central

        read = self.settings
        return Central(client=self.platform_client, dataset=read.central_dataset, location=read.location)

    @cached_property
    def queries(self) -> Queries:
        from common.warehouse.bigquery import Queries

        return Queries(central=self.central)

    @cached_property
    def stream_targets(self) -> CentralStreamTargets:
        from common.times import utc_now
        from common.warehouse.streaming import CentralStreamTargets

        return CentralStreamTargets(central=self.central, clock=utc_now)

    @cached_property
    def streaming(self) -> Streaming:
        from common.warehouse.streaming import Streaming

        return Streaming(central=self.central, check=self.stream_targets.require)

    @cached_property
    def claims(self) -> ClaimedJobs:
        from common.warehouse.jobs import ClaimedJobs

        return ClaimedJobs(client=self.platform_client, location=self.settings.location)

    @cached_property
    def run_rows(self) -> RunRows:
        from common.warehouse.runs import RunRows

        return RunRows(streaming=self.streaming)

    @cached_property
    def admission_rows(self) -> AdmissionRows:
        from common.warehouse.admissions import AdmissionRows

        return AdmissionRows(queries=self.queries)

    @cached_property
    def run_view_rows(self) -> RunViewRows:
        from common.warehouse.run_views import RunViewRows

        return RunViewRows(queries=self.queries)

    @cached_property
    def check_rows(self) -> CheckRows:
        from common.warehouse.check_rows import CheckRows

        return CheckRows(queries=self.queries, streaming=self.streaming)

    @cached_property
    def progress(self) -> ProgressRows:
        from common.warehouse.progress import ProgressRows

        return ProgressRows(queries=self.queries)

    @cached_property
    def queue_rows(self) -> QueueRows:
        from common.warehouse.queue import QueueRows

        return QueueRows(queries=self.queries, streaming=self.streaming)

    @cached_property
    def firing_rows(self) -> FiringRows:
        from common.warehouse.queue import FiringRows

        return FiringRows(queries=self.queries, streaming=self.streaming)

    @cached_property
    def refusal_rows(self) -> RefusalRows:
        from common.warehouse.refusals import RefusalRows

        return RefusalRows(queries=self.queries)

    @cached_property
    def load_rows(self) -> LoadRows:
        from common.warehouse.usage import LoadRows

        return LoadRows(queries=self.queries)

    @cached_property
    def usage_rows(self) -> UsageRows:
        from common.warehouse.usage import UsageRows

        return UsageRows(queries=self.queries)

    @cached_property
    def scheduler_job(self) -> SchedulerJob:
        from common.scheduler.jobs import SchedulerJob, make_client

        read = self.settings
        return SchedulerJob(client=make_client(read.scheduler_emulator_host), name=read.scheduler_job)

    @cached_property
    def tenant_admission_rows(self) -> TenantAdmissionRows:
        from common.warehouse.tenant_admissions import TenantAdmissionRows

        return TenantAdmissionRows(queries=self.queries, streaming=self.streaming)

    @cached_property
    def schedule_rows(self) -> ScheduleRows:
        from common.warehouse.schedules import ScheduleRows

        return ScheduleRows(queries=self.queries)

    @cached_property
    def following_rows(self) -> FollowingRows:
        from common.warehouse.following import CONFIGS_AND_PROFILES, Declared, FollowingRows
        from common.warehouse.unchanged import Memory

        memory: Memory[Declared] = Memory(central=self.central, tables=CONFIGS_AND_PROFILES)
        return FollowingRows(queries=self.queries, memory=memory)

    @cached_property
    def config_rows(self) -> ConfigRows:
        from common.warehouse.configs import ConfigRows

        return ConfigRows(queries=self.queries, claims=self.claims)

    @cached_property
    def tenant_rows(self) -> TenantRows:
        from common.warehouse.tenants import TenantRows

        return TenantRows(queries=self.queries)

    @cached_property
    def audit_rows(self) -> AuditRows:
        from common.warehouse.audit import AuditRows

        return AuditRows(queries=self.queries, streaming=self.streaming)

    @cached_property
    def tenant_records(self) -> TenantRecordRows:
        from common.warehouse.tenants import TenantRecordRows

        return TenantRecordRows(queries=self.queries)

    @cached_property
    def tenant_datasets(self) -> DatasetsOfTenants:
        from common.warehouse.tenant_datasets import DatasetsOfTenants

        return DatasetsOfTenants(
            central=self.central, accounts=self.executor_accounts, filling_role=self.settings.filling_role
        )

    @cached_property
    def central_tables(self) -> CentralTables:
        from common.warehouse.setup import CentralTables

        return CentralTables(central=self.central)

    @cached_property
    def topic(self) -> Callable[[str], Topic]:
        @lru_cache(maxsize=64)
        def made(name: str) -> Topic:
            from common.pubsub.publishing import Topic, make_publisher

            return Topic(publisher=make_publisher(), project=self.settings.project, name=name)

        return made

    @cached_property
    def public_urls(self) -> PublicUrls:
        from common.public_urls import PublicUrls

        return PublicUrls(own=self.settings.public_url, by_function=self.settings.public_urls)

    @cached_property
    def announcer(self) -> Announcer:
        from common.pubsub.events import EventTopic
        from common.runs.events import Announcer

        read = self.settings
        topic_of_events = self.topic(read.run_events_topic)
        return Announcer(publisher=EventTopic(topic=topic_of_events, public_urls=self.public_urls))

    @cached_property
    def announcing_runs(self) -> AnnouncingRuns:
        from common.runs.events import AnnouncingRuns

        return AnnouncingRuns(store=self.run_rows, announcer=self.announcer)

    @cached_property
    def announcing_checks(self) -> AnnouncingChecks:
        from common.runs.events import AnnouncingChecks

        return AnnouncingChecks(store=self.check_rows, announcer=self.announcer)

    @cached_property
    def levels(self) -> LevelTopic:
        from common.pubsub.publishing import LevelTopic

        return LevelTopic(topic=self.topic(self.settings.levels_topic), keys=self.level_keys)

    @cached_property
    def level_keys(self) -> LevelKeys:
        from common.runs.level_messages import LevelKeys

        return LevelKeys(keys=self.settings.levels_keys)

    @cached_property
    def dead_letter_subscription(self) -> DeadLetterSubscription:
        from google.cloud import pubsub_v1

        from common.pubsub.pulling import DeadLetterSubscription

        read = self.settings
        return DeadLetterSubscription(
            subscriber=pubsub_v1.SubscriberClient(), project=read.project, name=read.dead_letters_subscription
        )
