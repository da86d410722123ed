"""Files come in once and go out, through the functions themselves, whoever dies or comes twice."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import pyarrow  # type: ignore[import-untyped]
import pytest
import yaml
from pyarrow import orc

from common.runs.ports import StepJob
from common.warehouse.jobs import ExecutorJobs
from common.wiring import ADAPTERS
from local.platform import OPEN_BUCKET
from tests.functional.environment import THEIRS
from tests.functional.site import Site, Tenant, numbered, steps_of
from tests.functional.test_credential_steps import (
    Customer,
    customer_of_module,  # noqa: F401 - a fixture
    shared_customer,  # noqa: F401 - a fixture
)

TEMPLATES = Path(__file__).parents[2] / "ps_templates"
HEADER = "id,region\n"
SCHEMA = [{"name": "id", "type": "INT64"}, {"name": "region", "type": "STRING"}]
ADMISSION_AND_STATUS = 2
"""Queries that every run takes, and the look at its end."""


class Killed(BaseException):
    """The function's process dies: nothing in the code may catch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """A folder of files, and the pipeline and the table that have its name."""

    tenant: Tenant
    name: str

    @property
    def folder(self) -> Path:
        """The folder, in the bucket that is open to all."""
        return self.tenant.files / self.name

    def uri(self, name: str) -> str:
        return f"gs://{OPEN_BUCKET}/{self.tenant.tenant_id}/{self.name}/{name}"

    def put(self, name: str, *rows: str) -> None:
        put(self.folder, name, *rows)

    def upload(self, **config: Any) -> None:
        """Upload the pipeline of one load."""
        self.save(a_file({"uris": self.uri("*.csv"), "target_table": self.name} | config))

    def save(self, text: str) -> None:
        answer = self.tenant.upload(self.name, text)
        assert answer.status_code < 300, answer.text

    def run(self, body: Any = None) -> dict[str, Any]:
        run_id = self.tenant.run(self.name, body)
        self.tenant.site.drain()
        return self.tenant.status(run_id)

    def completed(self, body: Any = None) -> dict[str, Any]:
        status = self.run(body)
        assert (status["status"], status["error_message"]) == ("COMPLETED", None)
        return status

    def ids(self, table: str = "") -> list[int]:
        rows = self.tenant.site.rows(f"SELECT id FROM {self.table(table)} ORDER BY id")
        return [row["id"] for row in rows]

    def table(self, name: str = "") -> str:
        return f"{self.tenant.tenant_id}.{name or self.name}"

    def ledger(self) -> list[str]:
        """List the files that were loaded."""
        rows = self.tenant.site.rows(
            f"SELECT uri FROM {self.table('_cvg_loaded_files')} WHERE state = 'LOADED'"
            f" AND STARTS_WITH(uri, '{self.uri('')}') ORDER BY uri"
        )
        return [row["uri"].rpartition("/")[2] for row in rows]


@pytest.fixture(scope="session")
def names() -> Iterator[str]:
    """Give each test names of its own."""
    return numbered("orders")


@pytest.fixture
def orders(shared_tenant: Tenant, names: Iterator[str]) -> Orders:
    """Make a place for files of this test's own."""
    made = Orders(tenant=shared_tenant, name=next(names))
    made.folder.mkdir(parents=True)
    return made


def put(folder: Path, name: str, *rows: str) -> None:
    (folder / name).write_text(HEADER + "".join(f"{row}\n" for row in rows))


def a_file(config: dict[str, Any]) -> str:
    """Write a pipeline of one load."""
    load = {"format": "csv", "header_rows": 1, "schema": SCHEMA} | config
    return a_pipeline(
        {
            "id": "take_in",
            "ps_type": "bq_etl.load",
            "config": load,
            "retry": {"attempts": 3, "backoff_seconds": 0},
        }
    )


def a_pipeline(*steps: dict[str, Any], **document: Any) -> str:
    return json.dumps({"pipeline": {"name": "Files"}, "steps": [*steps]} | document)


# What two runs take of folders whose files change between them


BY_DAY = {
    "mode": "replace_partition",
    "partition": "${date}",
    "partitioning": {"field": "day"},
    "schema": [{"name": "id", "type": "INT64"}, {"name": "day", "type": "DATE"}],
}
CHANGING: dict[str, tuple[str, dict[str, Any]]] = {
    "fresh": ("*.csv", {}),
    "mended": ("*.csv", {}),
    "all_files": ("*.csv", {"mode": "all"}),
    "by_day": ("${date:%Y%m%d}-*.csv", BY_DAY),
}
"""By the step, its folder and its table: which files it takes, and the rest of its config."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoRuns:
    """What is told of the steps of two runs, and what the first had loaded."""

    folders: Mapping[str, Orders]
    first: Mapping[str, dict[str, Any]]
    ids_of_first: Mapping[str, list[int]]
    second: Mapping[str, dict[str, Any]]


@pytest.fixture(scope="module")
def two_runs(site: Site, tenant_of_module: Tenant) -> TwoRuns:
    """Let one pipeline load each folder, and load it again once its files have changed."""
    site.drain()
    folders = {name: Orders(tenant=tenant_of_module, name=name) for name in CHANGING}
    for orders in folders.values():
        orders.folder.mkdir(parents=True)
    steps = []
    for name, (files, config) in CHANGING.items():
        load = {"uris": folders[name].uri(files), "target_table": name, "format": "csv", "header_rows": 1}
        steps.append({"id": name, "ps_type": "bq_etl.load", "config": load | {"schema": SCHEMA} | config})
    pipeline = Orders(tenant=tenant_of_module, name="changing")
    pipeline.save(a_pipeline(*steps))
    folders["fresh"].put("a.csv", "1,eu", "2,us")
    folders["mended"].put("a.csv", "one,eu")
    folders["all_files"].put("a.csv", "1,eu")
    folders["by_day"].put("20260131-orders.csv", "2,2026-01-31")
    first = steps_of(pipeline.run({"date": "2026-01-31"}))
    ids_of_first = {name: folders[name].ids() for name in ("fresh", "all_files")}
    folders["fresh"].put("b.csv", "3,eu")
    folders["mended"].put("a.csv", "1,eu")
    (folders["all_files"].folder / "a.csv").unlink()
    folders["all_files"].put("b.csv", "2,us")
    site.rows(f"INSERT INTO {folders['by_day'].table()} (id, day) VALUES (1, DATE '2026-01-30')")
    folders["by_day"].put("20260130-orders.csv", "3,2026-01-30")
    second = steps_of(pipeline.run({"date": "2026-01-30"}))
    return TwoRuns(folders=folders, first=first, ids_of_first=ids_of_first, second=second)


def has_completed(step: Mapping[str, Any]) -> bool:
    return (step["status"], step["error_message"]) == ("COMPLETED", None)


def test_new_files_are_loaded_run_by_run(two_runs: TwoRuns) -> None:
    fresh = two_runs.folders["fresh"]
    assert has_completed(two_runs.first["fresh"]), two_runs.first
    assert has_completed(two_runs.second["fresh"]), two_runs.second
    assert two_runs.ids_of_first["fresh"] == [1, 2]
    assert fresh.ids() == [1, 2, 3]
    assert fresh.ledger() == ["a.csv", "b.csv"]


def test_a_bad_file_fails_the_step_and_its_mended_version_is_new(two_runs: TwoRuns) -> None:
    failed = two_runs.first["mended"]
    assert failed["status"] == "FAILED"
    assert "Error while reading data" in failed["error_message"]
    assert has_completed(two_runs.second["mended"]), two_runs.second
    assert two_runs.folders["mended"].ids() == [1]


def test_one_partition_is_replaced_by_the_files_of_a_day(two_runs: TwoRuns) -> None:
    assert has_completed(two_runs.first["by_day"]), two_runs.first
    assert has_completed(two_runs.second["by_day"]), two_runs.second
    assert two_runs.folders["by_day"].ids() == [2, 3]


def test_all_files_replace_the_table_each_time(two_runs: TwoRuns) -> None:
    assert has_completed(two_runs.first["all_files"]), two_runs.first
    assert has_completed(two_runs.second["all_files"]), two_runs.second
    assert two_runs.ids_of_first["all_files"] == [1]
    assert two_runs.folders["all_files"].ids() == [2]


# Whose process dies


def test_files_of_a_run_that_dies_once_its_load_is_made_are_left_to_another_and_loaded_once(
    site: Site, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.put("a.csv", "1,eu")
    orders.upload()
    orders.tenant.run(orders.name)
    (message,) = site.take_levels()
    with monkeypatch.context() as patched:
        patched.setattr(ExecutorJobs, "_started", dying_after(ExecutorJobs._started))
        with pytest.raises(Killed):
            site.deliver(message)
    orders.put("b.csv", "2,us")
    with monkeypatch.context() as patched:
        patched.setattr("common.runs.files.PATIENCE", timedelta(0))
        orders.completed()
        assert orders.ids() == [1, 2]
        site.deliver_until_acknowledged(message)
        site.drain()
    orders.completed()
    assert orders.ids() == [1, 2]
    assert set(orders.ledger()) == {"a.csv", "b.csv"}


def dying_after(call: Callable[..., Any]) -> Callable[..., Any]:
    def die(*arguments: Any) -> Any:
        call(*arguments)
        raise Killed

    return die


# How files are read


def of_text(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text)

    return write


def a_parquet_file(path: Path) -> None:
    duckdb.sql(f"COPY (SELECT 1 AS id) TO '{path}' (FORMAT parquet)")


def an_avro_file(path: Path) -> None:
    record = {"type": "record", "name": "row", "fields": [{"name": "id", "type": "long"}]}
    with path.open("wb") as file:
        fastavro.writer(file, record, [{"id": 1}])


def an_orc_file(path: Path) -> None:
    orc.write_table(pyarrow.table({"id": [1]}), path)


CSV = {"format": "csv", "schema": SCHEMA}
OF_ITS_OWN_MARKS = {"header_rows": 1, "delimiter": ";", "quote": "'", "null_marker": "-"}
LENIENT = {"header_rows": 1, "delimiter": "\t", "encoding": "ISO-8859-1", "max_bad_records": 1}
READINGS: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "json": (of_text('{"id": 1, "region": "eu"}\n'), {"format": "json", "schema": SCHEMA}),
    "json_that_adds_columns": (of_text('{"id": 1}\n'), {"format": "json", "schema_update": "add_columns"}),
    "csv_of_its_own_marks": (of_text("id;region\n1;'e;u'\n"), CSV | OF_ITS_OWN_MARKS),
    "csv_with_a_bad_record": (of_text("id\tregion\n1\te\nx\tu\n"), CSV | LENIENT),
    "csv_whose_header_nobody_counts": (of_text("1,eu\n"), CSV),
    "csv_whose_header_is_found_out": (of_text("id,region\n1,eu\n"), {"format": "csv"}),
    "parquet": (a_parquet_file, {"format": "parquet"}),
    "avro": (an_avro_file, {"format": "avro"}),
    "orc": (an_orc_file, {"format": "orc"}),
}
"""By the step that reads it, and its table: a file whose one row has the ID 1, and the step's config."""


SHOP: list[dict[str, Any]] = [
    {"name": "id", "type": "INT64", "mode": "REQUIRED", "description": "The order's number."},
    {"name": "address", "type": "STRUCT", "fields": [{"name": "city", "type": "STRING", "mode": "REQUIRED"}]},
    {
        "name": "items",
        "type": "STRUCT",
        "mode": "REPEATED",
        "fields": [{"name": "sku", "type": "STRING"}, {"name": "tags", "type": "STRING", "mode": "REPEATED"}],
    },
]
ZIP = {"name": "zip", "type": "STRING"}


def deep(levels: int) -> dict[str, Any]:
    """Return a column of STRUCTs in STRUCTs."""
    column: dict[str, Any] = {"name": "leaf", "type": "INT64"}
    for _ in range(levels):
        column = {"name": "deeper", "type": "STRUCT", "fields": [column]}
    return column


def a_deep_row(levels: int) -> str:
    return '{"id": 1, ' + '"deeper": {' * levels + '"leaf": 7' + "}" * levels + "}\n"


AN_ORDER = {"id": 1, "address": {"city": "x"}, "items": [{"sku": "a", "tags": ["b", "c"]}]}
NESTED: dict[str, tuple[str, dict[str, Any]]] = {
    "nested": (json.dumps(AN_ORDER) + "\n", {"schema": SHOP, "clustering": ["id"]}),
    "nested_and_checked": (json.dumps(AN_ORDER) + "\n", {"schema": SHOP}),
    "fifteen_levels": (a_deep_row(15), {"schema": [*SCHEMA, deep(15)]}),
    "wider": (
        '{"id": 2, "address": {"city": "y", "zip": "1"}, "items": [{"zip": "2"}]}\n',
        {
            "schema": [
                SHOP[0],
                SHOP[1] | {"fields": [*SHOP[1]["fields"], ZIP]},
                SHOP[2] | {"fields": [*SHOP[2]["fields"], ZIP]},
            ],
            "schema_update": "add_columns",
            "target_table": "nested",
        },
    ),
    "unknown_field": (
        '{"id": 3, "address": {"city": "x", "county": "y"}}\n',
        {"schema": SHOP, "target_table": "nested"},
    ),
}
"""By the step, and its table where it names none: a file of JSON, and the step's config."""
AFTER = {"wider": {"depends_on": ["nested"]}, "unknown_field": {"depends_on": ["wider"]}}


def a_nested_step(readings: Orders, step_id: str) -> dict[str, Any]:
    config = {"uris": readings.uri(step_id), "target_table": step_id, "format": "json"} | NESTED[step_id][1]
    checks = [{"type": "not_null", "column": "id"}] if step_id == "nested_and_checked" else []
    step = {"id": step_id, "ps_type": "bq_etl.load", "config": config, "on_failure": "continue"}
    return step | AFTER.get(step_id, {}) | ({"checks": checks} if checks else {})


LEDGER = {
    "id": "which_files",
    "ps_type": "bq_etl.query",
    "config": {
        "source_query": "SELECT uri FROM _cvg_loaded_files WHERE state = 'LOADED'",
        "target_table": "which_files",
    },
    "depends_on": ["nested"],
}


@pytest.fixture(scope="module")
def steps_that_read(site: Site, tenant_of_module: Tenant) -> Mapping[str, dict[str, Any]]:
    """Let one run read all files, and return what is told of its steps."""
    site.drain()
    readings = Orders(tenant=tenant_of_module, name="readings")
    readings.folder.mkdir(parents=True)
    for step_id, (write, _) in READINGS.items():
        write(readings.folder / step_id)
    for step_id, (text, _) in NESTED.items():
        (readings.folder / step_id).write_text(text)
    readings.save(
        a_pipeline(
            *(
                {
                    "id": step_id,
                    "ps_type": "bq_etl.load",
                    "config": {"uris": readings.uri(step_id), "target_table": step_id} | config,
                }
                for step_id, (_, config) in READINGS.items()
            ),
            *(a_nested_step(readings, step_id) for step_id in NESTED),
            LEDGER,
        )
    )
    return steps_of(readings.run())


@pytest.mark.parametrize("step_id", READINGS)
def test_a_file_is_read_as_the_step_says(
    tenant_of_module: Tenant, steps_that_read: Mapping[str, dict[str, Any]], step_id: str
) -> None:
    step = steps_that_read[step_id]
    assert (step["status"], step["error_message"]) == ("COMPLETED", None)
    assert Orders(tenant=tenant_of_module, name=step_id).ids() == [1]


def test_nested_columns_are_read_and_new_fields_of_them_added(
    site: Site, tenant_of_module: Tenant, steps_that_read: Mapping[str, dict[str, Any]]
) -> None:
    loaded = ("nested", "nested_and_checked", "fifteen_levels", "wider")
    assert [steps_that_read[step_id]["error_message"] for step_id in loaded] == [None] * 4
    tenant = tenant_of_module.tenant_id
    assert site.rows(f"SELECT * FROM {tenant}.nested_and_checked") == [AN_ORDER]
    assert site.rows(f"SELECT id, address.zip, items FROM {tenant}.nested ORDER BY id") == [
        {"id": 1, "zip": None, "items": [{"sku": "a", "tags": ["b", "c"], "zip": None}]},
        {"id": 2, "zip": "1", "items": [{"sku": None, "tags": [], "zip": "2"}]},
    ]
    deeper = ".".join(["deeper"] * 15)
    assert site.rows(f"SELECT {deeper}.leaf AS leaf FROM {tenant}.fifteen_levels") == [{"leaf": 7}]
    tables = tenant_of_module.call("GET", "/api/v1/pipelines/tables").get_json()["tables"]
    (columns,) = [one["columns"] for one in tables if one["table"] == "nested"]
    assert (columns[0]["mode"], columns[0]["description"]) == ("REQUIRED", "The order's number.")
    fields = [(one["name"], one["mode"]) for one in columns[1]["fields"]]
    assert fields == [("city", "REQUIRED"), ("zip", "NULLABLE")]


def test_a_field_that_no_struct_has_is_told_by_its_path(
    steps_that_read: Mapping[str, dict[str, Any]],
) -> None:
    step = steps_that_read["unknown_field"]
    assert (step["status"], step["error_class"]) == ("FAILED", "your_data")
    assert "No such field: address.county." in step["error_message"]


def test_a_tenant_reads_which_files_were_loaded(
    site: Site, tenant_of_module: Tenant, steps_that_read: Mapping[str, dict[str, Any]]
) -> None:
    assert has_completed(steps_that_read["which_files"]), steps_that_read
    nested = f"gs://{OPEN_BUCKET}/{tenant_of_module.tenant_id}/readings/nested"
    assert {"uri": nested} in site.rows(f"SELECT uri FROM {tenant_of_module.tenant_id}.which_files")


# What goes out


def test_what_is_handed_out_comes_in_again(site: Site, orders: Orders) -> None:
    site.rows(f"CREATE TABLE {orders.table()} AS SELECT 1 AS id UNION ALL SELECT 2")
    steps = []
    for form in ("parquet", "json"):
        files = {"uris": orders.uri(f"out-*.{form}"), "format": form}
        out = files | {"source_table": orders.name}
        back = files | {"target_table": f"again_from_{form}"}
        steps += [
            {"id": f"out_{form}", "ps_type": "bq_etl.extract", "config": out},
            {"id": f"back_{form}", "ps_type": "bq_etl.load", "depends_on": [f"out_{form}"], "config": back},
        ]
    orders.save(a_pipeline(*steps))
    orders.completed()
    assert [orders.ids(f"again_from_{form}") for form in ("parquet", "json")] == [[1, 2], [1, 2]]


def an_extract(orders: Orders, query: str) -> str:
    """Write a pipeline that hands out the rows of a query."""
    extract = {"source_query": query, "uris": orders.uri("out-*.json"), "format": "json"}
    step = {"id": "out", "ps_type": "bq_etl.extract", "config": extract}
    return a_pipeline(step | {"retry": {"attempts": 3, "backoff_seconds": 0}})


def handed_out(orders: Orders) -> list[Any]:
    paths = orders.folder.glob("out-*")
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_the_rows_of_a_query_are_handed_out_by_a_table_that_expires(orders: Orders) -> None:
    orders.save(an_extract(orders, "SELECT ${date} AS d, n FROM UNNEST([1, 2]) AS n WHERE n > 1"))
    done = orders.completed({"date": "2026-03-01"})
    assert handed_out(orders) == [{"d": "2026-03-01", "n": "2"}]
    candidate = f"_cvg_{done['pipeline_logging_id']}_out"
    assert candidate not in orders.tenant.call("GET", "/api/v1/pipelines/tables").text
    left = ADAPTERS.platform_client.get_table(orders.table(candidate))
    assert left.expires
    assert left.expires < datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize("job", ["rows", "main"])
def test_an_extract_that_dies_once_its_query_is_made_hands_out_what_that_found(
    site: Site, orders: Orders, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    site.rows(f"CREATE TABLE {orders.table()} AS SELECT 1 AS id")
    orders.save(an_extract(orders, f"SELECT COUNT(*) AS n FROM {orders.name}"))
    orders.tenant.run(orders.name)
    (message,) = site.take_levels()
    started = ExecutorJobs._started

    def die(jobs: ExecutorJobs, asked: StepJob) -> Any:
        made = started(jobs, asked)
        if asked.work.name == job:
            raise Killed
        return made

    with monkeypatch.context() as patched:
        patched.setattr(ExecutorJobs, "_started", die)
        with pytest.raises(Killed):
            site.deliver(message)
    site.rows(f"INSERT INTO {orders.table()} (id) VALUES (2)")
    for _ in range(2):
        site.deliver_until_acknowledged(message)
    site.drain()
    assert [int(row["n"]) for row in handed_out(orders)] == [1]


@pytest.mark.parametrize("name", ["load", "extract"])
def test_the_example_of_the_type_runs_as_it_stands(shared_tenant: Tenant, name: str) -> None:
    text = (TEMPLATES / "bq_etl" / name / "example.yml").read_text(encoding="utf-8")
    example = Orders(tenant=shared_tenant, name=yaml.safe_load(text)["pipeline"]["id"])
    saved = shared_tenant.upload(example.name, text)
    assert (saved.status_code, saved.get_json()["warnings"]) == (201, [])
    example.completed({"date": "2026-03-01"})
    if name == "load":
        found = shared_tenant.site.rows(
            f"SELECT region, orders FROM {example.table('sales_by_region')} ORDER BY region"
        )
        assert [tuple(row.values()) for row in found] == [("eu", 2), ("us", 1)]
    else:
        folder = shared_tenant.site.buckets / OPEN_BUCKET / "sales/2026/03/01"
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["eu-000000000000.json", "sales-000000000000.csv.gz"]


def test_a_load_reads_its_ledger_once_and_takes_its_files_by_one_insert(site: Site, orders: Orders) -> None:
    orders.put("a.csv", "1,eu")
    orders.upload()
    counts = site.bigquery.counts
    counts.reset()
    orders.completed()
    assert counts.jobs("cvg-step-") == 2
    assert counts.jobs("cvg-files-") == 1
    assert counts.jobs() - counts.jobs("cvg-") - ADMISSION_AND_STATUS == 1
    assert counts.dry_runs == 0


# Whose files


def test_a_bucket_opens_with_the_operators_word_and_only_that_path(site: Site, shared_tenant: Tenant) -> None:
    tenant = shared_tenant
    folder = site.buckets / "partner-files" / "in"
    folder.mkdir(parents=True, exist_ok=True)
    put(folder, "a.csv", "7,eu")
    partners = Orders(tenant=tenant, name="partners")
    load = {"uris": "gs://partner-files/in/*.csv", "target_table": partners.name}
    assert "/steps/0/config/uris" in tenant.upload(partners.name, a_file(load)).text
    path = f"/admin/tenants/{tenant.tenant_id}/sources"
    assert site.admin("PUT", path, {"sources": ["gs://partner-files/in"]}).status_code == 200
    partners.save(a_file(load))
    above = load | {"uris": "gs://partner-files/*.csv"}
    assert tenant.upload("above", a_file(above)).status_code == 422
    partners.completed()
    assert partners.ids() == [7]


LEADING_OUT = {
    "beside": "../victim",
    "above": "..",
    "beside_from_below": "a/../../victim",
    "any": "*",
    "two_lines": "x\ny",
    "any_letter": "[a-z]",
    "nothing": "",
}


@pytest.fixture(scope="module")
def steps_led_out(site: Site, tenant_of_module: Tenant) -> Mapping[str, dict[str, Any]]:
    """Let one run have all values, a step each, and return what is told of its steps."""
    site.drain()
    orders = Orders(tenant=tenant_of_module, name="led_out")
    orders.folder.mkdir(parents=True)
    put(orders.folder, "secret.csv", "9,eu")
    orders.save(
        a_pipeline(
            *(
                {
                    "id": name,
                    "ps_type": "bq_etl.load",
                    "config": CSV | {"uris": orders.uri(f"${{{name}}}/*.csv"), "target_table": name},
                }
                for name in LEADING_OUT
            ),
            parameters={name: {"type": "STRING", "required": True} for name in LEADING_OUT},
        )
    )
    return steps_of(orders.run({"parameters": LEADING_OUT}))


@pytest.mark.parametrize("name", LEADING_OUT)
def test_no_value_of_a_parameter_leads_out_of_the_path(
    steps_led_out: Mapping[str, dict[str, Any]], name: str
) -> None:
    step = steps_led_out[name]
    assert step["status"] == "FAILED"
    assert "names gs://" in step["error_message"]


def test_a_credentials_account_reads_its_own_buckets_and_no_others(
    site: Site,
    orders: Orders,
    shared_customer: Customer,  # noqa: F811
) -> None:
    for bucket, reader in (
        ("customer-files", shared_customer.account),
        ("closed-files", "nobody@example.com"),
    ):
        folder = site.buckets / bucket
        folder.mkdir(exist_ok=True)
        put(folder, "a.csv", "5,eu")
        (folder / ".readers").write_text(reader)
    required = [SCHEMA[0] | {"mode": "REQUIRED"}, SCHEMA[1]]
    load = CSV | {"header_rows": 1, "credential": "my-gcp", "schema": required}
    orders.save(
        a_pipeline(
            *(
                {
                    "id": bucket,
                    "ps_type": "bq_etl.load",
                    "config": load | {"uris": f"gs://{bucket}-files/*.csv", "target_table": bucket},
                }
                for bucket in ("customer", "closed")
            )
        )
    )
    done = orders.run()
    steps = steps_of(done)
    assert (steps["customer"]["status"], orders.ids("customer")) == ("COMPLETED", [5])
    path = f"/api/v1/pipelines/runs/{done['pipeline_logging_id']}/receipt"
    receipt = shared_customer.tenant.call("GET", path).get_json()
    projects = {one["job_project"] for one in receipt["attempts"] if one["step_id"] == "customer"}
    assert projects == {THEIRS}
    assert steps["closed"]["status"] == "FAILED"
    assert "storage.objects.list" in steps["closed"]["error_message"]


def test_the_ledger_is_written_by_no_step_of_the_tenants(shared_tenant: Tenant) -> None:
    config = {"source_query": "SELECT 1 AS n", "target_table": "_cvg_loaded_files"}
    step = {"id": "a", "ps_type": "bq_etl.query", "config": config}
    answer = shared_tenant.upload("ledger", a_pipeline(step))
    assert answer.status_code == 422
    assert "must not be a table of the platform" in answer.text
