"""What requests about runs can be given beside a body."""

from common.http.routing import Parameter, Place

RUN_ID = Parameter(
    name="pipeline_logging_id",
    place=Place.PATH,
    description="The run's ID.",
    schema={"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    example="0b6ff0d2-6a6c-4c1d-9a57-9a0d5b7f3c11",
)
WAIT = Parameter(
    name="wait",
    place=Place.QUERY,
    description="Wait so many seconds for the run to end or get further.",
    schema={"type": "integer", "minimum": 0, "maximum": 30},
    example=20,
)
USER_ID = Parameter(
    name="X-User-ID",
    place=Place.HEADER,
    description="The user for whom the run is asked for; for your own records, never checked.",
    schema={"type": "string", "pattern": "^[!-~]{1,255}$"},
    example="ada@customer.example",
)
IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    place=Place.HEADER,
    description="Makes repeats safe: all requests with the same key are one run.",
    schema={"type": "string", "pattern": "^[!-~]{1,255}$"},
    example="nightly-2024-01-01",
)
