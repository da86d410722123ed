"""What is known of tables is forgotten by the statements that change it, and by no others."""

import duckdb
import pytest

from local.bigquery.changes import ALL, ALL_ROWS, NOTHING, Change, change_by
from local.bigquery.commits import Connection

WRITES_T = Change(written=frozenset({("d", "t")}))
DEFINES_T = Change(defined=frozenset({("d", "t")}))
DEFINES_V = Change(defined=frozenset({("d", "v")}))
DEFINES_D = Change(defined=frozenset({("d",)}))


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        ("-- Purpose: look.\n-- Parameters: none.\nSELECT 1", NOTHING),
        ('FROM "p"."d"."t" LIMIT 0', NOTHING),
        ("WITH a AS (SELECT 1) SELECT * FROM a", NOTHING),
        ('USE "p"."main"', NOTHING),
        ("BEGIN", NOTHING),
        ("INSERT OR REPLACE INTO emulator.jobs VALUES (1)", NOTHING),
        ('CREATE OR REPLACE TABLE "emulator"."_results"."p:j" AS SELECT 1', NOTHING),
        ('CREATE TABLE IF NOT EXISTS "emulator"."_results"."p:j" AS SELECT 1', NOTHING),
        ('DROP TABLE IF EXISTS "emulator"."_results"."p:j"', NOTHING),
        ("DELETE FROM emulator.tables WHERE a = 1", NOTHING),
        (
            "-- Purpose: tell.\nCALL \"p\".set_commit_message('us', $job, extra_info => $counts)",
            NOTHING,
        ),
        ('INSERT INTO "p"."d"."t" VALUES (1)', WRITES_T),
        ('INSERT INTO "p"."D"."T" BY NAME SELECT c0 AS "a" FROM "p"."d"."u"', WRITES_T),
        ("-- Purpose: write.\nINSERT INTO p.d.t SELECT * FROM p.d.u", WRITES_T),
        ('UPDATE "p"."d"."t" SET a = 1', WRITES_T),
        ('DELETE FROM "p"."d"."t" AS target WHERE TRUE', WRITES_T),
        ('DELETE FROM "p"."d"."emulator"', Change(written=frozenset({("d", "emulator")}))),
        ('TRUNCATE "p"."d"."t"', WRITES_T),
        ('MERGE INTO "p"."d"."t" USING s ON TRUE WHEN MATCHED THEN DELETE', WRITES_T),
        ('INSERT INTO t SELECT * FROM "p"."d"."u"', ALL_ROWS),
        ('DELETE FROM t USING "p"."d"."u"', ALL_ROWS),
        ('CREATE TABLE "p"."d"."t" (a BIGINT)', DEFINES_T),
        ('CREATE OR REPLACE TABLE "p"."d"."t" AS SELECT 1', DEFINES_T),
        ('CREATE VIEW "p"."d"."v" AS SELECT 1', DEFINES_V),
        ('CREATE SCHEMA "p"."d"', DEFINES_D),
        ('DROP SCHEMA IF EXISTS "p"."D" CASCADE', DEFINES_D),
        ('COMMENT ON COLUMN "p"."d"."t"."c" IS NULL', DEFINES_T),
        ("CREATE VIEW p.d.v AS SELECT 1", DEFINES_V),
        ('CREATE TABLE "d"."t" (a BIGINT)', ALL),
        ('DROP TABLE "p"."d"."t"', DEFINES_T),
        ('ALTER TABLE "p"."d"."t" ADD COLUMN b BIGINT', DEFINES_T),
        ("ATTACH 'ducklake:x' AS p", ALL),
        ("MERGE INTO t USING s ON TRUE WHEN MATCHED THEN DELETE", ALL_ROWS),
        ("LOAD postgres; CREATE TABLE t (a BIGINT)", ALL),
    ],
)
def test_a_statement_changes(statement: str, change: Change) -> None:
    assert change_by(statement) == change


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
        assert changes == [ALL, ALL_ROWS]
        with pytest.raises(duckdb.CatalogException):
            connection.execute("DROP TABLE missing")
        assert changes[2:] == [ALL]


def test_what_a_transaction_did_is_told_again_when_others_see_it() -> None:
    connection, changes = watched()
    with connection:
        for statement in ("BEGIN", "CREATE TABLE t (a BIGINT)", "INSERT INTO t VALUES (1)", "COMMIT"):
            connection.execute(statement)
        assert changes == [ALL, ALL_ROWS, ALL | ALL_ROWS]
        connection.execute("BEGIN")
        connection.execute("COMMIT")
        assert len(changes) == 3
