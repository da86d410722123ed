"""CSV files are read as BigQuery reads them: headers, texts, times and broken lines."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import bigquery

from tests.unit.local.test_bigquery_loads import JSON, READING, load

FOUND_OUT: dict[str, Any] = {"schema": None, "autodetect": True}
TIMES = [bigquery.SchemaField("at", "TIMESTAMP")]


def rows(client: bigquery.Client, dataset: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in client.list_rows(f"{dataset}.rows")]


@pytest.mark.parametrize(
    ("text", "skipped", "names", "count"),
    [
        ("a,b\n1,x\n", None, ["a", "b"], 1),
        ("1,x,1.5,true\n2,y,2.5,false\n", None, ["int64_field_0", "string_field_1", "double_field_2"], 2),
        ("name,city\nada,london\n", None, ["string_field_0", "string_field_1"], 2),
        ("name,city\nada,london\n", 1, ["string_field_0", "string_field_1"], 1),
        ("a,b\n1,2\n", 0, ["string_field_0", "string_field_1"], 2),
        ("a,b\n1,2\n", 1, ["a", "b"], 1),
        ("made today\na,b\n1,2\n", 2, ["a", "b"], 1),
    ],
)
def test_a_header_is_found_where_what_is_below_is_not_all_text(
    client: bigquery.Client, dataset: str, text: str, skipped: int | None, names: list[str], count: int
) -> None:
    more = {} if skipped is None else {"skip_leading_rows": skipped}
    assert load(client, dataset, text, **FOUND_OUT, **more).error_result is None
    assert [column.name for column in client.get_table(f"{dataset}.rows").schema][: len(names)] == names
    assert len(rows(client, dataset)) == count


def test_a_time_is_a_number_of_seconds_too_or_has_slashes_or_a_blank_before_its_offset(
    client: bigquery.Client, dataset: str
) -> None:
    given = {
        "1704067200": datetime(2024, 1, 1, tzinfo=UTC),
        "-1.5": datetime(1969, 12, 31, 23, 59, 58, 500_000, tzinfo=UTC),
        "6.23309028E8": datetime(1989, 10, 2, 5, 23, 48, tzinfo=UTC),
        "2024/01/01 10:00:00": datetime(2024, 1, 1, 10, tzinfo=UTC),
        "2024-01-01 10:00:00 -07:00": datetime(2024, 1, 1, 17, tzinfo=UTC),
        "2024-01-01 10:00:00 UTC": datetime(2024, 1, 1, 10, tzinfo=UTC),
        "2024-01-01 10:00:00 Europe/Berlin": datetime(2024, 1, 1, 9, tzinfo=UTC),
    }
    for kind, line in (("CSV", "{}\n"), (JSON, '{{"at": "{}"}}\n')):
        text = "".join(line.format(one) for one in given)
        assert load(client, dataset, text, schema=TIMES, source_format=kind).error_result is None
        assert [at for (at,) in rows(client, dataset)] == [*given.values()]
    load(client, dataset, '{"at": 1704067200.25}\n', schema=TIMES, source_format=JSON)
    assert rows(client, dataset) == [(datetime(2024, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC),)]


@pytest.mark.parametrize("text", ["1704067200000", "infinity", "epoch", "now", "2024-01-01 00:00:00 PST"])
def test_what_is_no_time_for_bigquery_is_none_here(client: bigquery.Client, dataset: str, text: str) -> None:
    job = load(client, dataset, f"{text}\n", schema=TIMES)
    told = f"{READING}Could not parse '{text}' as TIMESTAMP for field at (position 0)"
    assert (job.errors or [{}])[-1]["message"] == told
    assert load(client, dataset, f'{{"at": "{text}"}}\n', schema=TIMES, source_format=JSON).error_result


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1,x\n2\n", "Too few values in line. Found 1 column(s) while expecting 2.; line_number: 2"),
        ("1,x\n2,y,z\n", "Too many values in line. Found 3 column(s) while expecting 2.; line_number: 2"),
    ],
)
def test_a_line_that_is_too_short_or_too_long_is_told_with_its_number(
    client: bigquery.Client, dataset: str, text: str, told: str
) -> None:
    assert load(client, dataset, text).error_result["message"] == f"{READING}{told}"


def test_what_is_no_character_is_replaced_but_no_nul_is_taken(client: bigquery.Client, dataset: str) -> None:
    for kind, text in (("CSV", b"1,\xffx\n"), (JSON, b'{"a": 1, "b": "\xffx"}\n')):
        assert load(client, dataset, text, source_format=kind).error_result is None
        assert rows(client, dataset) == [(1, "\ufffdx")]
    job = load(client, dataset, b"1,a\x00b\n")
    assert (job.errors or [{}])[-1]["message"] == f"{READING}Bad character (ASCII 0) encountered."


@pytest.mark.parametrize(
    ("kind", "text", "types"),
    [
        (
            "CSV",
            "n,at,day,us,clock\n1,2024-01-01 12:30:00,2024-01-01,01/31/2024,12:30:00\n",
            ["INTEGER", "TIMESTAMP", "DATE", "STRING", "TIME"],
        ),
        (
            JSON,
            '{"at": "2024-01-01T12:30:00Z", "none": null, "mixed": 1, "list": [1]}\n{"mixed": "x"}\n',
            ["TIMESTAMP", "STRING", "STRING", "INTEGER"],
        ),
    ],
)
def test_types_are_found_out_as_bigquery_finds_them_out(
    client: bigquery.Client, dataset: str, kind: str, text: str, types: list[str]
) -> None:
    assert load(client, dataset, text, **FOUND_OUT, source_format=kind).error_result is None
    assert [column.field_type for column in client.get_table(f"{dataset}.rows").schema] == types
    (row, *_) = rows(client, dataset)
    assert datetime(2024, 1, 1, 12, 30, tzinfo=UTC) in row


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        ('{"a": [[1]]}\n', FOUND_OUT, "Nested arrays not allowed. Field: a"),
        ('{"a": 1, "b": "\\ud800"}\n', {}, "JSON table encountered too many errors"),
        (
            '{"at": "24:00:00"}\n',
            {"schema": [bigquery.SchemaField("at", "TIME")]},
            "JSON table encountered too many errors",
        ),
    ],
)
def test_json_that_bigquery_does_not_take_is_refused(
    client: bigquery.Client, dataset: str, text: str, more: dict[str, Any], told: str
) -> None:
    job = load(client, dataset, text, source_format=JSON, **more)
    assert told in (job.error_result or {"message": ""})["message"]
