"""Files come in once and go out, through the functions themselves, whoever dies or comes twice."""

import json
from collections.abc import Callable
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
from tests.functional.site import Site, Tenant
from tests.functional.test_credential_steps import Customer, customer  # noqa: F401 - a fixture

TEMPLATES = Path(__file__).parents[2] / "ps_templates"
ORDERS = "id,region\n"
ADMISSION_AND_STATUS = 2
"""Queries that every run takes, and the look at its end."""


class Killed(BaseException):
    """The function's process dies: nothing in the code may catch it."""


@pytest.fixture
def folder(site: Site, tenant: Tenant) -> Path:
    """Make a place for files of this test's own in the bucket that is open to all."""
    made = site.buckets / OPEN_BUCKET / tenant.tenant_id
    made.mkdir(parents=True)
    return made


def put(folder: Path, name: str, *rows: str) -> None:
    (folder / name).write_text(ORDERS + "".join(f"{row}\n" for row in rows))


def a_file(tenant: Tenant, **config: Any) -> str:
    """Write a pipeline of one load."""
    schema = [{"name": "id", "type": "INT64"}, {"name": "region", "type": "STRING"}]
    load = {
        "uris": f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/*.csv",
        "format": "csv",
        "target_table": "orders",
        "header_rows": 1,
        "schema": schema,
    }
    step = {"id": "take_in", "ps_type": "bq_etl.load", "config": load | config}
    return json.dumps(
        {"pipeline": {"name": "Files"}, "steps": [step | {"retry": {"attempts": 3, "backoff_seconds": 0}}]}
    )


def upload(tenant: Tenant, **config: Any) -> None:
    answer = tenant.upload("files", a_file(tenant, **config))
    assert answer.status_code < 300, answer.text


def run(tenant: Tenant, body: Any = None) -> dict[str, Any]:
    run_id = tenant.run("files", body)
    tenant.site.drain()
    return tenant.status(run_id)


def orders(tenant: Tenant, table: str = "orders") -> list[int]:
    rows = tenant.site.rows(f"SELECT id FROM {tenant.tenant_id}.{table} ORDER BY id")
    return [row["id"] for row in rows]


def ledger(tenant: Tenant, state: str = "LOADED") -> list[str]:
    rows = tenant.site.rows(
        f"SELECT uri FROM {tenant.tenant_id}._cvg_loaded_files WHERE state = '{state}' ORDER BY uri"
    )
    return [row["uri"].rpartition("/")[2] for row in rows if row["uri"]]


def test_new_files_are_loaded_run_by_run_and_the_tenant_reads_which(tenant: Tenant, folder: Path) -> None:
    put(folder, "a.csv", "1,eu", "2,us")
    upload(tenant)
    first = run(tenant)
    assert (first["status"], first["error_message"]) == ("COMPLETED", None)
    assert orders(tenant) == [1, 2]
    put(folder, "b.csv", "3,eu")
    assert run(tenant)["status"] == "COMPLETED"
    assert run(tenant)["status"] == "COMPLETED"
    assert orders(tenant) == [1, 2, 3]
    assert ledger(tenant) == ["a.csv", "b.csv"]
    own = {"source_query": "SELECT uri FROM _cvg_loaded_files WHERE state = 'LOADED'", "target_table": "seen"}
    read = {"pipeline": {"name": "R"}, "steps": [{"id": "r", "ps_type": "bq_etl.query", "config": own}]}
    assert tenant.upload("files", json.dumps(read)).status_code < 300
    assert run(tenant)["status"] == "COMPLETED"


def test_a_level_that_comes_five_times_loads_once(site: Site, tenant: Tenant, folder: Path) -> None:
    put(folder, "a.csv", "1,eu")
    upload(tenant)
    tenant.run("files")
    (message,) = site.take_levels()
    for number in range(5):
        site.deliver_until_acknowledged(message)
        put(folder, f"late{number}.csv", f"{number + 2},us")
    assert orders(tenant) == [1]
    run(tenant)
    assert orders(tenant) == [1, 2, 3, 4, 5, 6]


CALLS: dict[str, tuple[str, bool]] = {
    "before the files are taken": ("files_of", False),
    "before the load is made": ("_load_config", False),
    "after a job is made": ("_started", True),
}


@pytest.mark.parametrize("which", CALLS)
@pytest.mark.parametrize("is_given_up", [False, True])
def test_a_run_that_dies_between_two_calls_loads_each_file_once(
    site: Site,
    tenant: Tenant,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    which: str,
    is_given_up: bool,
) -> None:
    put(folder, "a.csv", "1,eu")
    upload(tenant)
    run_id = tenant.run("files")
    (message,) = site.take_levels()
    method, is_after = CALLS[which]
    with monkeypatch.context() as patched:
        patched.setattr(ExecutorJobs, method, dying(getattr(ExecutorJobs, method), is_after=is_after))
        with pytest.raises(Killed):
            site.deliver(message)
    put(folder, "b.csv", "2,us")
    if is_given_up:
        tenant.call("POST", f"/api/v1/pipelines/cancel/{run_id}")
        monkeypatch.setattr("common.runs.files.PATIENCE", -common_patience())
        run(tenant)
        assert orders(tenant) == [1, 2]
    site.deliver_until_acknowledged(message)
    site.drain()
    monkeypatch.undo()
    run(tenant)
    assert orders(tenant) == [1, 2]
    assert ledger(tenant) == ["a.csv", "b.csv"]


def dying(call: Callable[..., Any], *, is_after: bool) -> Callable[..., Any]:
    def die(*arguments: Any) -> Any:
        if is_after:
            call(*arguments)
        raise Killed

    return die


def common_patience() -> Any:
    from common.runs.files import PATIENCE  # noqa: PLC0415 - as it is before the test changes it

    return PATIENCE


def test_a_bad_file_fails_the_step_and_its_mended_version_is_new(tenant: Tenant, folder: Path) -> None:
    put(folder, "a.csv", "one,eu")
    upload(tenant)
    failed = run(tenant)
    assert failed["status"] == "FAILED"
    assert "Error while reading data" in failed["error_message"]
    put(folder, "a.csv", "1,eu")
    assert run(tenant)["status"] == "COMPLETED"
    assert orders(tenant) == [1]


def test_one_partition_is_replaced_by_the_files_of_a_day(tenant: Tenant, folder: Path) -> None:
    schema = [{"name": "id", "type": "INT64"}, {"name": "day", "type": "DATE"}]
    upload(
        tenant,
        uris=f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/${{date:%Y%m%d}}-*.csv",
        mode="replace_partition",
        partition="${date}",
        partitioning={"field": "day"},
        schema=schema,
    )
    for day, number in (("2026-01-30", 1), ("2026-01-31", 2), ("2026-01-30", 3)):
        put(folder, f"{day.replace('-', '')}-orders.csv", f"{number},{day}")
        assert run(tenant, {"date": day})["status"] == "COMPLETED"
    assert orders(tenant) == [2, 3]
    missing = run(tenant, {"date": "2026-02-01"})
    assert (missing["status"], "no file matches" in missing["error_message"]) == ("FAILED", True)


def test_all_files_replace_the_table_each_time(tenant: Tenant, folder: Path) -> None:
    put(folder, "a.csv", "1,eu")
    upload(tenant, mode="all")
    run(tenant)
    put(folder, "b.csv", "2,us")
    (folder / "a.csv").unlink()
    assert run(tenant)["status"] == "COMPLETED"
    assert orders(tenant) == [2]


@pytest.mark.parametrize(
    ("config", "name", "text"),
    [
        ({"format": "json"}, "a.json", '{"id": 1, "region": "eu"}\n'),
        ({"format": "json", "schema_update": "add_columns"}, "a.json", '{"id": 1}\n'),
        ({"delimiter": ";", "quote": "'", "null_marker": "-"}, "a.csv", "id;region\n1;'e;u'\n"),
        (
            {"delimiter": "\t", "encoding": "ISO-8859-1", "max_bad_records": 1},
            "a.csv",
            "id\tregion\n1\te\nx\tu\n",
        ),
    ],
)
def test_files_are_read_as_the_step_says(
    tenant: Tenant, folder: Path, config: dict[str, Any], name: str, text: str
) -> None:
    (folder / name).write_text(text)
    changes = {"uris": f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/{name}"} | config
    if config.get("format") == "json":
        document = json.loads(a_file(tenant, **changes))
        for key in ("header_rows", *(["schema"] if "schema_update" not in config else [])):
            del document["steps"][0]["config"][key]
        assert tenant.upload("files", json.dumps(document)).status_code < 300
    else:
        upload(tenant, **changes)
    status = run(tenant)
    assert status["status"] == "COMPLETED", status["error_message"]
    assert orders(tenant) == [1]


@pytest.mark.parametrize("has_schema", [True, False])
def test_header_rows_that_nobody_counts_are_none_or_found_out(
    tenant: Tenant, folder: Path, has_schema: bool
) -> None:
    (folder / "a.csv").write_text("1,eu\n2,us\n" if has_schema else "id,region\n1,eu\n2,us\n")
    document = json.loads(a_file(tenant))
    config = document["steps"][0]["config"]
    for name in ("header_rows", *(() if has_schema else ("schema",))):
        del config[name]
    assert tenant.upload("files", json.dumps(document)).status_code == 201
    status = run(tenant)
    assert status["status"] == "COMPLETED", status["error_message"]
    assert orders(tenant) == [1, 2]


@pytest.mark.parametrize("form", ["parquet", "avro", "orc"])
def test_files_that_know_their_columns_need_no_schema(tenant: Tenant, folder: Path, form: str) -> None:
    path = folder / f"a.{form}"
    if form == "parquet":
        duckdb.sql(f"COPY (SELECT 1 AS id) TO '{path}' (FORMAT parquet)")
    elif form == "orc":
        orc.write_table(pyarrow.table({"id": [1]}), path)
    else:
        record = {"type": "record", "name": "row", "fields": [{"name": "id", "type": "long"}]}
        with path.open("wb") as file:
            fastavro.writer(file, record, [{"id": 1}])
    uri = f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/*.{form}"
    config = {"uris": uri, "format": form, "target_table": "orders"}
    step = {"id": "take_in", "ps_type": "bq_etl.load", "config": config}
    assert tenant.upload("files", json.dumps({"pipeline": {"name": "T"}, "steps": [step]})).status_code < 300
    status = run(tenant)
    assert status["status"] == "COMPLETED", status["error_message"]
    assert orders(tenant) == [1]


@pytest.mark.parametrize("form", ["parquet", "json"])
def test_what_is_handed_out_comes_in_again(tenant: Tenant, folder: Path, form: str) -> None:
    put(folder, "a.csv", "1,eu", "2,us")
    upload(tenant)
    run(tenant)
    uri = f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/out-*.{form}"
    out = {"source_table": "orders", "uris": uri, "format": form}
    back = {"uris": uri, "format": form, "target_table": "again"}
    steps = [
        {"id": "out", "ps_type": "bq_etl.extract", "config": out},
        {"id": "back", "ps_type": "bq_etl.load", "depends_on": ["out"], "config": back},
    ]
    assert tenant.upload("files", json.dumps({"pipeline": {"name": "T"}, "steps": steps})).status_code < 300
    status = run(tenant)
    assert status["status"] == "COMPLETED", status["error_message"]
    assert orders(tenant, "again") == [1, 2]


def an_extract(tenant: Tenant, query: str, **config: Any) -> str:
    """Write a pipeline that hands out the rows of a query."""
    uris = f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/out-*.json"
    extract = {"source_query": query, "uris": uris, "format": "json"} | config
    step = {"id": "out", "ps_type": "bq_etl.extract", "config": extract}
    retry = {"retry": {"attempts": 3, "backoff_seconds": 0}}
    return json.dumps({"pipeline": {"name": "Out"}, "steps": [step | retry]})


def handed_out(folder: Path) -> list[Any]:
    return [json.loads(line) for path in folder.glob("out-*") for line in path.read_text().splitlines()]


def test_the_rows_of_a_query_are_handed_out_by_a_table_that_expires(tenant: Tenant, folder: Path) -> None:
    query = "SELECT ${date} AS d, n FROM UNNEST([1, 2]) AS n WHERE n > 1"
    assert tenant.upload("files", an_extract(tenant, query)).status_code == 201
    status = run(tenant, {"date": "2026-03-01"})
    assert status["status"] == "COMPLETED", status["error_message"]
    assert handed_out(folder) == [{"d": "2026-03-01", "n": 2}]
    assert "_cvg_" not in tenant.call("GET", "/api/v1/pipelines/tables").text
    (left,) = (
        table
        for table in ADAPTERS.platform_client.list_tables(tenant.tenant_id)
        if table.table_id.startswith("_cvg_")
    )
    expires = ADAPTERS.platform_client.get_table(left.reference).expires
    assert expires
    assert expires < datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize("job", ["rows", "main"])
@pytest.mark.parametrize("is_after", [False, True])
def test_an_extract_that_dies_at_either_of_its_jobs_hands_out_what_its_query_found_first(
    site: Site, tenant: Tenant, folder: Path, monkeypatch: pytest.MonkeyPatch, job: str, is_after: bool
) -> None:
    put(folder, "a.csv", "1,eu")
    upload(tenant)
    run(tenant)
    assert tenant.upload("files", an_extract(tenant, "SELECT COUNT(*) AS n FROM orders")).status_code < 300
    tenant.run("files")
    (message,) = site.take_levels()
    started = ExecutorJobs._started

    def die(jobs: ExecutorJobs, asked: StepJob) -> Any:
        made = started(jobs, asked) if is_after or asked.work.name != job else None
        if asked.work.name == job:
            raise Killed
        return made

    with monkeypatch.context() as patched:
        patched.setattr(ExecutorJobs, "_started", die)
        with pytest.raises(Killed):
            site.deliver(message)
    site.rows(f"INSERT INTO {tenant.tenant_id}.orders (id) VALUES (2)")
    for _ in range(3):
        site.deliver_until_acknowledged(message)
    site.drain()
    query_is_done = job == "main" or is_after
    assert [int(row["n"]) for row in handed_out(folder)] == [1 if query_is_done else 2]


@pytest.mark.parametrize("name", ["load", "extract"])
def test_the_example_of_the_type_runs_as_it_stands_and_again(tenant: Tenant, name: str) -> None:
    text = (TEMPLATES / "bq_etl" / name / "example.yml").read_text(encoding="utf-8")
    config_id = yaml.safe_load(text)["pipeline"]["id"]
    saved = tenant.upload(config_id, text)
    assert (saved.status_code, saved.get_json()["warnings"]) == (201, [])
    for _ in range(2):
        run_id = tenant.run(config_id, {"date": "2026-03-01"})
        tenant.site.drain()
        status = tenant.status(run_id)
        assert status["status"] == "COMPLETED", status["error_message"]
    if name == "load":
        found = tenant.site.rows(
            f"SELECT region, orders FROM {tenant.tenant_id}.sales_by_region ORDER BY region"
        )
        assert [tuple(row.values()) for row in found] == [("eu", 2), ("us", 1)]
    else:
        folder = tenant.site.buckets / OPEN_BUCKET / "sales/2026/03/01"
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["eu-000000000000.json", "sales-000000000000.csv.gz"]


def test_a_load_and_an_extract_cost_what_the_page_says(site: Site, tenant: Tenant, folder: Path) -> None:
    put(folder, "a.csv", "1,eu")
    upload(tenant)
    assert counted(site, tenant) == {"step": 2, "ledger": 1, "claims": 1, "dry runs": 0}
    config = {
        "source_table": "orders",
        "uris": f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/o-*",
        "format": "json",
    }
    step = {"id": "out", "ps_type": "bq_etl.extract", "config": config}
    assert tenant.upload("files", json.dumps({"pipeline": {"name": "T"}, "steps": [step]})).status_code < 300
    assert counted(site, tenant) == {"step": 1, "ledger": 0, "claims": 0, "dry runs": 0}
    assert tenant.upload("files", an_extract(tenant, "SELECT 1 AS n")).status_code < 300
    assert counted(site, tenant) == {"step": 2, "ledger": 0, "claims": 0, "dry runs": 1}


def counted(site: Site, tenant: Tenant) -> dict[str, int]:
    """Run the pipeline, and count at BigQuery's door what its step takes, without its admission."""
    counts = site.bigquery.counts
    counts.reset()
    assert run(tenant)["status"] == "COMPLETED"
    return {
        "step": counts.jobs("cvg-step-"),
        "ledger": counts.jobs() - counts.jobs("cvg-") - ADMISSION_AND_STATUS,
        "claims": counts.jobs("cvg-files-"),
        "dry runs": counts.dry_runs,
    }


# Whose files


def test_a_bucket_opens_with_the_operators_word_and_only_that_path(site: Site, tenant: Tenant) -> None:
    folder = site.buckets / "partner-files" / "in"
    folder.mkdir(parents=True, exist_ok=True)
    put(folder, "a.csv", "7,eu")
    uris = "gs://partner-files/in/*.csv"
    assert "/steps/0/config/uris" in tenant.upload("files", a_file(tenant, uris=uris)).text
    path = f"/admin/tenants/{tenant.tenant_id}/sources"
    assert site.admin("PUT", path, {"sources": ["gs://partner-files/in"]}).status_code == 200
    upload(tenant, uris=uris)
    assert tenant.upload("other", a_file(tenant, uris="gs://partner-files/*.csv")).status_code == 422
    assert run(tenant)["status"] == "COMPLETED"
    assert orders(tenant) == [7]


@pytest.mark.parametrize("region", ["../victim", "..", "a/../../victim", "*", "x\ny", "[a-z]", ""])
def test_no_value_of_a_parameter_leads_out_of_the_path(tenant: Tenant, folder: Path, region: str) -> None:
    put(folder.parent, "secret.csv", "9,eu")
    uris = f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/${{region}}/*.csv"
    document = json.loads(a_file(tenant, uris=uris)) | {"parameters": {"region": {"type": "STRING"}}}
    assert tenant.upload("files", json.dumps(document)).status_code < 300
    status = run(tenant, {"parameters": {"region": region}})
    assert status["status"] == "FAILED"
    assert "names gs://" in status["error_message"]


def test_a_credentials_account_reads_its_own_buckets_and_no_others(site: Site, customer: Customer) -> None:  # noqa: F811
    tenant = customer.tenant
    for bucket, reader in (("customer-files", customer.account), ("closed-files", "nobody@example.com")):
        folder = site.buckets / bucket
        folder.mkdir(exist_ok=True)
        put(folder, "a.csv", "5,eu")
        (folder / ".readers").write_text(reader)
    upload(tenant, uris="gs://customer-files/*.csv", credential="my-gcp")
    done = run(tenant)
    assert done["status"] == "COMPLETED", done["error_message"]
    assert orders(tenant) == [5]
    receipt = tenant.call("GET", f"/api/v1/pipelines/runs/{done['pipeline_logging_id']}/receipt").get_json()
    assert {attempt["job_project"] for attempt in receipt["attempts"]} == {THEIRS}
    upload(tenant, uris="gs://closed-files/*.csv", credential="my-gcp")
    denied = run(tenant)
    assert (denied["status"], "storage.objects.list" in denied["error_message"]) == ("FAILED", True)


def test_the_ledger_is_written_by_no_step_of_the_tenants(tenant: Tenant) -> None:
    config = {"source_query": "SELECT 1 AS n", "target_table": "_cvg_loaded_files"}
    step = {"id": "a", "ps_type": "bq_etl.query", "config": config}
    answer = tenant.upload("files", json.dumps({"pipeline": {"name": "T"}, "steps": [step]}))
    assert answer.status_code == 422
    assert "must not be a table of the platform" in answer.text
