from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions as google
from google.cloud import bigquery
from google.oauth2.credentials import Credentials

from common.tenants.service_accounts import ServiceAccountKey
from common.warehouse.clients import make_account_client
from local.bigquery import LocalBigQuery, dataset_roles, views
from tests.fakes.credentials import a_key_file
from tests.unit.local.conftest import PROJECT

FILLER = "reader@customer-project.iam.gserviceaccount.com"
EXECUTOR = "executor@local-tests.iam.gserviceaccount.com"
PLATFORM = "platform@local-tests.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def server(no_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBigQuery]:
    with LocalBigQuery(
        data_dir=tmp_path_factory.mktemp("bigquery"),
        project=PROJECT,
        identities={"executor-token": EXECUTOR},
        owners={PLATFORM},
    ) as running:
        yield running


def client_of(server: LocalBigQuery, token: str) -> bigquery.Client:
    return bigquery.Client(
        project=PROJECT,
        credentials=Credentials(token=token),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": server.url},
    )


@pytest.fixture(scope="module")
def world(client: bigquery.Client) -> None:
    """Make `central` (closed), `acme` (the executor's own, with views over it) and `shared` (readable)."""
    for name in ("central", "acme", "shared"):
        client.create_dataset(name)
    for sql in (
        "CREATE TABLE central.runs AS SELECT 'acme' AS tenant, 1 AS n UNION ALL SELECT 'other', 2",
        "CREATE VIEW central.all_runs AS SELECT tenant, n FROM central.runs",
        "CREATE TABLE acme.own AS SELECT 1 AS a",
        "CREATE VIEW acme.authorized AS SELECT n FROM central.runs WHERE tenant = 'acme'",
        "CREATE VIEW acme.plain AS SELECT n FROM central.runs",
        "CREATE VIEW acme.over_a_view AS SELECT n FROM central.all_runs",
        "CREATE TABLE shared.rates AS SELECT 1 AS a",
    ):
        client.query_and_wait(sql)
    grant(client, "acme", bigquery.AccessEntry("WRITER", "userByEmail", EXECUTOR))
    role = f"projects/{PROJECT}/roles/convergenceFillTables"
    grant(client, "acme", bigquery.AccessEntry(role, "userByEmail", FILLER))
    grant(client, "shared", bigquery.AccessEntry("READER", "userByEmail", EXECUTOR))
    for name in ("authorized", "over_a_view"):
        view = {"projectId": PROJECT, "datasetId": "acme", "tableId": name}
        grant(client, "central", bigquery.AccessEntry(None, "view", view))


def grant(client: bigquery.Client, dataset: str, entry: bigquery.AccessEntry) -> None:
    resource = client.get_dataset(dataset)
    resource.access_entries = [*resource.access_entries, entry]
    client.update_dataset(resource, ["access_entries"])


@pytest.fixture
def executor(server: LocalBigQuery, world: None) -> Iterator[bigquery.Client]:
    server.access.is_on = True
    with client_of(server, "executor-token") as connected:
        yield connected
    server.access.is_on = False


def numbers(client: bigquery.Client, sql: str) -> list[int]:
    return sorted(row[0] for row in client.query(sql, job_retry=None).result())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM acme.own",
        "SELECT a FROM shared.rates",
        "WITH runs AS (SELECT 1 AS a) SELECT a FROM runs",
        "SELECT 1",
        "SELECT n FROM acme.authorized",
    ],
)
def test_a_caller_reads_what_it_has_access_to(executor: bigquery.Client, sql: str) -> None:
    assert numbers(executor, sql) == [1]


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("SELECT n FROM central.runs", "central.runs"),
        (f"SELECT n FROM `{PROJECT}.central.runs`", "central.runs"),
        ("SELECT a FROM acme.own WHERE a IN (SELECT n FROM central.runs)", "central.runs"),
        ("WITH runs AS (SELECT n FROM central.runs) SELECT n FROM runs", "central.runs"),
        ("SELECT n FROM acme.plain", "central.runs"),
        ("SELECT n FROM acme.over_a_view", "central.runs"),
        ("SELECT n FROM central.all_runs", "central.all_runs"),
        ("SELECT COUNT(*) FROM central.`ru*`", "central.ru*"),
        ("SELECT COUNT(*) FROM central.INFORMATION_SCHEMA.TABLES", "central.INFORMATION_SCHEMA.TABLES"),
        ("SELECT 1; SELECT n FROM central.runs", "central.runs"),
    ],
)
def test_reading_without_access_is_denied_in_bigquerys_words(
    executor: bigquery.Client, sql: str, table: str
) -> None:
    with pytest.raises(google.Forbidden) as raised:
        executor.query(sql, job_retry=None).result()
    name = f"{PROJECT}:{table}"
    assert (
        f"Access Denied: Table {name}: User does not have permission to query table {name}, "
        "or perhaps it does not exist." in str(raised.value)
    )
    assert raised.value.errors[0]["reason"] == "accessDenied"


def test_a_dry_run_is_denied_too(executor: bigquery.Client) -> None:
    config = bigquery.QueryJobConfig(dry_run=True)
    with pytest.raises(google.Forbidden, match="does not have permission to query"):
        executor.query("SELECT n FROM central.runs", job_config=config)


def test_a_default_dataset_opens_nothing(executor: bigquery.Client) -> None:
    config = bigquery.QueryJobConfig(default_dataset=f"{PROJECT}.central")
    sql = "WITH runs AS (SELECT n FROM runs) SELECT n FROM runs"
    with pytest.raises(google.Forbidden):
        executor.query(sql, job_config=config, job_retry=None).result()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO central.runs VALUES ('acme', 3)",
        "DELETE FROM shared.rates WHERE TRUE",
        "CREATE TABLE shared.mine AS SELECT 1 AS a",
        "DROP TABLE shared.rates",
    ],
)
def test_writing_without_access_is_denied(
    executor: bigquery.Client, client: bigquery.Client, sql: str
) -> None:
    with pytest.raises(google.Forbidden):
        executor.query(sql, job_retry=None).result()
    assert numbers(client, "SELECT a FROM shared.rates") == [1]


@pytest.mark.parametrize(
    "sql",
    [
        "EXECUTE IMMEDIATE 'SELECT n FROM central.runs'",
        "CALL central.procedure()",
        "SELECT * FROM APPENDS(TABLE central.runs, NULL, NULL)",
    ],
)
def test_what_cannot_be_read_is_refused_as_something_that_is_not_there(
    executor: bigquery.Client, sql: str
) -> None:
    with pytest.raises(google.MethodNotImplemented, match="The local BigQuery does not have this"):
        executor.query(sql, job_retry=None).result()


def test_a_destination_needs_the_right_to_write(executor: bigquery.Client) -> None:
    for dataset in ("shared", "central"):
        config = bigquery.QueryJobConfig(destination=f"{PROJECT}.{dataset}.copied")
        with pytest.raises(google.Forbidden, match=r"bigquery.tables.create denied on dataset"):
            executor.query("SELECT 1 AS a", job_config=config, job_retry=None).result()
    config = bigquery.QueryJobConfig(destination=f"{PROJECT}.acme.copied")
    executor.query("SELECT 1 AS a", job_config=config, job_retry=None).result()


def test_an_upload_is_denied_because_its_target_is_not_read(executor: bigquery.Client) -> None:
    with pytest.raises(google.Forbidden):
        executor.load_table_from_json([{"n": 3}], f"{PROJECT}.central.runs", num_retries=0).result()


def test_a_copy_needs_access_on_both_sides(executor: bigquery.Client) -> None:
    with pytest.raises(google.Forbidden):
        executor.copy_table(f"{PROJECT}.central.runs", f"{PROJECT}.acme.stolen").result()
    with pytest.raises(google.Forbidden):
        executor.copy_table(f"{PROJECT}.acme.own", f"{PROJECT}.shared.given").result()


def snapshot_of(client: bigquery.Client, source: str, name: str, *, days: int = 0) -> None:
    config = bigquery.CopyJobConfig(operation_type="SNAPSHOT")
    if days:
        expires = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        config._properties["copy"]["destinationExpirationTime"] = expires
    client.copy_table(f"{PROJECT}.{source}", f"{PROJECT}.acme.{name}", job_config=config).result()


def test_a_snapshot_that_expires_takes_the_right_to_delete_it(
    executor: bigquery.Client, filler: bigquery.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot_of(executor, "acme.own", "own_kept", days=1)
    snapshot_of(executor, "shared.rates", "rates_kept")
    monkeypatch.setattr(views, "LOOKS", 1)  # A snapshot that is refused is never there.
    with pytest.raises(google.Forbidden, match="deleteSnapshot"):
        snapshot_of(executor, "shared.rates", "rates_of_a_day", days=1)
    with pytest.raises(google.Forbidden, match="createSnapshot"):
        snapshot_of(filler, "acme.own", "theirs")
    with pytest.raises(google.Forbidden, match="deleteSnapshot"):
        filler.delete_table(f"{PROJECT}.acme.rates_kept")
    for name in ("own_kept", "rates_kept"):
        executor.delete_table(f"acme.{name}")


def test_files_are_written_of_tables_that_may_be_exported(
    server: LocalBigQuery, executor: bigquery.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = "gs://given/own-*.json"
    config = bigquery.ExtractJobConfig(destination_format="NEWLINE_DELIMITED_JSON")  # type: ignore[no-untyped-call]
    executor.extract_table(f"{PROJECT}.acme.own", uri, job_config=config).result()
    monkeypatch.setitem(dataset_roles.CUSTOM_ROLES, "convergenceWriteTenants", frozenset())
    monkeypatch.setitem(dataset_roles.ROLES, "WRITER", dataset_roles.WRITE - {"bigquery.tables.export"})
    with pytest.raises(google.Forbidden, match="export denied"):
        executor.extract_table(f"{PROJECT}.acme.own", uri, job_config=config).result()


Calls = Callable[[bigquery.Client], object]
CALLS: dict[str, Calls] = {
    "datasets.get": lambda client: client.get_dataset("central"),
    "datasets.delete": lambda client: client.delete_dataset("acme"),
    "datasets.insert": lambda client: client.create_dataset("mine"),
    "tables.list": lambda client: list(client.list_tables("central")),
    "tables.get": lambda client: client.get_table("central.runs"),
    "tables.insert": lambda client: client.create_table(f"{PROJECT}.shared.new"),
    "tables.delete": lambda client: client.delete_table("shared.rates"),
    "tabledata.list": lambda client: list(
        client.list_rows(f"{PROJECT}.central.runs", [bigquery.SchemaField("n", "INT64")])
    ),
    "routines.list": lambda client: list(client.list_routines("central")),
    "tabledata.insertAll": lambda client: client.insert_rows_json(f"{PROJECT}.shared.rates", [{"a": 2}]),
}


@pytest.mark.parametrize("method", CALLS)
def test_the_api_has_the_same_walls(executor: bigquery.Client, method: str) -> None:
    with pytest.raises(google.Forbidden, match="Access Denied"):
        CALLS[method](executor)


def test_the_platform_may_do_everything(
    server: LocalBigQuery, executor: bigquery.Client, client: bigquery.Client
) -> None:
    assert numbers(client, "SELECT n FROM central.runs") == [1, 2]
    with client_of(server, PLATFORM) as platform:
        assert numbers(platform, "SELECT n FROM central.runs") == [1, 2]


def test_a_stranger_may_do_nothing(server: LocalBigQuery, executor: bigquery.Client) -> None:
    with client_of(server, "stranger@example.com") as stranger, pytest.raises(google.Forbidden):
        stranger.query("SELECT a FROM acme.own", job_retry=None).result()


def test_without_the_switch_there_is_no_wall(server: LocalBigQuery, executor: bigquery.Client) -> None:
    server.access.is_on = False
    assert numbers(executor, "SELECT n FROM central.runs") == [1, 2]


def test_an_array_of_a_table_is_no_table(executor: bigquery.Client, client: bigquery.Client) -> None:
    client.query_and_wait("CREATE OR REPLACE TABLE acme.lists AS SELECT [1, 2] AS items")
    assert numbers(executor, "SELECT item FROM acme.lists AS l, UNNEST(l.items) AS item") == [1, 2]


@pytest.fixture
def filler(server: LocalBigQuery, executor: bigquery.Client) -> Iterator[bigquery.Client]:
    """Act as an account of another project that fills tables here, by a token that it signed itself."""
    key = ServiceAccountKey.read(a_key_file("customer-project", "reader"), platform_project=PROJECT)
    client = make_account_client(key, location="US", emulator_host=server.url)
    yield client
    client.close()  # type: ignore[no-untyped-call]


def test_who_fills_tables_reads_and_writes_those_that_are_there(
    filler: bigquery.Client, client: bigquery.Client
) -> None:
    client.query_and_wait("CREATE OR REPLACE TABLE acme.target AS SELECT 1 AS n")
    for disposition, expected in (("WRITE_APPEND", [1, 5]), ("WRITE_TRUNCATE_DATA", [5])):
        config = bigquery.QueryJobConfig(
            destination=f"{PROJECT}.acme.target",
            write_disposition=disposition,
            create_disposition="CREATE_NEVER",
        )
        filler.query("SELECT 5 AS n", job_config=config, job_retry=None).result()
        assert numbers(filler, f"SELECT n FROM `{PROJECT}.acme.target`") == expected
    assert numbers(filler, f"SELECT n FROM `{PROJECT}.acme.authorized`") == [1]


def test_to_overwrite_more_of_a_table_than_its_rows_takes_tables_update(
    filler: bigquery.Client, client: bigquery.Client
) -> None:
    client.query_and_wait("CREATE OR REPLACE TABLE acme.target AS SELECT 1 AS n")
    config = bigquery.QueryJobConfig(destination=f"{PROJECT}.acme.target", write_disposition="WRITE_TRUNCATE")
    with pytest.raises(google.Forbidden, match=r"bigquery\.tables\.update denied on table"):
        filler.query("SELECT 5 AS n", job_config=config, job_retry=None).result()
    assert numbers(client, f"SELECT n FROM `{PROJECT}.acme.target`") == [1]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE OR REPLACE VIEW {acme}.authorized AS SELECT * FROM {central}.runs",
        "CREATE OR REPLACE TABLE {acme}.own AS SELECT 1 AS a",
        "CREATE VIEW {acme}.new AS SELECT 1 AS n",
        "CREATE TABLE {acme}.new AS SELECT 1 AS n",
        "ALTER TABLE {acme}.own ADD COLUMN b INT64",
        "DROP VIEW {acme}.authorized",
        "DROP TABLE {acme}.own",
        "SELECT n FROM {central}.runs",
        "SELECT n FROM {acme}.plain",
        "SELECT a FROM {shared}.rates",
    ],
)
def test_who_fills_tables_makes_changes_and_deletes_none(filler: bigquery.Client, sql: str) -> None:
    names = {name: f"`{PROJECT}`.{name}" for name in ("acme", "central", "shared")}
    with pytest.raises(google.Forbidden, match="Access Denied"):
        filler.query(sql.format(**names), job_retry=None).result()


def test_who_fills_tables_has_no_new_target(filler: bigquery.Client) -> None:
    config = bigquery.QueryJobConfig(destination=f"{PROJECT}.acme.new")
    with pytest.raises(google.Forbidden, match=r"bigquery\.tables\.create denied"):
        filler.query("SELECT 5 AS n", job_config=config, job_retry=None).result()


def test_a_service_account_runs_jobs_in_its_own_project_alone(
    filler: bigquery.Client, executor: bigquery.Client
) -> None:
    for client, project in ((filler, PROJECT), (executor, "customer-project")):
        with pytest.raises(google.Forbidden, match=r"bigquery\.jobs\.create permission in project"):
            client.query("SELECT 1", project=project, job_retry=None).result()


def test_a_table_of_another_project_asks_for_access_there(
    filler: bigquery.Client, client: bigquery.Client
) -> None:
    client.create_dataset("customer-project.sales")
    client.query_and_wait("CREATE TABLE `customer-project`.sales.orders AS SELECT 7 AS n")
    with pytest.raises(google.Forbidden):
        numbers(filler, "SELECT n FROM sales.orders")
    grant(client, "customer-project.sales", bigquery.AccessEntry("READER", "userByEmail", FILLER))
    assert numbers(filler, "SELECT n FROM sales.orders") == [7]
