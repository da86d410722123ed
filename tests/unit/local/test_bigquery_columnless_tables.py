"""A table that was made without columns has those of the first load, and expires as it was said to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery
from local_bigquery.settings import settings

EXPIRES = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
CSV = bigquery.LoadJobConfig(source_format="CSV", autodetect=True, write_disposition="WRITE_EMPTY")


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    """Make a table without columns, which expires."""
    name = f"{client.project}.{dataset}.rows"
    made = bigquery.Table(name)
    made.expires = EXPIRES
    made.description = "Rows that are being checked."
    client.create_table(made)
    return name


def a_file(text: str) -> str:
    assert settings.gcs_local_root is not None
    folder = Path(settings.gcs_local_root) / "columnless"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.csv").write_text(text)
    return "gs://columnless/rows.csv"


def test_the_first_load_brings_the_columns_and_changes_nothing_else(
    client: bigquery.Client, table: str
) -> None:
    client.load_table_from_uri(a_file("id,name\n1,a\n"), table, job_config=CSV).result()
    found = client.get_table(table)
    assert [column.name for column in found.schema] == ["id", "name"]
    assert (found.expires, found.description) == (EXPIRES, "Rows that are being checked.")
    assert [tuple(row.values()) for row in client.query_and_wait(f"SELECT * FROM `{table}`")] == [(1, "a")]


def test_a_load_that_fails_leaves_the_table_as_it_was(client: bigquery.Client, table: str) -> None:
    config = bigquery.LoadJobConfig(
        source_format="CSV", skip_leading_rows=1, schema=[bigquery.SchemaField("id", "INT64")]
    )
    with pytest.raises(BadRequest):
        client.load_table_from_uri(a_file("id\nno number\n"), table, job_config=config).result()
    found = client.get_table(table)
    assert (found.schema, found.expires) == ([], EXPIRES)
