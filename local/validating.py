"""`make validate`: a pipeline file checked by every rule, and its tests run on an embedded BigQuery."""

import logging
import tempfile
from contextlib import closing
from pathlib import Path

from cli.checking import Checker, Owner
from cli.failures import CommandError
from cli.pipeline_files import found_files
from cli.reports import Format, report
from cli.screen import Screen
from cli.tested import show_test
from common.client.configs import Tested
from common.pipelines.documents import read_document
from common.pipelines.grants import TenantSqlGrants
from common.pipelines.sql_tests import SqlTest
from common.runs.guarding import PolicyGuard
from common.runs.sql_testing import ConfigTester, SqlTestResult
from common.warehouse.clients import make_client
from common.warehouse.sql_tests import LiteralQueryJobs
from common.wiring.services import new_id

SUCCEEDED, FAILED = 0, 1
LOCATION = "US"


def validate(config: Path, screen: Screen | None = None) -> int:
    """Check a file and run its tests; return the exit code."""
    shown, owner = screen or Screen(), Owner()
    checker = Checker.of(owner)
    try:
        (file,) = found_files([config])
    except CommandError as error:
        shown.failure(error.failure)
        return FAILED
    checked = checker.check([file])
    shown.text(report(checked, Format.TEXT))
    if any(one.broken for one in checked):
        return FAILED
    document = read_document(file.data, None)
    compiler = checker.configs.compiler
    tests = compiler.compile(document, owner.tenant, file.config_id, 1, TenantSqlGrants()).tests
    results = _results(checker, owner, tests) if tests else []
    for result in results:
        show_test(shown, _tested(result))
    passed = sum(result.has_passed for result in results)
    shown.line(f"{passed} of {len(results)} tests have passed")
    return SUCCEEDED if passed == len(results) else FAILED


def _results(checker: Checker, owner: Owner, tests: tuple[SqlTest, ...]) -> list[SqlTestResult]:
    from local.bigquery import LocalBigQuery  # noqa: PLC0415 - seconds to import, and not every file has tests

    for name in ("uvicorn", "sqlglot"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with (
        tempfile.TemporaryDirectory(prefix="convergence-validate-") as folder,
        LocalBigQuery(data_dir=Path(folder), project=owner.project) as server,
        closing(make_client(project=owner.project, location=LOCATION, emulator_host=server.url)) as client,
    ):
        client.create_dataset(owner.tenant)
        tester = ConfigTester(
            configs=checker.configs,
            queries=LiteralQueryJobs(client=client, location=LOCATION, project=owner.project),
            guard=PolicyGuard(project_id=owner.project),
            new_id=new_id,
        )
        return tester.run(owner.tenant, tests)


def _tested(result: SqlTestResult) -> Tested:
    return {
        "name": result.test.name,
        "step_id": result.test.step_id,
        "has_passed": result.has_passed,
        "missing": [{"row": one.row, "times": one.times} for one in result.missing],
        "unexpected": [{"row": one.row, "times": one.times} for one in result.unexpected],
        "error_message": result.error or None,
    }
