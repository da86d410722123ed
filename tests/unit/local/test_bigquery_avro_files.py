"""Avro files are read with the types that they name, and what is no file of its format is told."""

import io
from datetime import date
from typing import Any
from uuid import UUID

import fastavro
import pytest
from google.cloud import bigquery

from tests.unit.local.test_bigquery_csv_files import FOUND_OUT, rows
from tests.unit.local.test_bigquery_loads import READING, load

POINT = {"type": "record", "name": "point", "fields": [{"name": "x", "type": "long"}]}


def file_of(fields: list[dict[str, Any]], *records: dict[str, Any]) -> bytes:
    written = io.BytesIO()
    fastavro.writer(written, {"type": "record", "name": "row", "fields": fields}, records)
    return written.getvalue()


def test_types_are_read_by_their_names_and_uuids_and_days_are_what_they_are(
    client: bigquery.Client, dataset: str
) -> None:
    content = file_of(
        [
            {"name": "a", "type": POINT},
            {"name": "b", "type": ["null", "point"]},
            {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        ],
        {"a": {"x": 1}, "b": {"x": 2}, "id": UUID(int=7), "day": date(2024, 1, 1)},
        {"a": {"x": 3}, "b": None, "id": UUID(int=8), "day": date(2024, 1, 2)},
    )
    job = load(client, dataset, content, source_format="AVRO", use_avro_logical_types=True, **FOUND_OUT)
    assert job.error_result is None
    assert rows(client, dataset) == [
        ({"x": 1}, {"x": 2}, str(UUID(int=7)), date(2024, 1, 1)),
        ({"x": 3}, None, str(UUID(int=8)), date(2024, 1, 2)),
    ]


@pytest.mark.parametrize("form", ["AVRO", "ORC"])
def test_what_is_no_file_of_its_format_fails_the_load(
    client: bigquery.Client, dataset: str, form: str
) -> None:
    job = load(client, dataset, "none", source_format=form, **FOUND_OUT)
    assert (job.error_result or {"message": ""})["message"].startswith(READING)
