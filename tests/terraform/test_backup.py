"""The backup, and the way back."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terraform.configuration import MODULE, ROOT, blocks, local_values, resources
from tests.terraform.documents import restore_statements


def test_the_backup_runs_each_day_as_an_account_of_its_own() -> None:
    backup = resources("google_bigquery_data_transfer_config")["snapshots"]
    assert backup["data_source_id"] == "scheduled_query"
    assert backup["service_account_name"] == '${google_service_account.account["backup"].email}'
    assert dict(blocks("variable"))["backup_schedule"]["default"].startswith("every day ")


def test_each_central_table_has_its_snapshot_statement() -> None:
    query = resources("google_bigquery_data_transfer_config")["snapshots"]["params"]["query"]
    assert query == '${join("\\n", local.snapshot_statements)}'
    statements = str(local_values()["snapshot_statements"])
    assert "for table in sort(keys(local.central_tables))" in statements
    assert "sql/snapshot_central_table.sql" in statements


def test_a_snapshot_expires_by_itself_and_is_taken_once_a_day() -> None:
    script = (MODULE / "sql" / "snapshot_central_table.sql").read_text()
    assert "CREATE SNAPSHOT TABLE IF NOT EXISTS" in script
    assert "INTERVAL ${retention_days} DAY" in script
    assert "FORMAT_DATE('%Y%m%d', CURRENT_DATE('UTC'))" in script
    places = {"project", "dataset", "table", "snapshots", "retention_days"}
    assert set(re.findall(r"\$\{(\w+)\}", script)) == places


@pytest.mark.parametrize("script", sorted((MODULE / "sql").glob("*.sql")), ids=lambda path: path.stem)
def test_no_statement_asks_what_conditional_access_cannot_be_asked(script: Path) -> None:
    # BigQuery's page on IAM conditions names INFORMATION_SCHEMA among their limitations.
    assert "INFORMATION_SCHEMA" not in script.read_text()


def test_the_backups_account_may_do_what_its_statements_ask_for() -> None:
    # By BigQuery's page on creating table snapshots: on the base table, then where the snapshot will be.
    assert {"bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.createSnapshot"} <= held(
        "Snapshot"
    )
    assert {"bigquery.tables.create", "bigquery.tables.updateData", "bigquery.tables.deleteSnapshot"} <= held(
        "KeepSnapshots"
    )


def held(role: str) -> set[str]:
    """Return the permissions of a role, those that it shares with others among them."""
    permissions = str(local_values()["roles"][role]["permissions"])
    shared = local_values()["permissions"]
    named = (shared[name] for name in re.findall(r"local\.permissions\.(\w+)", permissions))
    return {*re.findall(r"bigquery\.\w+\.\w+", permissions), *(one for some in named for one in some)}


def test_snapshots_outlast_time_travel() -> None:
    assert dict(blocks("variable"))["backup_retention_days"]["default"] > 7


def test_what_was_lost_comes_back_by_the_runbooks_statements(tmp_path: Path) -> None:
    assert len(restore_statements()) == 4
    command = [sys.executable, "-m", "tests.terraform.rehearsal", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    came_to = json.loads(done.stdout)
    assert came_to == {
        "lost": ["delta", "gamma"],
        "restored": ["acme", "beta", "delta", "gamma"],
        "tables": ["tenant_profiles"],
    }
