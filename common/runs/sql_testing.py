"""Running the tests of a config: queries of literals under the executor's name, nothing of the tenant's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from common.at_once import AtOnce, InThreads
from common.errors import QueryRefused, Unavailable, WarehouseError
from common.pipelines.configs import Configs
from common.pipelines.plans import CheckJob
from common.pipelines.sql_tests import MISSING, SqlTest
from common.runs.guarding import FIREWALL, Guard, guarded_dry_run
from common.runs.ports import StepJob, StepJobs

TEST_SECONDS = 60
TESTS_IN_THREADS = InThreads(max_threads=8)
PURPOSE = {"purpose": "test"}


class LiteralQueries(StepJobs, Protocol):
    """Queries that are asked for their rows."""

    def rows_of(self, job: StepJob, work: CheckJob) -> Sequence[Mapping[str, Any]]:
        """Run a query and return its rows, a hundred at the most, as JSON can hold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentRow:
    """A row that is missing, or that is too much, and how often."""

    row: Mapping[str, Any]
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTestResult:
    """What a test came to."""

    test: SqlTest
    missing: tuple[DifferentRow, ...] = ()
    unexpected: tuple[DifferentRow, ...] = ()
    error: str = ""

    @property
    def has_passed(self) -> bool:
        """Tell whether all was as expected."""
        return not (self.error or self.missing or self.unexpected)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigTester:
    """Runs the tests of a tenant's configs."""

    configs: Configs
    queries: LiteralQueries
    guard: Guard
    new_id: Callable[[], str]
    at_once: AtOnce = TESTS_IN_THREADS

    def test(
        self, tenant_id: str, config_id: str, version: int | None = None
    ) -> tuple[int, Sequence[SqlTestResult]]:
        """Run the tests of a config's version, the latest where none is given; NotFound, InvalidInput."""
        found, tests = self.configs.tests(tenant_id, config_id, version)
        return found, self.run(tenant_id, tests)

    def run(self, tenant_id: str, tests: Sequence[SqlTest]) -> list[SqlTestResult]:
        """Run tests; a statement that BigQuery refuses is a test that has failed."""
        return self.at_once(lambda test: self._result(tenant_id, test), tests) if tests else []

    def _result(self, tenant_id: str, test: SqlTest) -> SqlTestResult:
        work = CheckJob(name="test", sql=test.sql, parameters=tuple(one.name for one in test.parameters))
        job = StepJob(
            job_id=f"cvg-test-{self.new_id()}",
            tenant_id=tenant_id,
            work=work,
            parameters=test.parameters,
            timeout_seconds=TEST_SECONDS,
            labels={"tenant": tenant_id} | PURPOSE,
        )
        try:
            if guarded_dry_run(self.queries, job, self.guard).tables:
                raise QueryRefused("it reads a table: a test has rows of its own for each", FIREWALL)
            rows = self.queries.rows_of(job, work)
        except Unavailable:
            raise
        except WarehouseError as refused:
            return SqlTestResult(test=test, error=str(refused))
        return SqlTestResult(test=test, missing=_rows(rows, 1), unexpected=_rows(rows, -1))


def _rows(rows: Sequence[Mapping[str, Any]], side: int) -> tuple[DifferentRow, ...]:
    return tuple(
        DifferentRow(
            row={name: value for name, value in row.items() if name != MISSING}, times=abs(row[MISSING])
        )
        for row in rows
        if row[MISSING] * side > 0
    )
