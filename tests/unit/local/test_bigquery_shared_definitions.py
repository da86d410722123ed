"""Tables and views that wait for each other are made in one transaction, and fail by themselves."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import duckdb
import pytest

from local.bigquery import commits
from local.bigquery.duckdb_settings import ConfiguredDuckDB
from local.bigquery.shared_definitions import shareable
from tests.unit.local.conftest import wait_until

Made = dict[str, "Future[None]"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[commits.Connection]:
    folder = tmp_path_factory.mktemp("lake")
    with ConfiguredDuckDB(folder, lambda _: None).connect() as connection:
        connection.execute(f"ATTACH 'ducklake:{folder}/p.ducklake' AS p (DATA_PATH '{folder}/p/')")
        connection.execute('CREATE SCHEMA "p"."d"')
        yield connection


def made_at_once(lake: commits.Connection, *statements: str) -> Made:
    """Make all while another transaction has its turn, which ends when all of them wait."""
    with ThreadPoolExecutor(len(statements)) as threads:
        with commits._turn:
            made = {text: threads.submit(make, lake.cursor(), text) for text in statements}
            wait_until(lambda: len(commits._shared._waiting) == len(statements))
        return made


def make(cursor: commits.Connection, statement: str) -> None:
    with cursor:
        cursor.execute(statement)


def snapshots(lake: commits.Connection) -> int:
    [(count,)] = lake.execute("SELECT count(*) FROM ducklake_snapshots('p')").fetchall()
    return int(count)


def names(lake: commits.Connection) -> set[str]:
    return {name for (name,) in lake.execute("SELECT name FROM (SHOW ALL TABLES)").fetchall()}


@pytest.mark.parametrize(
    ("statement", "lake_of"),
    [
        ('CREATE TABLE "p"."d"."t" (a BIGINT)', '"p"'),
        ('CREATE TABLE IF NOT EXISTS "p"."d"."t" (a BIGINT)', '"p"'),
        ('CREATE OR REPLACE VIEW "p"."d"."v" AS SELECT 1', '"p"'),
        ('CREATE VIEW "q"."d"."v" AS SELECT 1', '"q"'),
        ('CREATE OR REPLACE TABLE "p"."d"."t" AS SELECT 1', None),
        ('CREATE SCHEMA "p"."d"', None),
        ('DROP TABLE "p"."d"."t"', None),
        ('INSERT INTO "p"."d"."t" VALUES (1)', None),
        ("CREATE TABLE t (a BIGINT)", None),
    ],
)
def test_what_takes_no_rows_from_a_query_is_shared(statement: str, lake_of: str | None) -> None:
    found = shareable(statement, None)
    assert (found and found.lake) == lake_of


def test_all_that_wait_are_made_in_one_transaction(lake: commits.Connection) -> None:
    before = snapshots(lake)
    tables = [f'CREATE TABLE "p"."d"."t{number}" (a BIGINT)' for number in range(5)]
    made = made_at_once(lake, *tables, 'CREATE VIEW "p"."d"."v" AS SELECT 1 AS a')
    assert [one.exception() for one in made.values()] == [None] * 6
    assert snapshots(lake) == before + 1
    assert names(lake) >= {"t0", "t1", "t2", "t3", "t4", "v"}


def test_one_that_cannot_be_made_keeps_no_other_from_it(lake: commits.Connection) -> None:
    wrong = 'CREATE VIEW "p"."d"."wrong" AS SELECT * FROM "p"."d"."missing"'
    made = made_at_once(
        lake, 'CREATE TABLE "p"."d"."left" (a BIGINT)', wrong, 'CREATE TABLE "p"."d"."right" (a BIGINT)'
    )
    with pytest.raises(duckdb.CatalogException, match="missing"):
        made.pop(wrong).result()
    assert [one.exception() for one in made.values()] == [None, None]
    assert names(lake) >= {"left", "right"}
    assert "wrong" not in names(lake)


def test_one_that_is_there_is_refused_and_leaves_others(lake: commits.Connection) -> None:
    twice = 'CREATE TABLE "p"."d"."once" (a BIGINT)'
    again = 'CREATE TABLE "p"."d"."once" (b BIGINT)'
    made = made_at_once(lake, twice, again, 'CREATE TABLE "p"."d"."beside" (a BIGINT)')
    refused = [one.exception() for one in made.values()]
    assert refused.count(None) == 2
    assert any(isinstance(error, duckdb.CatalogException) for error in refused)
    assert names(lake) >= {"once", "beside"}
