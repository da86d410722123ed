"""What the firewall asks about jobs of each kind."""

from dataclasses import replace
from typing import Any

import pytest

from common.pipelines.job_judgements import judge_job, judge_reading
from common.pipelines.plans import (
    CheckJob,
    CopyJob,
    ExtractJob,
    FileFormat,
    Job,
    LoadJob,
    QueryJob,
    StatementType,
)
from common.pipelines.tables import Policy
from common.runs.ports import DryRun

POLICY = Policy(
    project_id="platform-project",
    dataset="acme",
    allowed_sources=frozenset({"bigquery-public-data", "gs://acme-files/in", "gs://shared-files"}),
)
MERGE = "MERGE acme.t AS t USING (SELECT n FROM acme.s) AS s ON t.n = s.n WHEN MATCHED THEN DELETE"


def a_merge(**changes: Any) -> QueryJob:
    fields: dict[str, Any] = {
        "sql": MERGE,
        "destination": "t",
        "statement_type": StatementType.MERGE,
        "queries": ("SELECT n FROM acme.s",),
    }
    return QueryJob(**fields | changes)


def a_load(*uris: str, destination: str = "t") -> LoadJob:
    return LoadJob(uris=uris, format=FileFormat.CSV, destination=destination)


def reasons(work: Job) -> str:
    return "; ".join(judge_job(work, POLICY))


@pytest.mark.parametrize(
    "work",
    [
        QueryJob(sql="SELECT 1 AS n", destination="t"),
        CheckJob(sql="SELECT COUNT(*) > 0 FROM t"),
        a_merge(),
        a_load("gs://acme-files/in/2026/*.csv", "gs://shared-files/a.csv"),
        ExtractJob(source="t", uris=("gs://acme-files/in/out-*.csv",)),
        CopyJob(sources=("platform-project.acme.s", "bigquery-public-data.usa_names.t"), destination="t"),
    ],
)
def test_what_is_the_tenants_own_may_run(work: Job) -> None:
    assert reasons(work) == ""


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (QueryJob(sql=MERGE, destination="t"), "begins with MERGE"),
        (CheckJob(sql="DELETE FROM t WHERE TRUE"), "begins with DELETE"),
        (a_merge(queries=("SELECT n FROM victim.s",)), "reads victim.s"),
        (
            a_merge(queries=("SELECT 1", "SELECT 1) AS s ON TRUE WHEN MATCHED THEN DELETE; DROP TABLE x")),
            "has",
        ),
        (a_load("gs://victim-files/a.csv"), "only files of allowed buckets"),
        (a_load("gs://acme-files/other/a.csv"), "only files of allowed buckets"),
        (a_load("gs://acme-files/internal/a.csv"), "only files of allowed buckets"),
        (a_load("gs://acme-files/in/../other/a.csv"), "no . or .."),
        (a_load("gs://acme-files/in//a.csv"), "no empty parts"),
        (a_load("gs://acme-files*/in/a.csv"), "no file of Cloud Storage"),
        (a_load("gs://*/in/a.csv"), "no file of Cloud Storage"),
        (a_load("gs://acme-files/in/*/*.csv"), "one * at most"),
        (a_load("gs://acme-files/in*/a.csv"), "only files of allowed buckets"),
        (a_load("gs://acme-files/*"), "only files of allowed buckets"),
        (a_load("gs://acme-files/in/${region}.csv"), "a variable that has no value"),
        (a_load("gs://${bucket}/in/a.csv"), "a variable that has no value"),
        (a_load("gs://acme-files/in/\n/a.csv"), "no file of Cloud Storage"),
        (a_load("gs://ACME-FILES/in/a.csv"), "no file of Cloud Storage"),
        (a_load("gs://acme-files@victim-files/in/a.csv"), "no file of Cloud Storage"),
        (a_load("gs://shared-files/a.csv", destination="_cvg_loaded_files"), "table of the platform"),
        (a_load("file:///etc/passwd"), "no file of Cloud Storage"),
        (a_load("https://www.googleapis.com/bigtable/projects/p/instances/i"), "no file of Cloud Storage"),
        (a_load("gs://acme-files/in/a.csv?x=y"), "no file of Cloud Storage"),
        (a_load("gs://acme-files/in/a.csv", "gs://victim-files/a.csv"), "gs://victim-files"),
        (a_load("gs://shared-files/a.csv", destination="victim.t"), "must"),
        (a_load("gs://shared-files/a.csv", destination="tenant_comprehensive_view"), "view of the platform"),
        (ExtractJob(source="t", uris=("gs://victim-files/a.csv",)), "only files of allowed buckets"),
        (
            ExtractJob(source="tenant_comprehensive_view", uris=("gs://shared-files/a",)),
            "platform's own views",
        ),
        (CopyJob(sources=("platform-project.victim.s",), destination="t"), "reads platform-project.victim.s"),
        (CopyJob(sources=("platform-project.acme.s@-3600000",), destination="t"), "decorators"),
        (CopyJob(sources=("platform-project.acme.s",), destination="tenant_comprehensive_x"), "platform"),
    ],
)
def test_what_is_not_the_tenants_own_is_refused(work: Job, reason: str) -> None:
    assert reason in reasons(work)


def test_under_a_credential_its_account_decides_about_files() -> None:
    elsewhere = replace(POLICY, runs_elsewhere=True)
    assert list(judge_job(a_load("gs://customer-files/in/*.csv"), elsewhere)) == []
    for uri in (
        "gs://*/a.csv",
        "gs://customer-files/../a.csv",
        "file:///etc/passwd",
        "gs://customer-files/${d}",
    ):
        assert list(judge_job(a_load(uri), elsewhere)), uri


@pytest.mark.parametrize(
    ("work", "statement_type", "tables", "is_refused"),
    [
        (a_merge(), "MERGE", ("platform-project.acme.t", "platform-project.acme.s"), False),
        (a_merge(), "SCRIPT", (), True),
        (a_merge(), "SELECT", (), True),
        (a_merge(), "MERGE", ("platform-project.victim.s",), True),
        (QueryJob(sql="SELECT 1", destination="t"), "MERGE", (), True),
        (CheckJob(sql="SELECT 1"), "SELECT", (), False),
        (CheckJob(sql="SELECT 1"), "DELETE", (), True),
        (a_load("gs://shared-files/a.csv"), "", (), False),
    ],
)
def test_bigquerys_reading_must_be_what_the_plan_says(
    work: Job, statement_type: str, tables: tuple[str, ...], is_refused: bool
) -> None:
    reading = DryRun(statement_type=statement_type, tables=tables, bytes_processed=0)
    assert bool(list(judge_reading(work, reading, POLICY))) is is_refused
