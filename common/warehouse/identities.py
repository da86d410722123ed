"""Under whose name a step runs (`common.runs.ports.Identities`): an executor's, or a tenant's account."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from google.cloud import bigquery

from common.errors import AlreadyExists, NotConfigured, QueryRefused
from common.pipelines.pipeline import Pipeline, Step
from common.pipelines.plans import CheckJob, LoadJob, QueryJob, StatementType, WriteDisposition
from common.runs.files import Buckets, FileClaims
from common.runs.ports import DryRun, JobReport, JobsOf, StepJob
from common.tenants.credential_access import REASON
from common.tenants.service_accounts import ServiceAccountKey
from common.warehouse.buckets import no_buckets
from common.warehouse.candidates import candidate_written_by, make_candidate
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.files import FileLedgerRows
from common.warehouse.job_kinds import BigQueryJob, columns_of, load_config, taken_over, time_partitioning
from common.warehouse.jobs import ExecutorJobs
from common.warehouse.translation import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountJobs(ExecutorJobs):
    """Jobs that read as the tenant's account and fill a table of the tenant's dataset.

    The account cannot make that table: who can make tables can make views, and views are what the SQL
    firewall must be able to trust. So the executor makes it, empty, once the statement has been judged.
    """

    maker: bigquery.Client
    """The executor's client."""

    def prepare(self, job: StepJob, dry_run: DryRun) -> None:
        """Make the target table, empty, by what the dry run says of the rows; leave one that is there."""
        work, dataset = job.work, bigquery.DatasetReference(self.project, job.tenant_id)
        if candidate := candidate_written_by(work):
            make_candidate(self.maker, dataset, candidate, dry_run)
            return
        if not isinstance(work, QueryJob | LoadJob) or _says_itself_what_it_writes(work):
            return
        table = bigquery.Table(dataset.table(work.destination), schema=_columns(work, dry_run))
        table.time_partitioning = time_partitioning(work.partitioning)
        table.clustering_fields = list(work.clustering) or None
        try:
            with translated():
                self.maker.create_table(table, retry=RETRY, timeout=TIMEOUT_SECONDS)
        except AlreadyExists:
            return

    def files_of(self, job: StepJob) -> FileClaims:
        """Return who takes files for a load: as the account sees them, by the executor's ledger."""
        claims = ExecutorJobs.files_of(self, job)
        ledger = FileLedgerRows(
            client=self.maker, location=self.location, project=self.project, dataset=job.tenant_id
        )
        return replace(claims, ledger=ledger, project=self.client.project)

    def _reported(self, job: BigQueryJob) -> JobReport:
        # super() without arguments does not work in a class with slots.
        return replace(ExecutorJobs._reported(self, job), project=self.client.project)

    def _asking(self, job: StepJob, work: QueryJob | CheckJob) -> bigquery.QueryJobConfig:
        """Configure the dry run: without the target, which is made afterwards."""
        config = bigquery.QueryJobConfig(
            default_dataset=bigquery.DatasetReference(self.project, job.tenant_id),
            query_parameters=ExecutorJobs._config(self, job, work).query_parameters,
            labels=dict(job.labels),
            use_legacy_sql=False,
        )
        if work.maximum_bytes_billed is not None:
            config.maximum_bytes_billed = work.maximum_bytes_billed
        return config

    def _config(self, job: StepJob, work: QueryJob | CheckJob) -> bigquery.QueryJobConfig:
        config = ExecutorJobs._config(self, job, work)
        if isinstance(work, CheckJob) or _says_itself_what_it_writes(work):
            return config
        return _filling(config, work)

    def _load_config(self, job: StepJob, work: LoadJob) -> bigquery.LoadJobConfig:
        return _filling(load_config(job, work), work)


def _says_itself_what_it_writes(work: QueryJob | LoadJob) -> bool:
    return isinstance(work, QueryJob) and work.statement_type is not StatementType.SELECT


def _filling[C: (bigquery.QueryJobConfig, bigquery.LoadJobConfig)](config: C, work: QueryJob | LoadJob) -> C:
    """Have a job fill a table that is there: to make one, or its columns anew, takes more than that."""
    config.create_disposition = bigquery.CreateDisposition.CREATE_NEVER
    if work.write_disposition is WriteDisposition.TRUNCATE:
        config.write_disposition = bigquery.WriteDisposition.WRITE_TRUNCATE_DATA
    return config


def _columns(work: QueryJob | LoadJob, dry_run: DryRun) -> list[bigquery.SchemaField]:
    """Return the columns of a target: a load is refused where its own modes are not its table's."""
    if isinstance(work, LoadJob):
        return columns_of(work)
    return [taken_over(column) for column in dry_run.schema]


ISOLATED = "isolated"
"""The reason of a step that is refused where its tenant's own account is not acted for."""

type KeyOf = Callable[[str, str], ServiceAccountKey]
"""Opens a tenant's credential: QueryRefused where it is of no use to a step."""


def opens_nothing(_tenant_id: str, credential_id: str) -> ServiceAccountKey:
    """Open no credential: what the functions do that carry out no step."""
    raise QueryRefused(f"the credential {credential_id} is opened to run steps alone", REASON)


def _refused_of_isolated(tenant_id: str, _step: Step) -> ExecutorJobs:
    raise QueryRefused(f"the account of {tenant_id} is acted for to run its steps alone", ISOLATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepIdentities:
    """The identities of tenants' steps."""

    shared: ExecutorJobs
    client_of: Callable[[str], bigquery.Client] | None = None
    """Makes the client of an isolated tenant's own account; None where no tenant has one."""
    client_with: Callable[[ServiceAccountKey], bigquery.Client]
    key_of: KeyOf = opens_nothing
    buckets_of: Callable[[str], Buckets] | None = None
    """Shows an isolated tenant's account Cloud Storage."""
    buckets_with: Callable[[ServiceAccountKey], Buckets] | None = None
    acts_for_isolated: bool = True
    """Whether isolated tenants' own accounts are acted for: where steps run, and where runs are ended."""

    def acting_for(self, pipeline: Pipeline) -> JobsOf:
        """Return the jobs of each step of a pipeline; each credential is opened once, when it is needed.

        NotConfigured where the tenant is isolated and nobody has said under which account. Where no isolated
        tenant's account is acted for, its steps are refused.
        """
        if pipeline.is_isolated and not self.acts_for_isolated:
            return partial(_refused_of_isolated, pipeline.tenant_id)
        executor = self._executor(pipeline)
        opened = _Opened(lambda credential: self._account(pipeline.tenant_id, credential, executor))
        return lambda step: opened.jobs(step.credential) if step.credential else executor

    def _executor(self, pipeline: Pipeline) -> ExecutorJobs:
        if not pipeline.is_isolated:
            return self.shared
        if self.client_of is None:
            raise NotConfigured(f"no account is configured for the isolated tenant {pipeline.tenant_id}")
        buckets = partial(self.buckets_of, pipeline.tenant_id) if self.buckets_of else no_buckets
        return replace(self.shared, client=self.client_of(pipeline.tenant_id), buckets=buckets)

    def _account(self, tenant_id: str, credential: str, executor: ExecutorJobs) -> AccountJobs:
        key = self.key_of(tenant_id, credential)
        return AccountJobs(
            client=self.client_with(key),
            buckets=partial(self.buckets_with, key) if self.buckets_with else no_buckets,
            location=executor.location,
            project=executor.project,
            maker=executor.client,
        )


@dataclass(slots=True)
class _Opened:
    """What credentials came to, by their IDs: a level's steps ask at once."""

    open: Callable[[str], AccountJobs]
    _found: dict[str, AccountJobs | QueryRefused] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def jobs(self, credential: str) -> AccountJobs:
        """Return the jobs under a credential; QueryRefused."""
        with self._lock:
            if credential not in self._found:
                self._found[credential] = self._result(credential)
        found = self._found[credential]
        if isinstance(found, QueryRefused):
            raise QueryRefused(str(found), found.reason)
        return found

    def _result(self, credential: str) -> AccountJobs | QueryRefused:
        try:
            return self.open(credential)
        except QueryRefused as refused:
            return refused
