"""Rows of files that BigQuery refuses are refused here too, and the first is told."""

from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery
from local_bigquery.settings import settings

SCHEMA = [bigquery.SchemaField("a", "INT64", "REQUIRED"), bigquery.SchemaField("b", "STRING")]
READING = "Error while reading data, error message: "


def load(client: bigquery.Client, dataset: str, text: str, **more: Any) -> bigquery.LoadJob:
    """Load a file to its end, which may be a failure."""
    kind = more.setdefault("source_format", "CSV").rpartition("_")[2].lower()
    assert settings.gcs_local_root is not None
    folder = Path(settings.gcs_local_root) / "loads"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"rows.{kind}").write_text(text)
    config = bigquery.LoadJobConfig(schema=SCHEMA, write_disposition="WRITE_TRUNCATE", **more)
    job = client.load_table_from_uri(f"gs://loads/rows.{kind}", f"{dataset}.rows", job_config=config)
    try:
        job.result()
    except BadRequest:
        assert job.error_result
    return job


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        ("1,x\nA7,y\n", {}, "Could not parse 'A7' as INT64 for field a (position 0)"),
        ("1,x\n2.0,y\n", {}, "Could not parse '2.0' as INT64 for field a (position 0)"),
        ("1,x\n,y\n", {}, "Required column value for column index: 0 is missing in a row"),
        ('1,x\n2,"y\nz"\n', {}, 'Missing close quote character (").'),
        (
            '{"a": 1}\n{"b": "y"}\n',
            {"source_format": "NEWLINE_DELIMITED_JSON"},
            "Required column value for column index: 0 is missing in a row",
        ),
        (
            '{"a": 1}\n{"a": 1.5}\n',
            {"source_format": "NEWLINE_DELIMITED_JSON"},
            "Could not parse '1.5' as INT64 for field a (position 0)",
        ),
    ],
)
def test_a_row_that_bigquery_refuses_is_refused_and_told(
    client: bigquery.Client, dataset: str, text: str, more: dict[str, Any], told: str
) -> None:
    job = load(client, dataset, text, **more)
    assert job.errors
    assert job.errors[:-1] == [job.error_result]
    assert "Rows: 2; errors: 1. Please look into the errors[] collection" in job.errors[0]["message"]
    assert job.errors[-1]["message"] == f"{READING}{told}"


def test_a_field_that_is_no_column_is_refused(client: bigquery.Client, dataset: str) -> None:
    text = '{"a": 1}\n{"a": 2, "b": "y", "more": 3}\n'
    job = load(client, dataset, text, source_format="NEWLINE_DELIMITED_JSON")
    assert [error["message"] for error in job.errors or ()][1:] == [f"{READING}No such field: more."]


def test_a_file_is_told_by_its_uri_not_by_where_it_lies_here(client: bigquery.Client, dataset: str) -> None:
    job = load(client, dataset, "no parquet", source_format="PARQUET")
    assert "gs://loads/rows.parquet" in job.error_result["message"]
    assert str(settings.gcs_local_root) not in str(job.errors)


@pytest.mark.parametrize(
    ("text", "more", "rows"),
    [
        (
            '{"a": 1, "b": "x", "more": 3}\n{"a": 2.0}\n',
            {"source_format": "NEWLINE_DELIMITED_JSON", "ignore_unknown_values": True},
            [(1, "x"), (2, None)],
        ),
        ("1,x\n,y\n2.0,z\n", {"max_bad_records": 2}, [(1, "x")]),
        ("1,x,more\n2,\n", {"ignore_unknown_values": True}, [(1, "x"), (2, None)]),
        ('1,"x\ny"\n', {"allow_quoted_newlines": True}, [(1, "x\ny")]),
        ('+1,"x"\n 2 ,\n', {}, [(1, "x"), (2, None)]),
    ],
)
def test_rows_that_may_be_left_out_or_are_right_do_no_harm(
    client: bigquery.Client, dataset: str, text: str, more: dict[str, Any], rows: list[tuple[int, str]]
) -> None:
    assert load(client, dataset, text, **more).error_result is None
    found = client.query_and_wait(f"SELECT a, b FROM `{dataset}.rows` ORDER BY a")
    assert [tuple(row.values()) for row in found] == rows
