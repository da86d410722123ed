"""The firewall's questions about jobs of each kind, right before they run.

A tenant's own text, each query of it, is one SELECT that reads what the tenant may read. What the platform
has written around it is trusted, and BigQuery's dry run must report the plan's own statement type and no
table beyond the policy. Files have a rule of their own, and so have tables that no SQL names.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from common.pipelines.firewall import judge_dry_run, judge_statement
from common.pipelines.plans import (
    CheckJob,
    CopyJob,
    ExtractJob,
    FilesLoadedJob,
    Job,
    LoadJob,
    QueryJob,
    StatementType,
)
from common.pipelines.tables import Policy, TableName


class Reading(Protocol):
    """What BigQuery's dry run says of a statement."""

    @property
    def statement_type(self) -> str:
        """What it is."""

    @property
    def tables(self) -> tuple[str, ...]:
        """What it reads."""

    @property
    def routines(self) -> tuple[str, ...]:
        """What it calls."""


def judge_job(work: Job, policy: Policy) -> Iterable[str]:
    """Return the reasons against a job by what it says itself."""
    match work:
        case QueryJob() | CheckJob():
            return (
                reason for text in _tenants_texts(work) for reason in judge_statement(text, policy).reasons
            )
        case LoadJob():
            return filter(None, (*_files(work.uris, policy), _against_target(work, policy)))
        case FilesLoadedJob():
            return ()
        case ExtractJob():
            return filter(None, (*_files(work.uris, policy), policy.reason_against_reading([work.source])))
        case CopyJob():
            sources = (policy.reason_against_reading(source.split(".")) for source in work.sources)
            return filter(None, (*sources, _against_target(work, policy)))


def judge_reading(work: Job, reading: Reading, policy: Policy) -> Iterable[str]:
    """Return the reasons against a job by BigQuery's reading of it; nothing reads what is no SQL."""
    if not isinstance(work, QueryJob | CheckJob):
        return ()
    expected = work.statement_type if isinstance(work, QueryJob) else StatementType.SELECT
    return judge_dry_run(reading.statement_type, reading.tables, policy, reading.routines, expected)


def tables_named(work: Job, policy: Policy) -> frozenset[TableName]:
    """List the tables that a job reads, as far as it names them itself."""
    match work:
        case QueryJob() | CheckJob():
            return frozenset(
                table for text in _tenants_texts(work) for table in judge_statement(text, policy).tables
            )
        case CopyJob():
            paths = [source.split(".") for source in work.sources]
        case ExtractJob():
            paths = [[work.source]]
        case LoadJob() | FilesLoadedJob():
            paths = []
    return frozenset(table for path in paths if (table := policy.resolve(path)))


def _tenants_texts(work: QueryJob | CheckJob) -> tuple[str, ...]:
    if isinstance(work, QueryJob) and work.statement_type is not StatementType.SELECT:
        return work.queries
    return (work.sql,)


def _against_target(work: LoadJob | CopyJob, policy: Policy) -> str:
    """Judge the table that a job is there for: a candidate is the platform's own."""
    return policy.reason_against_writing([work.candidate_for or work.destination])


def _files(uris: Iterable[str], policy: Policy) -> Iterator[str]:
    return (policy.reason_against_uri(uri) for uri in uris)
