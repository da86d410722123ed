"""The tenant's tables, read with Google's own BigQuery client."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.cloud import bigquery

from common.errors import WarehouseError
from common.warehouse.bigquery import Statement
from common.warehouse.translation import translated
from local.demo.errors import DemoError

SQL_FOLDER = Path(__file__).parent / "sql"

type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantTables:
    """Reads one tenant's dataset."""

    client: bigquery.Client
    tenant: str

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a table, at most a hundred, in an order that does not change."""
        return sorted(self._read("rows", table=table), key=lambda row: json.dumps(row, default=str))

    def comprehensive_view(self) -> list[Row]:
        """Return what tenant_comprehensive_view says, a row per run."""
        return self._read("tenant_comprehensive_view")

    def _read(self, name: str, **identifiers: str) -> list[Row]:
        text = (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        statement = Statement(name=name, text=text, parameter_types={})
        sql = statement.render(project=self.client.project, dataset=self.tenant, **identifiers)
        try:
            with translated():
                return [dict(row.items()) for row in self.client.query_and_wait(sql)]
        except WarehouseError as error:
            what = identifiers.get("table", name)
            raise DemoError(f"{self.tenant}.{what} cannot be read: {' '.join(str(error).split())}") from error
