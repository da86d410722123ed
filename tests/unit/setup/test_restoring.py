"""The statement that brings rows back: what of a backup fits into a table of another shape."""

import pytest
import sqlglot

from common.setup.tables import Column, Shape, TableDefinition, central_tables
from common.warehouse.backups import restoring_statement

PLACES = {"project": "p", "dataset": "tenants", "backup": "tenants_backup_1", "table": "log"}
LOG = TableDefinition(
    name="log",
    description='All "words", 100 $.',
    shape=Shape(
        columns=(
            Column(name="tenant_id", type="STRING", mode="REQUIRED", description="Whose."),
            Column(name="start_time", type="TIMESTAMP", mode="REQUIRED", description="When."),
            Column(name="words", type="STRING", mode="REPEATED", description="Which."),
        ),
        partition="start_time",
        cluster=("tenant_id",),
    ),
)


def restored(definition: TableDefinition, *backup: Column) -> str:
    """Render the statement for a backup of these columns."""
    return restoring_statement(definition, Shape(columns=backup), {"kept": "yes"}).render(**PLACES)


def test_the_statement_says_the_definition_and_takes_the_rows_that_fit() -> None:
    assert restored(LOG, *LOG.shape.columns).partition("\nCREATE")[2] == (
        """ OR REPLACE TABLE `p.tenants.log` (
  tenant_id STRING NOT NULL OPTIONS (description = "Whose."),
  start_time TIMESTAMP NOT NULL OPTIONS (description = "When."),
  words ARRAY<STRING> OPTIONS (description = "Which.")
)
PARTITION BY DATE(start_time)
CLUSTER BY tenant_id
OPTIONS (description = "All \\"words\\", 100 \\u0024.", labels = [("kept", "yes")])
AS
SELECT tenant_id AS tenant_id, start_time AS start_time, words AS words
FROM `p.tenants_backup_1.log`
WHERE TRUE AND tenant_id IS NOT NULL AND start_time IS NOT NULL
"""
    )


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("INTEGER", "INTEGER", "x"),
        ("INTEGER", "STRING", "SAFE_CAST(x AS STRING)"),
        ("STRING", "INTEGER", "SAFE_CAST(x AS INT64)"),
        ("INTEGER", "FLOAT", "SAFE_CAST(x AS FLOAT64)"),
        ("TIMESTAMP", "DATE", "SAFE_CAST(x AS DATE)"),
        ("TIMESTAMP", "INTEGER", "CAST(NULL AS INT64)"),
        ("STRING", "JSON", "CAST(NULL AS JSON)"),
        ("BOOLEAN", "DATE", "CAST(NULL AS DATE)"),
    ],
)
def test_a_value_of_another_type_is_cast_where_bigquery_can(old: str, new: str, value: str) -> None:
    wanted = Shape(columns=(Column(name="x", type=new, mode="NULLABLE"),))
    definition = TableDefinition(name="log", description="", shape=wanted)
    assert f"SELECT {value} AS x" in restored(definition, Column(name="x", type=old, mode="NULLABLE"))


def test_a_column_that_the_backup_lacks_or_that_is_repeated_now_has_no_value() -> None:
    sql = restored(LOG, LOG.shape.columns[0], Column(name="words", type="STRING", mode="NULLABLE"))
    assert "CAST(NULL AS TIMESTAMP) AS start_time, CAST(NULL AS ARRAY<STRING>) AS words" in sql
    assert "CAST(NULL AS TIMESTAMP) IS NOT NULL" in sql


@pytest.mark.parametrize("definition", central_tables(), ids=lambda definition: definition.name)
def test_the_statements_of_the_real_tables_parse(definition: TableDefinition) -> None:
    (statement,) = sqlglot.parse(restored(definition, *definition.shape.columns), read="bigquery")
    assert isinstance(statement, sqlglot.exp.Create)
