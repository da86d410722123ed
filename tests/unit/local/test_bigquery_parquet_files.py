"""Parquet files are read as BigQuery reads them."""

import io
from datetime import UTC, datetime
from typing import Any

import pyarrow  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest
from google.cloud import bigquery

from tests.unit.local.test_bigquery_csv_files import FOUND_OUT, rows
from tests.unit.local.test_bigquery_loads import READING, load


def file_of(columns: dict[str, Any], **options: Any) -> bytes:
    """Write a file of columns."""
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), written, **options)
    return written.getvalue()


def loaded(client: bigquery.Client, dataset: str, content: bytes, **more: Any) -> bigquery.LoadJob:
    return load(client, dataset, content, source_format="PARQUET", **(FOUND_OUT | more))


def test_times_of_old_writers_are_of_utc_lists_are_repeated_and_maps_are_lists_of_pairs(
    client: bigquery.Client, dataset: str
) -> None:
    columns = {
        "at": pyarrow.array([datetime(2024, 1, 1)], pyarrow.timestamp("us")),  # noqa: DTZ001
        "tags": [["a", "b"]],
        "counts": pyarrow.array([[("x", 1)]], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
    }
    content = file_of(columns, use_deprecated_int96_timestamps=True)
    assert loaded(client, dataset, content).error_result is None
    schema = client.get_table(f"{dataset}.rows").schema
    assert [(one.field_type, one.mode) for one in schema] == [
        ("TIMESTAMP", "NULLABLE"),
        ("STRING", "REPEATED"),
        ("RECORD", "NULLABLE"),
    ]
    pairs = {"key_value": [{"key": "x", "value": 1}]}
    assert rows(client, dataset) == [(datetime(2024, 1, 1, tzinfo=UTC), ["a", "b"], pairs)]


@pytest.mark.parametrize(
    ("columns", "schema", "told"),
    [
        ({"a": [[[1]]]}, None, "Nested arrays not allowed. Field: a"),
        (
            {"a": [1]},
            [("a", "STRING")],
            "Parquet column 'a' has type INT64 which does not match the target cpp_type STRING.",
        ),
        (
            {"A": [1.5]},
            [("a", "INT64")],
            "Parquet column 'A' has type DOUBLE which does not match the target cpp_type INT64.",
        ),
        (
            {"a": pyarrow.array([1, None], pyarrow.int64())},
            [("a", "INT64", "REQUIRED")],
            "Only optional fields can be set to NULL. Field: a",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(
    client: bigquery.Client, dataset: str, columns: dict[str, Any], schema: Any, told: str
) -> None:
    more = {"schema": [bigquery.SchemaField(*one) for one in schema], "autodetect": False} if schema else {}
    job = loaded(client, dataset, file_of(columns), **more)
    assert (job.error_result or {"message": ""})["message"] == f"{READING}{told}"


def test_columns_that_fit_are_taken_whatever_parts_of_others_are_called(
    client: bigquery.Client, dataset: str
) -> None:
    schema = [
        bigquery.SchemaField("a", "INT64", "REQUIRED"),
        bigquery.SchemaField("b", "RECORD", fields=[bigquery.SchemaField("a", "STRING")]),
        bigquery.SchemaField("c", "NUMERIC"),
    ]
    content = file_of({"a": [1], "b": [{"a": "x"}], "c": [2]})
    assert loaded(client, dataset, content, schema=schema, autodetect=False).error_result is None
    assert [tuple(row)[:2] for row in rows(client, dataset)] == [(1, {"a": "x"})]
