"""The central tables as files: what the deployment guide promises, and what the platform relies on."""

import re

import pytest

from common.setup.tables import Column, TableDefinition, central_tables

KEY_FIELDS = {
    "tenant_profiles": ["tenant_id", "company_name", "status"],
    "tenant_api_keys": ["api_key_hash", "tenant_id", "is_active"],
    "tenant_subscriptions": ["tenant_id", "plan_name", "daily_limit"],
    "tenant_usage_quotas": ["tenant_id", "pipelines_run_today"],
    "tenant_pipeline_configs": ["config_id", "tenant_id", "pipeline_yaml"],
    "tenant_scheduled_pipeline_runs": ["scheduled_run_id", "status"],
    "tenant_pipeline_execution_queue": ["queue_id", "priority"],
    "tenant_cloud_credentials": ["credential_id", "provider"],
    "tenant_pipeline_runs": ["pipeline_logging_id", "tenant_id", "status"],
    "tenant_step_logs": ["step_id", "tenant_id", "status", "error_message"],
    "tenant_dq_results": ["check_name", "tenant_id", "status", "row_count"],
}
AUDIT_LOG = "platform_audit_log"
TYPES = {"FLOAT", "STRING", "INTEGER", "BOOLEAN", "TIMESTAMP", "DATE", "JSON", "BYTES"}

TABLES = pytest.mark.parametrize("table", central_tables(), ids=lambda table: table.name)


def test_the_tables_are_those_of_the_deployment_guide_with_its_key_fields() -> None:
    tables = {table.name: table for table in central_tables()}
    assert tables.keys() == {*KEY_FIELDS, AUDIT_LOG}
    for table in (tables[name] for name in KEY_FIELDS):
        assert all(table.shape.column(name) for name in KEY_FIELDS[table.name])


@TABLES
def test_each_table_and_column_says_what_it_is_for(table: TableDefinition) -> None:
    texts = [table.description, *(column.description for column in table.shape.columns)]
    assert all(re.fullmatch(r"[A-Z0-9].*\.", text) for text in texts)


@TABLES
def test_each_row_tells_its_tenant_and_when_it_was_appended(table: TableDefinition) -> None:
    tenant_id, recorded_at = table.shape.column("tenant_id"), table.shape.column("recorded_at")
    assert tenant_id
    # Some of what operators do is about no tenant.
    assert tenant_id.mode == ("NULLABLE" if table.name == AUDIT_LOG else "REQUIRED")
    assert recorded_at
    assert (recorded_at.type, recorded_at.mode) == ("TIMESTAMP", "REQUIRED")


@TABLES
def test_columns_have_types_and_names_that_bigquery_knows(table: TableDefinition) -> None:
    names = [column.name for column in table.shape.columns]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert {column.type for column in table.shape.columns} <= TYPES
    assert {column.mode for column in table.shape.columns} <= {"NULLABLE", "REQUIRED", "REPEATED"}


def is_moment(column: Column | None) -> bool:
    """Tell whether a table can be partitioned by the column."""
    return column is not None and column.type in {"TIMESTAMP", "DATE"} and column.mode == "REQUIRED"


@TABLES
def test_tables_are_clustered_by_their_tenant_and_those_that_grow_partitioned_by_day(
    table: TableDefinition,
) -> None:
    assert "tenant_id" in table.shape.cluster
    assert all(table.shape.column(name) for name in table.shape.cluster)
    if table.shape.partition:
        assert is_moment(table.shape.column(table.shape.partition))


def test_every_log_table_is_partitioned() -> None:
    partitions = {table.name: table.shape.partition for table in central_tables()}
    assert partitions["tenant_pipeline_runs"] == partitions["tenant_step_logs"] == "start_time"
    assert partitions["tenant_dq_results"] == "ingestion_date"
    assert partitions["tenant_usage_quotas"] == "usage_date"
