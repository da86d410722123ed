"""What is known of tables is forgotten by the statements that change it, and by no others."""

import duckdb
import pytest

from local.bigquery.changes import Change, change_by
from local.bigquery.commits import Connection


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        ("-- Purpose: look.\n-- Parameters: none.\nSELECT 1", Change.NOTHING),
        ('FROM "p"."d"."t" LIMIT 0', Change.NOTHING),
        ("WITH a AS (SELECT 1) SELECT * FROM a", Change.NOTHING),
        ('USE "p"."main"', Change.NOTHING),
        ("BEGIN", Change.NOTHING),
        ("INSERT OR REPLACE INTO emulator.jobs VALUES (1)", Change.NOTHING),
        ('CREATE OR REPLACE TABLE "emulator"."_results"."p:j" AS SELECT 1', Change.NOTHING),
        ('CREATE TABLE IF NOT EXISTS "emulator"."_results"."p:j" AS SELECT 1', Change.NOTHING),
        ('DROP TABLE IF EXISTS "emulator"."_results"."p:j"', Change.NOTHING),
        ("DELETE FROM emulator.tables WHERE a = 1", Change.NOTHING),
        (
            "-- Purpose: tell.\nCALL \"p\".set_commit_message('us', $job, extra_info => $counts)",
            Change.NOTHING,
        ),
        ('INSERT INTO "p"."d"."t" VALUES (1)', Change.ROWS),
        ('UPDATE "p"."d"."t" SET a = 1', Change.ROWS),
        ('DELETE FROM "p"."d"."emulator"', Change.ROWS),
        ('TRUNCATE "p"."d"."t"', Change.ROWS),
        ('CREATE TABLE "p"."d"."t" (a BIGINT)', Change.TABLES),
        ('CREATE OR REPLACE TABLE "p"."d"."t" AS SELECT 1', Change.TABLES),
        ('CREATE VIEW "p"."d"."v" AS SELECT 1', Change.TABLES),
        ('CREATE SCHEMA "p"."d"', Change.TABLES),
        ('DROP TABLE "p"."d"."t"', Change.TABLES),
        ('ALTER TABLE "p"."d"."t" ADD COLUMN b BIGINT', Change.TABLES),
        ("ATTACH 'ducklake:x' AS p", Change.TABLES),
        ("MERGE INTO t USING s ON TRUE WHEN MATCHED THEN DELETE", Change.TABLES),
        ("LOAD postgres; CREATE TABLE t (a BIGINT)", Change.TABLES),
    ],
)
def test_a_statement_changes(statement: str, change: Change) -> None:
    assert change_by(statement) is change


def watched() -> tuple[Connection, list[Change]]:
    changes: list[Change] = []
    return Connection(duckdb.connect(), changes.append), changes


def test_a_change_is_told_when_it_is_done() -> None:
    connection, changes = watched()
    with connection:
        assert connection.execute("SELECT 7").fetchall() == [(7,)]
        assert changes == []
        connection.cursor().execute("CREATE TABLE t (a BIGINT)")
        connection.execute("INSERT INTO t VALUES (?)", [1])
        assert changes == [Change.TABLES, Change.ROWS]
        with pytest.raises(duckdb.CatalogException):
            connection.execute("DROP TABLE missing")
        assert changes[2:] == [Change.TABLES]


def test_what_a_transaction_did_is_told_again_when_others_see_it() -> None:
    connection, changes = watched()
    with connection:
        for statement in ("BEGIN", "CREATE TABLE t (a BIGINT)", "INSERT INTO t VALUES (1)", "COMMIT"):
            connection.execute(statement)
        assert changes == [Change.TABLES, Change.ROWS, Change.TABLES]
        connection.execute("BEGIN")
        connection.execute("COMMIT")
        assert len(changes) == 3
