"""Steps that load files, and hand them out: what their config becomes, and what it may not say."""

import json
from dataclasses import replace
from typing import Any

import pytest

from common.pipelines.candidates import in_run
from common.pipelines.codec import from_json, to_json
from common.pipelines.documents import read_document
from common.pipelines.plans import (
    Column,
    ExtractJob,
    FileFormat,
    FilesLoadedJob,
    LoadJob,
    LoadMode,
    QueryJob,
    SchemaUpdate,
    WriteDisposition,
)
from tests.unit.pipelines.examples import compiled, violations_of

LOAD: dict[str, Any] = {"uris": "gs://acme-files/*.csv", "format": "csv", "target_table": "orders"}
EXTRACT: dict[str, Any] = {"uris": "gs://acme-files/*.csv", "format": "csv", "source_table": "orders"}
OF_A_DAY = {"mode": "replace_partition", "partition": "${date}", "partitioning": {"field": "d"}}


def document(ps_type: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    step = {"id": "a", "ps_type": ps_type, "config": config}
    return {"pipeline": {"name": "Files"}, "steps": [step], **more}


def jobs(ps_type: str, config: dict[str, Any]) -> tuple[Any, ...]:
    return compiled(document(ps_type, config)).steps[0].jobs


def test_a_load_adds_new_files_and_notes_them() -> None:
    load, note = jobs("bq_etl.load", LOAD | {"header_rows": 1, "delimiter": ";", "quoted_newlines": True})
    assert load == LoadJob(
        uris=("gs://acme-files/*.csv",),
        format=FileFormat.CSV,
        destination="orders",
        mode=LoadMode.NEW_FILES,
        write_disposition=WriteDisposition.APPEND,
        header_rows=1,
        delimiter=";",
        has_quoted_newlines=True,
    )
    assert note == FilesLoadedJob(destination="orders")


def test_a_load_of_a_partition_replaces_it() -> None:
    schema = [{"name": "d", "type": "DATE"}, {"name": "n", "type": "INT64", "mode": "REQUIRED"}]
    load, note = jobs("bq_etl.load", LOAD | OF_A_DAY | {"schema": schema, "schema_update": "relax"})
    assert (load.write_disposition, load.partition) == (WriteDisposition.TRUNCATE, "${date}")
    assert load.columns == (
        Column(name="d", type="DATE"),
        Column(name="n", type="INT64", mode="REQUIRED"),
    )
    assert load.schema_update == (SchemaUpdate.RELAX,)
    assert note.partition == "${date}"


@pytest.mark.parametrize("disposition", [None, "WRITE_APPEND", "WRITE_EMPTY"])
def test_a_load_of_all_files_writes_as_it_says(disposition: str | None) -> None:
    config = LOAD | {"mode": "all"} | ({"write_disposition": disposition} if disposition else {})
    load, _ = jobs("bq_etl.load", config)
    assert load.write_disposition == (disposition or "WRITE_TRUNCATE")


def test_an_extract_reads_its_table_and_writes_its_files() -> None:
    (extract,) = jobs("bq_etl.extract", EXTRACT | {"compression": "GZIP", "header": False})
    assert extract == ExtractJob(
        source="orders", uris=("gs://acme-files/*.csv",), compression="GZIP", has_header=False
    )


def test_an_extract_of_a_query_hands_its_rows_from_job_to_job() -> None:
    config = {"uris": "gs://acme-files/*.json", "format": "json", "maximum_bytes_billed": 20_971_520}
    query = {"source_query": "SELECT * FROM orders WHERE d = ${date}"}
    rows, extract = jobs("bq_etl.extract", config | query)
    assert rows == QueryJob(
        name="rows",
        sql="SELECT * FROM orders WHERE d = @date",
        destination="_cvg_candidate",
        is_temporary=True,
        write_disposition=WriteDisposition.EMPTY,
        parameters=("date",),
        maximum_bytes_billed=20_971_520,
    )
    assert extract == ExtractJob(
        source="_cvg_candidate", uris=("gs://acme-files/*.json",), format=FileFormat.JSON
    )
    run_id = "00000000-0000-0000-0000-000000000001"
    handed: Any = in_run(extract, run_id, "a")
    assert in_run(rows, run_id, "a").destination == handed.source
    named_so = replace(extract, source="my_cvg_candidate")
    assert in_run(named_so, run_id, "a") == named_so


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"uris": []}, "/uris: "),
        ({"uris": ["gs://acme-files/a", "gs://victim-files/a"]}, "/uris/1: step a names gs://victim-files/a"),
        ({"uris": "gs://acme-files/${region}"}, "/uris: has ${region}, and no parameter"),
        ({"uris": "gs://acme-files/a/../b"}, "no . or .."),
        ({"write_disposition": "WRITE_TRUNCATE"}, "/write_disposition: goes with mode: all"),
        ({"partition": "${date}"}, "/partition: goes with mode: replace_partition"),
        ({"mode": "replace_partition"}, "/mode: replace_partition needs /partition"),
        ({"mode": "replace_partition", "partition": "${date}"}, "/partitioning, too"),
        (OF_A_DAY | {"partition": "soon"}, "/partition: must be a partition"),
        ({"target_table": "orders$20260131"}, "/target_table: names a partition ($)"),
        ({"target_table": "victim.orders"}, "/target_table: must be in your own dataset"),
        ({"target_table": "_cvg_loaded_files"}, "/target_table: must not be a table of the platform"),
        ({"mode": "all", "schema_update": "add_columns"}, "/schema_update: is for rows that are added"),
        ({"format": "avro", "header_rows": 1}, "/header_rows: is for csv files alone"),
        ({"format": "json", "delimiter": ";"}, "/delimiter: is for csv files alone"),
        ({"delimiter": ";", "quote": ";"}, "/quote: is the delimiter, too"),
        ({"quote": ","}, "/quote: is the delimiter, too"),
        ({"delimiter": '"'}, "/delimiter: is the quote, too"),
        ({"delimiter": ";;"}, "/delimiter: must be one character, or \\t for a tab"),
        ({"delimiter": ""}, "/delimiter: must be one character, or \\t for a tab"),
        ({"format": "orc", "encoding": "UTF-8"}, "/encoding: is for csv and json files alone"),
        ({"format": "xml"}, "/format: "),
        ({"credential": "my-gcp"}, "/credential: needs /schema"),
        ({"credential": "my-gcp", "schema_update": "relax"}, "/schema_update: must be left out"),
        (OF_A_DAY | {"credential": "my-gcp"}, "/partition: cannot name a partition beside a credential"),
    ],
)
def test_what_a_load_may_not_say_is_told(changes: dict[str, Any], told: str) -> None:
    found = violations_of(document("bq_etl.load", LOAD | changes))
    assert any(told in violation for violation in found), found


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"uris": "gs://victim-files/a-*.csv"}, "/uris: step a names gs://victim-files/a-*.csv"),
        ({"source_table": "victim.orders"}, "/source_table: "),
        ({"source_table": None}, "/source_table: is required, or source_query"),
        ({"source_query": "SELECT 1 AS a"}, "/source_table: stands beside /source_query"),
        ({"maximum_bytes_billed": 20_971_520}, "/maximum_bytes_billed: goes with source_query"),
        (
            {"source_table": None, "source_query": "SELECT * FROM victim.t"},
            "/source_query: step a reads victim.t",
        ),
        ({"source_table": None, "source_query": "SELECT 1; DROP TABLE t"}, "/source_query: step a has more"),
        ({"source_table": None, "source_query": "DELETE FROM t WHERE TRUE"}, "/source_query: step a begins"),
        ({"source_table": None, "source_query": "SELECT ${nothing}"}, "/source_query: step a uses"),
        ({"source_table": "bigquery-public-data.samples.shakespeare"}, "must be in your own dataset"),
        ({"source_table": "tenant_comprehensive_view"}, "the platform's own views"),
        ({"compression": "ZSTD"}, "/compression: must be one of NONE, GZIP for csv files"),
        ({"format": "avro", "header": False}, "/header: is for csv files alone"),
        ({"format": "orc"}, "/format: "),
    ],
)
def test_what_an_extract_may_not_say_is_told(changes: dict[str, Any], told: str) -> None:
    config = {name: value for name, value in (EXTRACT | changes).items() if value is not None}
    found = violations_of(document("bq_etl.extract", config))
    assert any(told in violation for violation in found), found


def test_a_secret_is_no_part_of_a_name() -> None:
    secret = {"token": {"type": "STRING", "secret": True, "required": True}}
    found = violations_of(
        document("bq_etl.load", LOAD | {"uris": "gs://acme-files/${token}/*.csv"}, parameters=secret)
    )
    assert any("is secret" in violation for violation in found)


def test_a_step_that_reads_what_files_were_loaded_into_waits_for_it() -> None:
    read = {"source_query": "SELECT * FROM orders", "target_table": "copied"}
    steps = [
        {"id": "read", "ps_type": "bq_etl.query", "config": read},
        {"id": "load", "ps_type": "bq_etl.load", "config": LOAD},
        {"id": "more", "ps_type": "bq_etl.load", "config": LOAD | {"uris": "gs://acme-files/more.csv"}},
    ]
    pipeline = compiled({"pipeline": {"name": "Files"}, "steps": steps})
    assert [sorted(step.id for step in level) for level in pipeline.levels] == [["load", "more"], ["read"]]


# Columns in columns


JSON = {"uris": "gs://acme-files/*", "format": "json", "target_table": "t"}
INNER = {"name": "x", "type": "INT64"}


def struct(name: str, *fields: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "STRUCT", "fields": [*fields], **more}


def nested(levels: int) -> dict[str, Any]:
    column: dict[str, Any] = INNER
    for _ in range(levels):
        column = struct("s", column)
    return column


def test_columns_have_columns_fifteen_levels_deep_and_descriptions() -> None:
    place = struct("place", INNER | {"mode": "REPEATED"}, mode="REPEATED", description="Where it was.")
    load, _ = jobs("bq_etl.load", JSON | {"schema": [place, nested(15)]})
    inner = Column(name="x", type="INT64", mode="REPEATED")
    assert load.columns[0] == Column(
        name="place", type="STRUCT", mode="REPEATED", description="Where it was.", fields=(inner,)
    )
    assert from_json(LoadJob, json.loads(json.dumps(to_json(load)))) == load


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schema": [{"name": "a", "type": "STRUCT"}]}, "/schema/0/fields: is required: the fields of"),
        ({"schema": [struct("a")]}, "/schema/0/fields: must not be empty"),
        ({"schema": [INNER | {"fields": [INNER]}]}, "/schema/0/fields: goes with type: STRUCT"),
        ({"schema": [struct("a") | {"type": "RECORD"}]}, "STRUCT; did you mean STRUCT?"),
        ({"schema": [struct("a", INNER | {"type": "INTEGER"})]}, "/schema/0/fields/0/type: must be one of"),
        ({"schema": [INNER, INNER | {"name": "X"}]}, "/schema/1/name: is the name of /schema/0 already"),
        (
            {"schema": [struct("a", INNER, INNER | {"name": "X"})]},
            "/schema/0/fields/1/name: is the name of /schema/0/fields/0 already",
        ),
        ({"schema": [INNER | {"name": "_partitionDay"}]}, "/schema/0/name: must not begin with what"),
        ({"schema": [nested(16)]}, f"{'/fields/0' * 15}/type: is a STRUCT in 15 others"),
        (
            {"schema": [struct("s", *({"name": f"c{number}", "type": "DATE"} for number in range(10_000)))]},
            "/schema: must have at most 10,000 columns, those in STRUCTs counted; it has 10,001",
        ),
        ({"schema": [INNER | {"description": "a" * 1025}]}, "/schema/0/description: must have at most 1,024"),
        ({"format": "csv", "schema": [struct("a", INNER)]}, "/schema/0/type: must not be STRUCT: a CSV"),
        ({"format": "csv", "schema": [INNER | {"mode": "REPEATED"}]}, "/schema/0/mode: must not be REPEATED"),
        (
            {"schema": [INNER], "partitioning": {"field": "X"}},
            "/partitioning/field: must be a DATE, DATETIME",
        ),
        (
            {"schema": [struct("a", INNER)], "partitioning": {"field": "x"}, "mode": "all"},
            "/partitioning/field: must be a column of /schema, and no field of a STRUCT",
        ),
        (
            {"schema": [INNER | {"type": "DATE"}], "partitioning": {"field": "x", "type": "HOUR"}},
            "/partitioning/type: must not be HOUR",
        ),
        ({"schema": [struct("a", INNER)], "clustering": ["A"]}, "/clustering/0: must not be REPEATED in"),
        (
            {"schema": [struct("a", INNER)], "clustering": ["x"], "mode": "all"},
            "/clustering/0: must be a column of /schema, and no field of a STRUCT",
        ),
    ],
)
def test_columns_that_bigquery_does_not_take_are_told(changes: dict[str, Any], told: str) -> None:
    found = violations_of(document("bq_etl.load", JSON | changes))
    assert any(told in violation for violation in found), found


def test_all_columns_are_told_at_once_whatever_their_shape() -> None:
    wrong: list[Any] = [{"name": ["a"], "type": {}, "mode": 3, "fields": "x"}, 7, struct("b", INNER, INNER)]
    found = violations_of(document("bq_etl.load", JSON | {"schema": wrong, "clustering": "b"}))
    assert {violation.partition(": ")[0].removeprefix("/steps/0/config/") for violation in found} == {
        "clustering",
        "schema/0/fields",
        "schema/0/mode",
        "schema/0/name",
        "schema/0/type",
        "schema/1",
        "schema/2/fields/1/name",
    }


def test_what_a_table_may_have_beside_a_loads_columns_divides_and_sorts_it() -> None:
    layout = {"partitioning": {"field": "d"}, "clustering": ["k"]}
    assert jobs("bq_etl.load", JSON | layout | {"schema": [INNER]})


def test_texts_of_several_words_are_texts_as_others_are() -> None:
    text = """
pipeline: {name: Files}
steps:
  - id: a
    ps_type: bq_etl.load
    config:
      uris: "gs://acme-files/all orders/*.csv"
      format: csv
      target_table: t
      delimiter: " "
      null_marker: not known
      schema:
        - {name: id, type: INT64, description: "The number of the order."}
"""
    (step,) = compiled(read_document(text.encode(), None)).steps
    load: Any = step.jobs[0]
    assert (load.uris, load.delimiter, load.null_marker, load.columns[0].description) == (
        ("gs://acme-files/all orders/*.csv",),
        " ",
        "not known",
        "The number of the order.",
    )
