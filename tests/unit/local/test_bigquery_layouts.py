"""What BigQuery neither divides, sorts nor writes to files, the local one does not either."""

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery


def write(client: bigquery.Client, dataset: str, sql: str, **more: object) -> None:
    destination = f"{client.project}.{dataset}.laid_out"
    config = bigquery.QueryJobConfig(
        destination=destination, write_disposition="WRITE_TRUNCATE", default_dataset=None
    )
    for name, value in more.items():
        setattr(config, name, value)
    client.query(sql, config).result()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("'2024-01-01'", "STRING"),
        ("1", "INT64"),
        ("1.5", "FLOAT64"),
        ("TIME '09:30:00'", "TIME"),
        ("[DATE '2024-01-01']", "ARRAY"),
    ],
)
def test_a_table_is_divided_by_days_and_times_alone(
    client: bigquery.Client, dataset: str, value: str, told: str
) -> None:
    with pytest.raises(BadRequest, match=f"TIMESTAMP, DATE or DATETIME. The type found is: {told}"):
        write(client, dataset, f"SELECT {value} AS d", time_partitioning=bigquery.TimePartitioning(field="D"))


@pytest.mark.parametrize(
    "value", ["DATE '2024-01-01'", "DATETIME '2024-01-01'", "TIMESTAMP '2024-01-01 00:00:00+00'"]
)
def test_a_table_is_divided_by_each_of_them(client: bigquery.Client, dataset: str, value: str) -> None:
    write(client, dataset, f"SELECT {value} AS d", time_partitioning=bigquery.TimePartitioning(field="d"))


@pytest.mark.parametrize("value", ["1.5", "b'x'", "JSON '1'", "[1]", "STRUCT(1 AS a)"])
def test_a_table_is_not_sorted_by_what_has_no_order(
    client: bigquery.Client, dataset: str, value: str
) -> None:
    with pytest.raises(BadRequest, match=r"Clustering is not supported on fields of type .* field: c"):
        write(client, dataset, f"SELECT {value} AS c", clustering_fields=["c"])


def test_a_table_is_sorted_by_the_rest(client: bigquery.Client, dataset: str) -> None:
    sql = "SELECT 'x' AS a, 1 AS b, TRUE AS c, NUMERIC '1' AS d"
    write(client, dataset, sql, clustering_fields=["a", "b", "c", "d"])


def test_a_copy_takes_its_sources_layout(client: bigquery.Client, dataset: str) -> None:
    write(client, dataset, "SELECT DATE '2024-01-01' AS d", clustering_fields=["d"])
    table = f"{client.project}.{dataset}.laid_out"
    client.copy_table(table, f"{table}_again").result()
    assert client.get_table(f"{table}_again").clustering_fields == ["d"]


@pytest.mark.parametrize("value", ["[1]", "STRUCT(1 AS a)", "[STRUCT(1 AS a)]"])
def test_what_is_nested_is_no_csv(client: bigquery.Client, dataset: str, value: str) -> None:
    write(client, dataset, f"SELECT {value} AS n")
    table = f"{client.project}.{dataset}.laid_out"
    with pytest.raises(BadRequest, match="nested schema"):
        client.extract_table(table, "gs://layouts/n.csv").result()
    json = bigquery.ExtractJobConfig(destination_format="NEWLINE_DELIMITED_JSON")  # type: ignore[no-untyped-call]
    client.extract_table(table, "gs://layouts/n.json", job_config=json).result()
