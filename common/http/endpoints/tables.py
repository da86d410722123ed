"""Endpoints of a tenant's own tables: what there is, its first rows, its end."""

from typing import Any

from common.errors import Conflict
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.services import PipelineServices
from common.tenants.own_tables import MAX_ROWS, Column, OwnTable, SeenTable

TABLE = Parameter(
    name="table",
    place=Place.PATH,
    description="The table's name, without its dataset.",
    schema={"type": "string", "minLength": 1, "maxLength": 1024},
    example="bq_etl_test_final",
)
TABLE_PAGE = (
    Parameter(
        name="after",
        place=Place.QUERY,
        description="Only tables whose names come after this one.",
        schema={"type": "string", "maxLength": 1024, "default": ""},
        example="bq_etl_test_extracted",
    ),
    Parameter(
        name="limit",
        place=Place.QUERY,
        description="The most tables on a page.",
        schema={"type": "integer", "minimum": 1, "maximum": 50, "default": 50},
        example=50,
    ),
)
ROW_LIMIT = Parameter(
    name="limit",
    place=Place.QUERY,
    description="The most rows; long ones are fewer.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": 100},
    example=100,
)


def list_tables(call: Call[PipelineServices]) -> Answer:
    """List the tables and views of your dataset, by name.

    Each with its rows, bytes and columns, and with the step that wrote it last: null where that is more than
    400 days ago, or no step did. For the next page ask with `after` as `next_after` gives it.
    """
    query = call.query
    found, following = call.services.tables.list(call.caller.tenant_id, query["after"], query["limit"])
    return Answer(body={"tables": [_seen_body(seen) for seen in found], "next_after": following or None})


def list_table_rows(call: Call[PipelineServices]) -> Answer:
    """Show the first rows of a table; nothing is billed.

    They come in BigQuery's own order. Values have the JSON form of their column's type: NUMERIC, BIGNUMERIC
    are text, BYTES are base64, times are RFC 3339, a STRUCT is an object, FLOAT64 that is no number is "NaN",
    "Infinity" or "-Infinity". What a view shows comes of a query: it has no rows here, 409.
    """
    found = call.services.tables.rows(call.caller.tenant_id, call.path["table"], call.query["limit"])
    body = {
        "table": found.table.name,
        "columns": [_column_body(column) for column in found.table.columns],
        "total_rows": found.table.rows,
        "is_complete": found.is_complete,
        "rows": list(found.rows),
    }
    return Answer(body=body)


def delete_table(call: Call[PipelineServices]) -> Answer:
    """Delete a table or view of your dataset, with its rows.

    Within seven days BigQuery's time travel brings a table back. Views and tables that the platform keeps are
    refused. A step that writes the table makes it anew.
    """
    call.services.tables.delete(call.caller.tenant_id, call.path["table"])
    return Answer(body=None, status=204)


def _seen_body(seen: SeenTable) -> dict[str, Any]:
    last = seen.last_write
    written = last and {
        "pipeline_id": last.config_id,
        "step_id": last.step_id,
        "pipeline_logging_id": last.run_id,
        "written_at": last.written_at,
    }
    return _table_body(seen.table) | {"last_written": written}


def _table_body(table: OwnTable) -> dict[str, Any]:
    return {
        "table": table.name,
        "kind": table.kind,
        "is_platforms": table.is_platforms,
        "rows": table.rows,
        "bytes": table.bytes,
        "columns": [_column_body(column) for column in table.columns],
        "created_at": table.created_at,
        "changed_at": table.changed_at,
        "expires_at": table.expires_at,
    }


def _column_body(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "mode": column.mode,
        "description": column.description,
        "fields": [_column_body(field) for field in column.fields],
    }


TABLE_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/pipelines/tables",
        endpoint=list_tables,
        access=Access.READ,
        parameters=TABLE_PAGE,
        answers={200: "table_list"},
        tag="Tables",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/tables/{table}/rows",
        endpoint=list_table_rows,
        access=Access.DATA,
        parameters=(TABLE, ROW_LIMIT),
        answers={200: "table_rows"},
        problems=(Conflict,),
        tag="Tables",
    ),
    Route(
        method="DELETE",
        path="/api/v1/pipelines/tables/{table}",
        endpoint=delete_table,
        access=Access.MANAGE,
        parameters=(TABLE,),
        answers={204: None},
        tag="Tables",
        is_audited=True,
    ),
)
