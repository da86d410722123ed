"""Step jobs of runs with secret parameters: opened for BigQuery alone, and told of without a value.

BigQuery quotes values in its messages (`Bad int64 value: …`), so what it says is masked before anybody else
hears it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from common.errors import QueryRefused, WarehouseError
from common.logs import mask
from common.pipelines.pipeline import BoundParameter, ParameterValue, SealedValue
from common.pipelines.secret_values import Owner, ParameterSeal, Unopened
from common.quality.contracts import FoundColumn
from common.runs.ports import DryRun, JobReport, JobsOf, RowColumn, StepJob, StepJobs
from common.runs.run import Run

NOT_OPENED = "secretNotOpened"
"""The reason of a step whose secret cannot be opened. No other attempt would change that."""
_BLANKS: Mapping[str, ParameterValue] = {"STRING": "", "INT64": 0, "ARRAY<STRING>": [], "ARRAY<INT64>": []}
"""By the types that a secret can have (`common.pipelines.secret_values.SECRET_TYPES`)."""
WITHHELD = "BigQuery's message is withheld: it may quote a secret parameter that can no longer be opened"


def with_secret_parameters(jobs_of: JobsOf, run: Run, seal: ParameterSeal) -> JobsOf:
    """Have each step's jobs open the run's secrets, and tell none; most runs have none."""
    if not run.secrets:
        return jobs_of
    return lambda step: SecretParameterJobs(jobs=jobs_of(step), run=run, seal=seal)


def without_secrets(job: StepJob) -> StepJob:
    """Give a job blanks for its secrets: a dry run of it need not open them."""
    blank = (
        replace(one, value=_BLANKS[one.type]) if isinstance(one.value, SealedValue) else one
        for one in job.parameters
    )
    return replace(job, parameters=tuple(blank))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretParameterJobs:
    """`StepJobs` of one run that has secrets."""

    jobs: StepJobs
    run: Run
    seal: ParameterSeal

    def dry_run(self, job: StepJob) -> DryRun:
        """Ask what the statement is; QueryRefused also where a secret of the step cannot be opened."""
        opened = self._opened(job)
        with self._masking():
            return self.jobs.dry_run(opened)

    def prepare(self, job: StepJob, dry_run: DryRun) -> None:
        """Make what the job needs and its identity may not make."""
        with self._masking():
            self.jobs.prepare(job, dry_run)

    def submit(self, job: StepJob) -> JobReport:
        """Start the job and do not wait; QueryRefused also where a secret of the step cannot be opened."""
        opened = self._opened(job)
        with self._masking():
            return self._masked(self.jobs.submit(opened))

    def find(self, job_id: str) -> JobReport | None:
        """Return the job, None where there is none of that ID."""
        with self._masking():
            report = self.jobs.find(job_id)
        return self._masked(report) if report else None

    def wait(self, job: StepJob, known: JobReport, seconds: float) -> JobReport:
        """Return what is known of a job once it has ended, or `seconds` have gone by."""
        with self._masking():
            report = self.jobs.wait(job, known, seconds)
        return self._masked(report)

    def cancel(self, job_id: str) -> None:
        """Ask BigQuery to stop a job."""
        self.jobs.cancel(job_id)

    def use_up(self, job_id: str, labels: Mapping[str, str]) -> None:
        """Take an ID with a job that does nothing."""
        self.jobs.use_up(job_id, labels)

    def columns_of(self, tenant_id: str, table: str) -> Sequence[RowColumn] | None:
        """List the columns of a table."""
        return self.jobs.columns_of(tenant_id, table)

    def add_columns(self, tenant_id: str, table: str, columns: Sequence[RowColumn]) -> None:
        """Give a table columns that it does not have."""
        self.jobs.add_columns(tenant_id, table, columns)

    def read_counts(self, job_id: str) -> Mapping[str, Any]:
        """Return the one row of a check's job; no check has a secret in it."""
        return self.jobs.read_counts(job_id)

    def found_columns(self, table: str) -> Sequence[FoundColumn]:
        """Return the columns of a table."""
        return self.jobs.found_columns(table)

    def table_names(self, tenant_id: str) -> Sequence[str]:
        """Name the tables of a tenant's dataset."""
        return self.jobs.table_names(tenant_id)

    def _opened(self, job: StepJob) -> StepJob:
        try:
            opened = tuple(replace(one, value=self._value(one)) for one in job.parameters)
        except Unopened as error:
            raise QueryRefused(f"{error}: run the pipeline again, with the secret", NOT_OPENED) from None
        return replace(job, parameters=opened)

    def _value(self, parameter: BoundParameter) -> ParameterValue:
        if not isinstance(parameter.value, SealedValue):
            return parameter.value
        run = self.run
        owner = Owner(tenant_id=run.tenant_id, config_id=run.config_id, parameter=parameter.name)
        try:
            return self.seal.open(owner, parameter.value)
        except Unopened as error:
            raise Unopened(f"the secret parameter {parameter.name} cannot be opened: {error}") from None

    @contextmanager
    def _masking(self) -> Iterator[None]:
        try:
            yield
        except WarehouseError as error:
            # Not `from error`: a traceback would show what BigQuery said.
            raise type(error)(self._without_secrets(str(error)), error.reason) from None

    def _masked(self, report: JobReport) -> JobReport:
        return replace(report, error_message=self._without_secrets(report.error_message))

    def _without_secrets(self, message: str) -> str:
        if not message:
            return message
        try:
            values = [self._value(parameter) for parameter in self.run.secrets]
        except Unopened:
            return WITHHELD
        items = [item for value in values for item in (value if isinstance(value, list) else [value])]
        return mask(message, [str(item) for item in items])
