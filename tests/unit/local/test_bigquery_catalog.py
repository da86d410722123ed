"""The quick look-ups must say what `local_bigquery`'s own slow ones say."""

from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError

from local.bigquery import catalog
from local.bigquery.memories import Resources
from tests.unit.local.conftest import start_job


def fill(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.full AS SELECT 1 AS a UNION ALL SELECT 2")
    client.query_and_wait(f"CREATE TABLE {dataset}.empty (a INT64)")
    client.query_and_wait(f"CREATE TABLE {dataset}.dropped (a INT64)")
    client.query_and_wait(f"DROP TABLE {dataset}.dropped")
    client.query_and_wait(f"CREATE VIEW {dataset}.seen AS SELECT a FROM {dataset}.full")
    client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.full AS SELECT 1 AS a")


def slow_objects(project: str, dataset: str) -> list[tuple[str, str, int]]:
    return database.fetch(  # type: ignore[no-any-return]
        """(SELECT table_name, 'TABLE', estimated_size FROM system.main.duckdb_tables()
            WHERE database_name = $1 AND schema_name = $2
            UNION ALL SELECT view_name, 'VIEW', 0 FROM duckdb_views()
            WHERE database_name = $1 AND schema_name = $2) ORDER BY 1""",
        [project, dataset],
    )


def test_the_quick_look_up_agrees_with_duckdb(client: bigquery.Client, dataset: str) -> None:
    fill(client, dataset)
    found = catalog.objects(client.project, dataset)
    assert found == [("empty", "TABLE", 0), ("full", "TABLE", 1), ("seen", "VIEW", 0)]
    assert found == slow_objects(client.project, dataset)


def test_a_schema_is_as_duckdb_has_it(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(
        f"""CREATE TABLE {dataset}.t (
            a STRING NOT NULL, b INT64, c ARRAY<STRING>, d STRUCT<x INT64, y STRING> NOT NULL, e JSON
        )"""
    )
    client.query_and_wait(f"CREATE VIEW {dataset}.v AS SELECT a, b FROM {dataset}.t")
    client.query_and_wait(f"ALTER TABLE {dataset}.t ADD COLUMN f DATE")
    modes = [(field.name, field.mode) for field in client.get_table(f"{dataset}.t").schema]
    assert modes == [
        ("a", "REQUIRED"),
        ("b", "NULLABLE"),
        ("c", "REPEATED"),
        ("d", "REQUIRED"),
        ("e", "NULLABLE"),
        ("f", "NULLABLE"),
    ]
    assert [field.mode for field in client.get_table(f"{dataset}.v").schema] == ["NULLABLE"] * 2
    with pytest.raises(BigQueryError, match="Not found: Table"):
        catalog.columns(client.project, dataset, "missing")


def test_one_table_is_found_by_its_name(client: bigquery.Client, dataset: str) -> None:
    fill(client, dataset)
    assert catalog.objects(client.project, dataset, "full") == [("full", "TABLE", 1)]
    assert catalog.objects(client.project, dataset, "dropped") == []
    assert catalog.objects("no-such-project", dataset, "full") == []


def test_a_session_sees_its_temporary_tables(client: bigquery.Client) -> None:
    script = """CREATE TEMP TABLE mine AS SELECT 7 AS a;
                SELECT a FROM mine"""
    assert [row.a for row in client.query_and_wait(script)] == [7]
    config = bigquery.QueryJobConfig(create_session=True)
    first = client.query("CREATE TEMP TABLE kept AS SELECT 8 AS a", job_config=config)
    first.result()
    assert first.session_info is not None
    session = bigquery.ConnectionProperty("session_id", first.session_info.session_id or "")
    again = bigquery.QueryJobConfig(connection_properties=[session])
    assert [row.a for row in client.query("SELECT a FROM kept", job_config=again).result()] == [8]


def test_jobs_are_found_in_the_information_schema(client: bigquery.Client, dataset: str) -> None:
    start_job(client, f"{dataset}-seen", "SELECT 2")
    sql = f"SELECT state FROM `region-us`.INFORMATION_SCHEMA.JOBS WHERE job_id = '{dataset}-seen'"
    assert [row.state for row in client.query_and_wait(sql)] == ["DONE"]


def test_a_look_up_does_not_visit_every_table(client: bigquery.Client, dataset: str) -> None:
    plan = "\n".join(str(row) for row in database.fetch("EXPLAIN SELECT * FROM duckdb_tables()"))
    assert "EMPTY_RESULT" in plan


def test_the_time_at_which_rows_came_is_a_column_that_a_star_leaves_out(
    client: bigquery.Client, dataset: str
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64) PARTITION BY _PARTITIONDATE")
    client.query_and_wait(f"INSERT INTO {dataset}.t (a) VALUES (1)")
    [row] = client.query_and_wait(f"SELECT * FROM {dataset}.t")
    assert dict(row) == {"a": 1}
    [row] = client.query_and_wait(f"SELECT _PARTITIONTIME IS NOT NULL AS is_known FROM {dataset}.t")
    assert row["is_known"]
    client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.t AS SELECT 2 AS a")
    [row] = client.query_and_wait(f"SELECT * FROM {dataset}.t")
    assert dict(row) == {"a": 2}


def test_a_resource_that_changes_is_seen_changed_at_once(client: bigquery.Client, dataset: str) -> None:
    table = client.create_table(bigquery.Table(f"{client.project}.{dataset}.t"))
    for description in ("first", "second"):
        table.description = description
        table = client.update_table(table, ["description"])
        assert client.get_table(table).description == description
    client.delete_table(table)
    with pytest.raises(NotFound):
        client.get_table(table)


def test_an_answer_older_than_a_change_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    resources = Resources()
    answers = iter([[("old",)], [("new",)], [("never asked for",)]])

    def change_meanwhile(*_: object) -> list[tuple[str]]:
        resources.clear()
        monkeypatch.setattr(database, "fetch", lambda *_: next(answers))
        return next(answers)

    monkeypatch.setattr(database, "fetch", change_meanwhile)
    assert [resources.fetch("SELECT 1") for _ in range(3)] == [[("old",)], [("new",)], [("new",)]]


def test_what_is_known_of_a_table_follows_its_changes(client: bigquery.Client, dataset: str) -> None:
    name = f"{client.project}.{dataset}.t"
    client.create_table(bigquery.Table(name, schema=[bigquery.SchemaField("a", "INT64")]))
    seen = [client.get_table(name)]
    assert client.insert_rows_json(name, [{"a": 1}, {"a": 2}]) == []
    seen.append(client.get_table(name))
    client.query_and_wait(f"INSERT INTO {dataset}.t VALUES (3)")
    seen.append(client.get_table(name))
    client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.t AS SELECT 'x' AS b, TRUE AS c")
    seen.append(client.get_table(name))
    assert [(table.num_rows, [field.name for field in table.schema]) for table in seen] == [
        (0, ["a"]),
        (2, ["a"]),
        (3, ["a"]),
        (1, ["b", "c"]),
    ]
    client.delete_dataset(dataset, delete_contents=True)
    assert not catalog.dataset_exists(client.project, dataset)
    assert catalog.objects(client.project, dataset, "t") == []


def test_what_is_known_of_a_table_lasts_while_others_change(
    client: bigquery.Client, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []
    ask = catalog.ask_lake

    def counted(project: str, question: str, **parameters: Any) -> list[Any]:
        questions.append(question)
        return ask(project, question, **parameters)

    def asked() -> list[str]:
        questions.clear()
        assert catalog.objects(client.project, dataset, "t") == [("t", "TABLE", 1)]
        assert catalog.size_bytes(client.project, dataset, "t") == 8
        return list(questions)

    monkeypatch.setattr(catalog, "ask_lake", counted)
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS n")
    assert asked()
    client.query_and_wait(f"CREATE TABLE {dataset}.u AS SELECT 1 AS n; INSERT INTO {dataset}.u VALUES (2)")
    assert asked() == []
    client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.t AS SELECT 2 AS n")
    assert asked()


def test_a_query_with_parameters_gives_the_rows_that_it_finds(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT n FROM UNNEST([3, 1, 2]) AS n")
    sql = f"""SELECT n, [n, n + 1] AS pair, STRUCT(n AS x) AS s, TO_JSON(n) AS j, @word AS word
              FROM {dataset}.t WHERE n > @least ORDER BY n DESC"""
    parameters = [
        bigquery.ScalarQueryParameter("least", "INT64", 1),
        bigquery.ScalarQueryParameter("word", "STRING", "so"),
    ]
    config = bigquery.QueryJobConfig(query_parameters=parameters)
    rows = client.query_and_wait(sql, job_config=config)
    assert [field.field_type for field in rows.schema] == ["INTEGER", "INTEGER", "RECORD", "JSON", "STRING"]
    assert [tuple(row) for row in rows] == [(3, [3, 4], {"x": 3}, 3, "so"), (2, [2, 3], {"x": 2}, 2, "so")]
    assert [row.n for row in client.query(sql, job_config=config).result(page_size=1)] == [3, 2]
