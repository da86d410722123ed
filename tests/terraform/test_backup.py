"""The backup, and the way back."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.terraform.configuration import MODULE, ROOT, blocks, resources
from tests.terraform.documents import restore_statements


def test_the_backup_runs_each_day_as_an_account_of_its_own() -> None:
    backup = resources("google_bigquery_data_transfer_config")["snapshots"]
    assert backup["data_source_id"] == "scheduled_query"
    assert backup["service_account_name"] == '${google_service_account.account["backup"].email}'
    assert dict(blocks("variable"))["backup_schedule"]["default"].startswith("every day ")


def test_snapshots_of_every_central_table_expire_by_themselves() -> None:
    script = (MODULE / "sql" / "snapshot_central_tables.sql").read_text()
    assert "INFORMATION_SCHEMA.TABLES" in script
    assert "CREATE SNAPSHOT TABLE IF NOT EXISTS" in script
    assert "INTERVAL ${retention_days} DAY" in script
    assert set(re.findall(r"\$\{(\w+)\}", script)) == {"project", "dataset", "snapshots", "retention_days"}


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
