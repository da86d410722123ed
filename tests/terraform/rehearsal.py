"""A restore, rehearsed on the local BigQuery in FOLDER: `python -m tests.terraform.rehearsal FOLDER`.

It prints what it came to. It is a process of its own, because there can be one local BigQuery in a process.
"""

import json
import re
import sys
from pathlib import Path

from google.cloud import bigquery

from common.warehouse.clients import make_client
from local.bigquery import LocalBigQuery
from tests.terraform.documents import restore_statements

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "test-project"
SCHEMA = ROOT / "ps_templates" / "setup" / "initial" / "schemas" / "tenant_profiles.json"
BACKUP = ROOT / "terraform" / "sql" / "snapshot_central_table.sql"
ROW = """
INSERT INTO tenants.tenant_profiles
  (tenant_id, company_name, admin_email, tenant_dataset_id, status, created_at, recorded_at)
VALUES (@tenant, 'Company', 'admin@example.com', @tenant, 'ACTIVE', CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP())
"""


def rehearse(folder: Path) -> dict[str, list[str]]:
    """Fill a table, take the backup, lose rows, add one, restore; return the tenants after each."""
    with LocalBigQuery(data_dir=folder, project=PROJECT) as server:
        client = make_client(project=PROJECT, location="US", emulator_host=server.url)
        for dataset in ("tenants", "tenants_snapshots"):
            client.create_dataset(dataset)
        columns = json.loads(SCHEMA.read_text())["schema"]
        fields = [bigquery.SchemaField.from_api_repr(column) for column in columns]
        client.create_table(bigquery.Table(f"{PROJECT}.tenants.tenant_profiles", schema=fields))
        for tenant in ("acme", "beta", "gamma"):
            _add(client, tenant)
        client.query_and_wait(backup_statement("tenant_profiles", "20260131"))
        client.query_and_wait("DELETE FROM tenants.tenant_profiles WHERE tenant_id IN ('acme', 'beta')")
        _add(client, "delta")
        lost = _tenants(client)
        for statement in restore_statements():
            client.query_and_wait(statement)
        return {"lost": lost, "restored": _tenants(client), "tables": _tables(client)}


def backup_statement(table: str, day: str) -> str:
    """Take the statement for one table out of the deployed script, as the script would run it.

    The local BigQuery knows snapshots, but no options of theirs.
    """
    places = {"project": PROJECT, "dataset": "tenants", "snapshots": "tenants_snapshots", "table": table}
    script = re.sub(r"\$\{(\w+)\}", lambda place: places.get(place[1], "1"), BACKUP.read_text())
    template = script.split('"""')[1]
    return re.sub(r"OPTIONS \(.*\)", "", template % day).strip()


def _add(client: bigquery.Client, tenant: str) -> None:
    parameters = [bigquery.ScalarQueryParameter("tenant", "STRING", tenant)]
    client.query_and_wait(ROW, job_config=bigquery.QueryJobConfig(query_parameters=parameters))


def _tenants(client: bigquery.Client) -> list[str]:
    rows = client.query_and_wait("SELECT tenant_id FROM tenants.tenant_profiles ORDER BY tenant_id")
    return [row["tenant_id"] for row in rows]


def _tables(client: bigquery.Client) -> list[str]:
    return sorted(table.table_id for table in client.list_tables("tenants"))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(rehearse(Path(sys.argv[1]))))
