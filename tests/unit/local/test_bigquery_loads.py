"""Rows of files that BigQuery refuses are refused here too, and the first is told."""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery
from local_bigquery.settings import settings

SCHEMA = [bigquery.SchemaField("a", "INT64", "REQUIRED"), bigquery.SchemaField("b", "STRING")]
READING = "Error while reading data, error message: "


def load(client: bigquery.Client, dataset: str, text: str | bytes, **more: Any) -> bigquery.LoadJob:
    """Load a file to its end, which may be a failure."""
    kind = more.setdefault("source_format", "CSV").rpartition("_")[2].lower()
    assert settings.gcs_local_root is not None
    folder = Path(settings.gcs_local_root) / "loads"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"rows.{kind}").write_bytes(text if isinstance(text, bytes) else text.encode())
    config = bigquery.LoadJobConfig(**({"schema": SCHEMA, "write_disposition": "WRITE_TRUNCATE"} | more))
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
            "JSON parsing error in row starting at position 9: Missing required field: a.",
        ),
        (
            '{"a": 1}\n{"a": 1.5}\n',
            {"source_format": "NEWLINE_DELIMITED_JSON"},
            "JSON parsing error in row starting at position 9: "
            "Could not convert value to integer. Field: a; Value: 1.5",
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
    assert [error["message"] for error in job.errors or ()][1:] == [
        f"{READING}JSON parsing error in row starting at position 9: No such field: more."
    ]


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


# Nested and repeated columns


NESTED = [
    bigquery.SchemaField("id", "INT64", "REQUIRED"),
    bigquery.SchemaField(
        "address",
        "STRUCT",
        fields=[
            bigquery.SchemaField("city", "STRING", "REQUIRED"),
            bigquery.SchemaField("since", "DATE"),
            bigquery.SchemaField("seal", "BYTES"),
        ],
    ),
    bigquery.SchemaField(
        "items",
        "RECORD",
        "REPEATED",
        fields=[
            bigquery.SchemaField("sku", "STRING"),
            bigquery.SchemaField("price", "NUMERIC"),
            bigquery.SchemaField("tags", "STRING", "REPEATED"),
        ],
    ),
    bigquery.SchemaField("more", "JSON"),
]
JSON = "NEWLINE_DELIMITED_JSON"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"id": 1, "address": {"city": "x", "zip": 3}}', "No such field: address.zip."),
        ('{"id": 1, "items": [{"sku": "a"}, {"size": 3}]}', "No such field: items.size."),
        ('{"id": 1, "address": {"since": "2026-01-31"}}', "Missing required field: address.city."),
        (
            '{"id": 1, "address": {"city": null}}',
            "Only optional fields can be set to NULL. Field: address.city; Value: NULL",
        ),
        ('{"address": null}', "Missing required field: id."),
        (
            '{"id": 1, "address": {"city": "x", "since": "soon"}}',
            "Could not convert value to date. Field: address.since; Value: soon",
        ),
        (
            '{"id": 1, "items": [{"price": 1}, {"price": "much"}]}',
            "Could not convert value to numeric. Field: items.price; Value: much",
        ),
        (
            '{"id": 1, "address": {"city": "x", "seal": "no base"}}',
            "Could not convert value to bytes. Field: address.seal; Value: no base",
        ),
        ('{"id": true}', "Could not convert value to integer. Field: id; Value: true"),
        ('{"id": 1, "address": "x"}', "Could not convert value to record. Field: address; Value: x"),
        ('{"id": 1, "address": [{"city": "x"}]}', "Array specified for non-repeated field: address."),
        (
            '{"id": 1, "items": {"sku": "a"}}',
            "Repeated field must be imported as a JSON array. Field: items.",
        ),
        (
            '{"id": 1, "items": [{"tags": ["a", null]}]}',
            "Only optional fields can be set to NULL. Field: items.tags; Value: NULL",
        ),
        (
            '{"id": 1, "address": {"city": {"name": "x"}}}',
            "JSON object specified for non-record field: address.city.",
        ),
        (
            '{"id": 1, "address": {"city": "x", "since": "2026-01-31T00:00:00"}}',
            "Could not convert value to date. Field: address.since; Value: 2026-01-31T00:00:00",
        ),
        ('{"id": 1', "Parser terminated before end of string"),
        ("[1]", "Expected an object, which has the columns of the row"),
    ],
)
def test_a_nested_row_that_bigquery_refuses_is_told_by_its_path(
    client: bigquery.Client, dataset: str, row: str, told: str
) -> None:
    job = load(client, dataset, f'{{"id": 0}}\n\n{row}\n', source_format=JSON, schema=NESTED)
    assert "Rows: 2; errors: 1. Please look into" in job.errors[0]["message"]
    place = "JSON parsing error in row starting at position 11: "
    assert [error["message"] for error in job.errors[1:]] == [f"{READING}{place}{told}"]
    again = load(
        client, dataset, f'{{"id": 0}}\n{row}\n', source_format=JSON, schema=NESTED, max_bad_records=1
    )
    assert (again.error_result, again.output_rows) == (None, 1)


def test_nested_rows_are_read_whatever_the_case_of_their_names(client: bigquery.Client, dataset: str) -> None:
    row = (
        '{"ID": "7", "Address": {"city": 5, "SEAL": "aGk="}, "more": {"a": [1, "b", 1.5]},'
        ' "items": [{"sku": "a", "price": 12345678901234567890.123456789, "tags": ["x", true]},'
        ' {"price": null}]}'
    )
    empty = '{"id": 8, "items": null}'
    job = load(client, dataset, f"\ufeff{row}\r\n{empty}", source_format=JSON, schema=NESTED)
    assert job.error_result is None, job.errors
    found = [
        dict(one.items()) for one in client.query_and_wait(f"SELECT * FROM `{dataset}.rows` ORDER BY id")
    ]
    assert found == [
        {
            "id": 7,
            "address": {"city": "5", "since": None, "seal": b"hi"},
            "items": [
                {"sku": "a", "price": Decimal("12345678901234567890.123456789"), "tags": ["x", "true"]},
                {"sku": None, "price": None, "tags": []},
            ],
            "more": {"a": [1, "b", 1.5]},
        },
        {"id": 8, "address": None, "items": [], "more": None},
    ]
    unknown = load(
        client,
        dataset,
        '{"id": 1, "address": {"city": "x", "zip": 1}, "no": [1]}',
        source_format=JSON,
        schema=NESTED,
        ignore_unknown_values=True,
    )
    assert (unknown.error_result, unknown.output_rows) == (None, 1)


# The schema of a load and that of its table


def struct(name: str, *fields: bigquery.SchemaField, mode: str = "NULLABLE") -> bigquery.SchemaField:
    return bigquery.SchemaField(name, "STRUCT", mode, fields=fields)


ID = bigquery.SchemaField("id", "INT64", "REQUIRED", description="Its number.")
CITY = bigquery.SchemaField("city", "STRING", "REQUIRED")
ZIP = bigquery.SchemaField("zip", "STRING")
SKU = bigquery.SchemaField("sku", "STRING")
STORED = [ID, struct("address", CITY), struct("items", SKU, mode="REPEATED")]
WIDER = [ID, struct("address", CITY, ZIP), struct("items", SKU, ZIP, mode="REPEATED")]


@pytest.mark.parametrize(
    ("schema", "options", "told"),
    [
        (WIDER, [], "Cannot add fields (field: address.zip)"),
        (
            [ID, struct("address", CITY, bigquery.SchemaField("zip", "STRING", "REQUIRED"))],
            ["ALLOW_FIELD_ADDITION"],
            "Cannot add required fields to an existing schema. (field: address.zip)",
        ),
        (
            [ID, struct("address", bigquery.SchemaField("city", "INT64", "REQUIRED"))],
            [],
            "Field address.city has changed type from STRING to INTEGER",
        ),
        ([bigquery.SchemaField("id", "INT64")], [], "Field id has changed mode from REQUIRED to NULLABLE"),
        (
            [ID, struct("address", ZIP)],
            ["ALLOW_FIELD_ADDITION"],
            "Field address.city is missing in new schema",
        ),
        ([ID, struct("items", SKU)], [], "Field items has changed mode from REPEATED to NULLABLE"),
    ],
)
def test_a_schema_that_its_table_does_not_take_is_refused(
    client: bigquery.Client, dataset: str, schema: list[bigquery.SchemaField], options: list[str], told: str
) -> None:
    first = load(client, dataset, '{"id": 1}', source_format=JSON, schema=STORED)
    assert first.error_result is None
    more = {"write_disposition": "WRITE_APPEND", "schema_update_options": options or None}
    job = load(client, dataset, "", source_format=JSON, schema=schema, **more)
    assert told in job.error_result["message"]


def test_fields_are_added_to_structs_and_relaxed_where_that_is_allowed(
    client: bigquery.Client, dataset: str
) -> None:
    load(client, dataset, '{"id": 1, "items": [{"sku": "a"}]}', source_format=JSON, schema=STORED)
    assert client.get_table(f"{dataset}.rows").schema[0].mode == "REQUIRED"
    more = {"write_disposition": "WRITE_APPEND", "source_format": JSON}
    text = '{"id": 2, "address": {"city": "x", "zip": "1"}, "items": [{"zip": "2"}]}'
    added = load(client, dataset, text, schema=WIDER, schema_update_options=["ALLOW_FIELD_ADDITION"], **more)
    relaxed = [bigquery.SchemaField("id", "INT64"), *WIDER[1:]]
    again = load(
        client, dataset, "{}", schema=relaxed, schema_update_options=["ALLOW_FIELD_RELAXATION"], **more
    )
    assert (added.error_result, again.error_result) == (None, None)
    stored = client.get_table(f"{dataset}.rows").schema
    assert [(one.name, one.mode, one.description) for one in stored] == [
        ("id", "NULLABLE", "Its number."),
        ("address", "NULLABLE", None),
        ("items", "REPEATED", None),
    ]
    assert [(one.name, one.mode) for one in stored[1].fields] == [("city", "REQUIRED"), ("zip", "NULLABLE")]
    found = client.query_and_wait(f"SELECT id, address.zip, items FROM `{dataset}.rows` ORDER BY id")
    assert [tuple(row.values()) for row in found] == [
        (None, None, []),
        (1, None, [{"sku": "a", "zip": None}]),
        (2, "1", [{"sku": None, "zip": "2"}]),
    ]


# Values of CSV


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("DATE", "2026-01-31T00:00:00"),
        ("DATE", "01/31/2026"),
        ("DATETIME", "2026-01-31T10:00:00Z"),
        ("DATETIME", "2026-01-31 10:00:00+02"),
    ],
)
def test_a_date_has_no_time_and_a_datetime_no_zone(
    client: bigquery.Client, dataset: str, kind: str, value: str
) -> None:
    schema = [bigquery.SchemaField("a", kind)]
    job = load(client, dataset, f"{value}\n", schema=schema)
    assert job.errors[-1]["message"].endswith(f"Could not parse '{value}' as {kind} for field a (position 0)")
    fits = "2026-1-31\n" if kind == "DATE" else "2026-01-31 10:00\n2026-01-31T10:00:00.5\n2026-01-31\n"
    assert load(client, dataset, fits, schema=schema).error_result is None


def test_nothing_in_quotes_is_an_empty_text_and_else_no_value(client: bigquery.Client, dataset: str) -> None:
    schema = [bigquery.SchemaField("a", "STRING"), bigquery.SchemaField("b", "STRING")]
    assert load(client, dataset, 'x,""\ny,\n', schema=schema).error_result is None
    found = client.query_and_wait(f"SELECT a, b FROM `{dataset}.rows` ORDER BY a")
    assert [tuple(row.values()) for row in found] == [("x", ""), ("y", None)]


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "UTF-16BE", "UTF-16LE", "UTF-32BE", "UTF-32LE"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_files_of_all_encodings_are_read_packed_or_not(
    client: bigquery.Client, dataset: str, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    csv = load(client, dataset, pack("1,é\n".encode(encoding)), encoding=encoding)
    assert (csv.error_result, csv.output_rows) == (None, 1)
    text = pack('{"a": 2, "b": "é"}\n'.encode(encoding))
    more = {"encoding": encoding, "write_disposition": "WRITE_APPEND"}
    assert load(client, dataset, text, source_format=JSON, **more).error_result is None
    found = client.query_and_wait(f"SELECT a, b FROM `{dataset}.rows` ORDER BY a")
    assert [tuple(row.values()) for row in found] == [(1, "é"), (2, "é")]


def test_a_copy_has_the_modes_and_descriptions_of_its_source(client: bigquery.Client, dataset: str) -> None:
    load(client, dataset, '{"id": 1, "items": [{"sku": "a"}]}', source_format=JSON, schema=STORED)
    for disposition in ("WRITE_EMPTY", "WRITE_TRUNCATE", "WRITE_APPEND"):
        config = bigquery.CopyJobConfig(write_disposition=disposition)
        client.copy_table(f"{dataset}.rows", f"{dataset}.copied", job_config=config).result()
        columns = client.get_table(f"{dataset}.copied").schema
        assert columns == client.get_table(f"{dataset}.rows").schema
        assert (columns[0].mode, columns[0].description) == ("REQUIRED", "Its number.")


def test_new_fields_that_are_found_out_are_refused_or_added(client: bigquery.Client, dataset: str) -> None:
    found: dict[str, Any] = {"schema": None, "autodetect": True, "source_format": JSON}
    load(client, dataset, '{"a": {"b": [{"c": 1}]}}', **found)
    found["write_disposition"] = "WRITE_APPEND"
    text = '{"a": {"b": [{"c": 2, "d": "x"}]}}'
    refused = load(client, dataset, text, **found)
    assert "Cannot add fields (field: a.b.d)" in refused.error_result["message"]
    added = load(client, dataset, text, schema_update_options=["ALLOW_FIELD_ADDITION"], **found)
    assert added.error_result is None
    rows = client.query_and_wait(f"SELECT a FROM `{dataset}.rows` ORDER BY a.b[0].c")
    assert [row["a"] for row in rows] == [{"b": [{"c": 1, "d": None}]}, {"b": [{"c": 2, "d": "x"}]}]


# What comes out goes in again


VALUES = """
SELECT 1 AS a, 'x,"y"' AS b, DATE '2026-01-31' AS d, TIMESTAMP '2026-01-31 10:00:00.5+00' AS ts,
  NUMERIC '1.50' AS n, TRUE AS t, b'hi' AS bs, CAST(NULL AS STRING) AS nu,
  DATETIME '2026-01-31 10:00:00' AS dt, TIME '10:00:00' AS ti
"""


def extracted(client: bigquery.Client, dataset: str, form: str) -> str:
    assert settings.gcs_local_root is not None
    folder = Path(settings.gcs_local_root) / "loads"
    folder.mkdir(parents=True, exist_ok=True)
    config: Any = bigquery.ExtractJobConfig(destination_format=form)  # type: ignore[no-untyped-call]
    client.extract_table(f"{dataset}.out", "gs://loads/out", job_config=config).result()
    return (folder / "out").read_text()


def test_values_are_written_to_csv_as_bigquery_writes_them(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.out` AS {VALUES}")
    written = extracted(client, dataset, "CSV")
    day = "2026-01-31"
    row = f'1,"x,""y""",{day},{day} 10:00:00.5 UTC,1.5,true,aGk=,,{day}T10:00:00,10:00:00'
    assert written == f"a,b,d,ts,n,t,bs,nu,dt,ti\n{row}\n"
    schema = client.get_table(f"{dataset}.out").schema
    assert load(client, dataset, written, schema=schema, skip_leading_rows=1).error_result is None


def test_values_are_written_to_json_as_bigquery_writes_them(client: bigquery.Client, dataset: str) -> None:
    nested = "[STRUCT(3 AS x, [b'hi'] AS l, CAST(NULL AS STRUCT<y INT64>) AS s)] AS items"
    client.query_and_wait(f"CREATE TABLE `{dataset}.out` AS SELECT 7 AS a, 0.5 AS f, {nested}")
    written = extracted(client, dataset, JSON)
    assert json.loads(written) == {"a": "7", "f": 0.5, "items": [{"x": "3", "l": ["aGk="], "s": None}]}
    schema = client.get_table(f"{dataset}.out").schema
    assert load(client, dataset, written, schema=schema, source_format=JSON).error_result is None
    found = load(client, dataset, written + '{"a": null}\n', schema=None, autodetect=True, source_format=JSON)
    assert found.error_result is None
    assert client.get_table(f"{dataset}.rows").schema[0].field_type == "INTEGER"
