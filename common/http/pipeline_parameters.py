"""The parameters of the tenant API of pipelines."""

from common.http.patterns import MOMENT
from common.http.routes import Parameter, Place
from common.runs.run import RunStatus

CONFIG_ID = Parameter(
    name="config_id",
    place=Place.PATH,
    description="The pipeline's ID, the `id` in its file.",
    schema={"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$"},
    example="bq_etl_test",
)
CONFIG_VERSION = Parameter(
    name="version",
    place=Place.QUERY,
    description="A version; where none is given, the latest.",
    schema={"type": "integer", "minimum": 1, "maximum": 1_000_000_000},
    example=1,
)
RUN_ID = Parameter(
    name="pipeline_logging_id",
    place=Place.PATH,
    description="The run's ID.",
    schema={"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    example="0b6ff0d2-6a6c-4c1d-9a57-9a0d5b7f3c11",
)
IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    place=Place.HEADER,
    description="Makes repeats safe: all requests with the same key are one run.",
    schema={"type": "string", "pattern": "^[!-~]{1,255}$"},
    example="nightly-2024-01-01",
)
HISTORY_FILTERS = (
    Parameter(
        name="status",
        place=Place.QUERY,
        description="Only runs in this state.",
        schema={"type": "string", "enum": [status.value for status in RunStatus]},
        example="COMPLETED",
    ),
    Parameter(
        name="pipeline_id",
        place=Place.QUERY,
        description="Only runs of this pipeline.",
        schema=CONFIG_ID.schema,
        example="bq_etl_test",
    ),
    Parameter(
        name="from",
        place=Place.QUERY,
        description="Only runs asked for at this time or later: RFC 3339, or a date for its UTC midnight.",
        schema={"type": "string", "pattern": MOMENT},
        example="2024-01-01",
    ),
    Parameter(
        name="to",
        place=Place.QUERY,
        description="Only runs asked for before this time: RFC 3339, or a date for its UTC midnight.",
        schema={"type": "string", "pattern": MOMENT},
        example="2024-01-18T12:00:00Z",
    ),
    Parameter(
        name="limit",
        place=Place.QUERY,
        description="The most runs on a page.",
        schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        example=20,
    ),
    Parameter(
        name="cursor",
        place=Place.QUERY,
        description="The `next_cursor` of the page before, unchanged.",
        schema={"type": "string", "pattern": "^[A-Za-z0-9_-]{1,256}$"},
        example="WyIyMDI0LTAxLTE4VDA5OjMwOjAwWiIsICIwYjZmZjBkMiJd",
    ),
)
