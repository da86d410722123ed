"""A query is translated once, and again as soon as anything that its translation depends on has changed."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery
from google.oauth2.credentials import Credentials
from local_bigquery.sql.translate import Context
from sqlglot import exp

from local.bigquery import LocalBigQuery, memories, translations
from tests.unit.local.conftest import PROJECT, start_job

type Translate = Callable[[exp.Expr, Context], tuple[str, dict[str, Any]]]


class Counted:
    """Translates, and counts how often each text was translated."""

    def __init__(self, translate: Translate) -> None:
        self._translate = translate
        self.texts: list[str] = []

    def __call__(self, tree: exp.Expr, context: Context) -> tuple[str, dict[str, Any]]:
        self.texts.append(tree.meta.get(translations.TEXT, ""))
        return self._translate(tree, context)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counting = Counted(translations._translate)
    monkeypatch.setattr(translations, "_translate", counting)
    return counting


def rows(client: bigquery.Client, sql: str, **config: Any) -> list[tuple[Any, ...]]:
    found = client.query_and_wait(sql, job_config=bigquery.QueryJobConfig(**config))
    return [tuple(row.values()) for row in found]


def test_a_query_is_translated_once_dry_run_included(
    client: bigquery.Client, dataset: str, counted: Counted
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a")
    text = f"SELECT a + 1 AS b FROM {dataset}.t"
    client.query(text, bigquery.QueryJobConfig(dry_run=True))
    assert [rows(client, text) for _ in range(3)] == [[(2,)]] * 3
    assert counted.texts.count(text) == 1


def test_an_insert_is_translated_again_where_its_table_has_changed(
    client: bigquery.Client, dataset: str, counted: Counted
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64)")
    text = f"INSERT INTO {dataset}.t (a) VALUES (1)"
    for _ in range(2):
        client.query_and_wait(text)
    assert counted.texts.count(text) == 1
    client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.t (b INT64)")
    with pytest.raises(BadRequest):
        client.query_and_wait(text)
    client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.t (a INT64, b INT64)")
    client.query_and_wait(text)
    assert rows(client, f"SELECT a, b FROM {dataset}.t") == [(1, None)]


def test_rows_that_come_later_are_read_by_the_same_translation(
    client: bigquery.Client, dataset: str, counted: Counted
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a")
    text = f"SELECT a FROM {dataset}.t ORDER BY a"
    assert rows(client, text) == [(1,)]
    client.query_and_wait(f"INSERT INTO {dataset}.t VALUES (2)")
    client.query_and_wait(f"CREATE TABLE {dataset}.another AS SELECT 1 AS a")
    assert rows(client, text) == [(1,), (2,)]
    assert counted.texts.count(text) == 1


def test_a_table_of_other_types_is_read_by_another_translation(client: bigquery.Client, dataset: str) -> None:
    text = f"SELECT a / 3 AS b FROM {dataset}.t"
    seen = []
    for value in ("1", "NUMERIC '1'", "1.0"):
        client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.t AS SELECT {value} AS a")
        seen += rows(client, text)
    assert seen == [(1 / 3,), (Decimal("0.333333333"),), (1 / 3,)]


def test_a_column_that_was_added_is_in_the_star(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a")
    text = f"SELECT * FROM {dataset}.t"
    assert rows(client, text) == [(1,)]
    client.query_and_wait(f"ALTER TABLE {dataset}.t ADD COLUMN b STRING")
    assert rows(client, text) == [(1, None)]


def test_a_dropped_table_is_not_found_any_more(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a")
    text = f"SELECT a FROM {dataset}.t"
    assert rows(client, text) == [(1,)]
    client.delete_table(f"{dataset}.t")
    with pytest.raises(NotFound, match=r"Not found: Table .*\.t was not found"):
        rows(client, text)


def test_a_table_that_expires_is_gone_at_its_time(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a")
    table = client.get_table(f"{dataset}.t")
    table.expires = datetime.now(UTC) + timedelta(days=1)
    client.update_table(table, ["expires"])
    text = f"SELECT a FROM {dataset}.t"
    assert rows(client, text) == [(1,)]
    known = [key for key in translations.TRANSLATIONS._known if key[0] == text]
    assert known == []


def test_a_policy_on_rows_holds_from_the_next_query_on(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a UNION ALL SELECT 2")
    text = f"SELECT a FROM {dataset}.t ORDER BY a"
    assert rows(client, text) == [(1,), (2,)]
    client.query_and_wait(
        f"CREATE ROW ACCESS POLICY one ON {dataset}.t GRANT TO ('user:x@example.com') FILTER USING (a = 1)"
    )
    assert rows(client, text) == []


def test_who_asks_gets_an_answer_of_their_own(server: LocalBigQuery) -> None:
    seen = []
    for email in ("a@example.com", "b@example.com", "a@example.com"):
        claims = base64.urlsafe_b64encode(json.dumps({"email": email}).encode()).decode().rstrip("=")
        token = Credentials(token=f"e30.{claims}.signature")  # type: ignore[no-untyped-call]
        with bigquery.Client(
            project=PROJECT, credentials=token, client_options={"api_endpoint": server.url}
        ) as client:
            seen += rows(client, "SELECT SESSION_USER() AS me")
    assert seen == [("a@example.com",), ("b@example.com",), ("a@example.com",)]


def test_parameters_are_bound_anew_and_by_their_types(client: bigquery.Client) -> None:
    text = "SELECT @a AS a"
    seen = [
        rows(client, text, query_parameters=[bigquery.ScalarQueryParameter("a", kind, value)])
        for kind, value in (("INT64", 1), ("INT64", 2), ("STRING", "x"))
    ]
    assert seen == [[(1,)], [(2,)], [("x",)]]
    with pytest.raises(BadRequest, match="Query parameter 'a' not found"):
        rows(client, text)


def test_a_default_dataset_says_which_table_is_meant(client: bigquery.Client, dataset: str) -> None:
    other = str(client.create_dataset(f"d_{uuid4().hex[:8]}").dataset_id)
    for number, name in enumerate((dataset, other)):
        client.query_and_wait(f"CREATE TABLE {name}.t AS SELECT {number} AS a")
    seen = [
        rows(client, "SELECT a FROM t", default_dataset=f"{client.project}.{name}")
        for name in (dataset, other, dataset)
    ]
    assert seen == [[(0,)], [(1,)], [(0,)]]


def test_a_variable_of_a_script_is_told_from_a_column(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a")
    text = f"SELECT a FROM {dataset}.t"
    script = "DECLARE a INT64 DEFAULT {}; SELECT a"
    assert rows(client, "SELECT 3 AS a") == [(3,)]
    assert [rows(client, script.format(number)) for number in (5, 6)] == [[(5,)], [(6,)]]
    assert rows(client, text) == [(1,)]


def test_a_query_that_asks_who_it_is_gets_its_own_answer(client: bigquery.Client) -> None:
    for job_id in (f"who-{uuid4()}", f"who-{uuid4()}"):
        job = start_job(client, job_id, "SELECT @@current_job_id AS job")
        assert [row["job"] for row in job.result()] == [job_id]


def test_no_more_than_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "MAX_KNOWN", 2)
    known = memories.Known[str, int]()
    for number, name in enumerate("abca"):
        known.keep(name, number)
    assert [known.get(name) for name in "abc"] == [3, None, 2]
    known.forget("a")
    assert [known.get(name) for name in "abc"] == [None, None, 2]
