"""The plans of steps with checks, for every type of step that writes a table."""

from typing import Any

import pytest

from common.pipelines.plans import (
    CheckJob,
    CopyJob,
    CopyOperation,
    FilesLoadedJob,
    Job,
    LoadJob,
    QueryJob,
    StatementType,
    WriteDisposition,
)
from tests.unit.pipelines.examples import a_document, compiled

CANDIDATE = "_cvg_candidate"
SOURCE = f"platform-prod.acme.{CANDIDATE}"
ID = {"type": "not_null", "column": "id"}
QUERY: dict[str, Any] = {"source_query": "SELECT 1 AS id, ${date} AS d", "target_table": "t"}
LOAD: dict[str, Any] = {"uris": "gs://acme-files/*.csv", "format": "csv", "target_table": "t"}
COLUMNS = [{"name": "id", "type": "INT64"}]


def jobs_of(ps_type: str, *, checks: Any = (ID,), **config: Any) -> tuple[Job, ...]:
    step = {"id": "work", "ps_type": ps_type, "config": config, "checks": [*checks]}
    (made,) = compiled(a_document(step)).steps
    return made.jobs


TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "query": ("bq_etl.query", QUERY),
    "append": ("bq_etl.incremental", QUERY | {"strategy": "append"}),
    "merge": ("bq_etl.incremental", QUERY | {"strategy": "merge", "unique_key": ["id"]}),
    "partition_overwrite": (
        "bq_etl.incremental",
        QUERY | {"strategy": "partition_overwrite", "partition": {"field": "d"}},
    ),
    "history": ("bq_etl.scd2", QUERY | {"unique_key": ["id"]}),
    "copy": ("bq_etl.copy", {"source_tables": ["a", "b"], "target_table": "t"}),
    "snapshot": ("bq_etl.snapshot", {"source_table": "a", "target_table": "t"}),
    "load": ("bq_etl.load", LOAD | {"schema": COLUMNS}),
    "load without columns": ("bq_etl.load", LOAD),
    "bill": ("gcp.cost_billing", {"source_table": "export", "target_table": "t"}),
    "detailed bill": (
        "gcp.cost_billing",
        {"source_table": "export", "export": "detailed", "target_table": "t"},
    ),
}


@pytest.mark.parametrize("which", TYPES)
def test_the_target_is_written_behind_its_checks_and_by_the_job_that_publishes(which: str) -> None:
    ps_type, config = TYPES[which]
    jobs = jobs_of(ps_type, **config)
    names = [job.name for job in jobs]
    assert names.index("main") < names.index("checks") < names.index("publish")
    (main,) = [job for job in jobs if job.name == "main"]
    assert isinstance(main, QueryJob | LoadJob | CopyJob)
    assert (main.destination, main.candidate_for) == (CANDIDATE, "t")
    (check,) = [job for job in jobs if isinstance(job, CheckJob)]
    assert check.checked == SOURCE
    before = jobs[: names.index("publish")]
    written = [job for job in before if job.destination == "t"]
    # A table of a bill is made before, without a row, so that there are columns to check.
    assert [job.name for job in written] == (["table"] if "bill" in which else [])


def test_what_merges_a_query_merges_the_candidate_instead() -> None:
    main, _, publish = jobs_of("bq_etl.incremental", **TYPES["merge"][1])
    assert isinstance(main, QueryJob)
    assert isinstance(publish, QueryJob)
    assert main.sql == "SELECT 1 AS id, @date AS d"
    assert (main.statement_type, main.write_disposition) == (StatementType.SELECT, WriteDisposition.EMPTY)
    assert (main.parameters, publish.parameters) == (("date",), ())
    assert publish.statement_type is StatementType.MERGE
    assert publish.queries == (f"SELECT * FROM `{SOURCE}`\n",)
    assert f"FROM (SELECT * FROM `{SOURCE}`\n) AS incoming" in publish.sql
    assert "SELECT 1" not in publish.sql + publish.first_sql
    assert (publish.keys, publish.destination) == (("id",), "t")


def test_a_bill_is_put_together_in_the_candidate_and_merged_from_there() -> None:
    table, candidate, main, _, publish = jobs_of("gcp.cost_billing", **TYPES["bill"][1])
    assert isinstance(candidate, QueryJob)
    assert isinstance(main, QueryJob)
    assert isinstance(publish, QueryJob)
    assert (table.destination, candidate.destination, candidate.candidate_for) == ("t", CANDIDATE, "t")
    assert (candidate.sql, candidate.name) == (table.sql, "candidate")
    assert main.sql.startswith(f"MERGE `{CANDIDATE}` AS target")
    assert publish.sql.startswith(f"MERGE `t` AS target\nUSING `{CANDIDATE}` AS source")
    assert publish.parameters == main.parameters == ("date",)


def test_what_is_copied_is_copied_twice_and_keeps_what_is_asked_of_the_target() -> None:
    config = TYPES["copy"][1] | {"write_disposition": "WRITE_APPEND"}
    main, _, publish = jobs_of("bq_etl.copy", **config)
    assert isinstance(main, CopyJob)
    assert len(main.sources) == 2
    expected = CopyJob(
        name="publish", sources=(SOURCE,), destination="t", write_disposition=WriteDisposition.APPEND
    )
    assert publish == expected


def test_a_snapshot_is_taken_of_a_clone_which_shares_what_is_stored() -> None:
    main, _, publish = jobs_of("bq_etl.snapshot", **TYPES["snapshot"][1], retention_days=7)
    assert isinstance(main, CopyJob)
    assert isinstance(publish, CopyJob)
    assert (main.operation, main.is_of_a_day, main.retention_days) == (CopyOperation.CLONE, False, None)
    assert (publish.operation, publish.is_of_a_day, publish.retention_days) == (
        CopyOperation.SNAPSHOT,
        True,
        7,
    )
    assert publish.sources == (SOURCE,)


def test_files_are_noted_once_they_are_published() -> None:
    main, _, publish, files = jobs_of("bq_etl.load", **TYPES["load"][1])
    assert isinstance(main, LoadJob)
    assert isinstance(publish, CopyJob)
    assert isinstance(files, FilesLoadedJob)
    assert publish.write_disposition is WriteDisposition.APPEND
    assert files.destination == "t"


@pytest.mark.parametrize("more", [{}, {"schema": COLUMNS, "schema_update": "add_columns"}])
def test_files_whose_columns_may_be_new_are_published_by_a_query(more: dict[str, Any]) -> None:
    layout = {"partitioning": {"field": "d", "type": "MONTH"}, "clustering": ["id"]}
    main, _, publish, _ = jobs_of("bq_etl.load", **LOAD | layout | more)
    assert isinstance(main, LoadJob)
    assert isinstance(publish, QueryJob)
    assert main.has_layout_later is ("schema" not in more)
    assert publish.partitioning is not None
    assert (publish.partitioning.type, publish.clustering) == ("MONTH", ("id",))


@pytest.mark.parametrize("which", ["query", "load", "bill"])
def test_under_a_credential_no_table_is_copied(which: str) -> None:
    ps_type, config = TYPES[which]
    source = {"source_table": "customer-project.billing.export"} if which == "bill" else {}
    jobs = jobs_of(ps_type, **config | source, credential="mine")
    (publish,) = [job for job in jobs if job.name == "publish"]
    assert isinstance(publish, QueryJob)
    assert publish.maximum_bytes_billed is None


def test_failing_rows_are_kept_before_any_type_is_stopped() -> None:
    step = {"id": "work", "ps_type": "bq_etl.load", "config": LOAD, "checks": [ID], "failing_rows": {}}
    (made,) = compiled(a_document(step)).steps
    assert [job.name for job in made.jobs] == ["main", "failing_rows", "checks", "publish", "files"]
