"""Statements that define things (DDL): they name more than the central dataset, and are safe to repeat."""

from typing import Any

from common.warehouse.jobs import RETRY
from common.warehouse.queries import Central, Row
from common.warehouse.statements import Statement
from common.warehouse.translation import translated

_TIMEOUT_SECONDS = 300.0


def run(central: Central, statement: Statement, **identifiers: str) -> list[Row]:
    """Run a statement with its identifiers put in; `project` and `dataset` are known."""
    places: dict[str, str] = {"project": central.project, "dataset": central.dataset, **identifiers}
    sql = statement.render(**places)
    with translated():
        rows: Any = central.client.query_and_wait(
            sql, location=central.location, wait_timeout=_TIMEOUT_SECONDS, retry=RETRY
        )
        return [dict(row.items()) for row in rows]
