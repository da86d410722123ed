"""What is told of a job that BigQuery has failed."""

from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from common.warehouse.job_kinds import report_of

READING = "Error while reading data, error message: "
POINTER = (
    f"{READING}CSV table encountered too many errors, giving up. Rows: 2; errors: 1. "
    "Please look into the errors[] collection for more details. File: gs://acme-files/a.csv"
)
ROW = "Could not parse 'x' as INT64 for field a (position 0) starting at location 0"


def told(message: str | None, *others: str) -> str:
    error: dict[str, Any] = {"reason": "invalid"} | ({} if message is None else {"message": message})
    status = {"state": "DONE", "errorResult": error, "errors": [error, *({"message": one} for one in others)]}
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    client = bigquery.Client(project="my-project", credentials=credentials)
    resource = {
        "jobReference": {"projectId": "my-project", "jobId": "j", "location": "US"},
        "configuration": {"load": {"sourceUris": ["gs://acme-files/a.csv"]}},
        "status": status,
    }
    return report_of(bigquery.LoadJob.from_api_repr(resource, client), lambda _: None).error_message


def test_a_load_names_the_first_row_that_it_cannot_read_and_not_where_a_tenant_cannot_look() -> None:
    told_of_row = told(POINTER, f"{READING}{ROW}", "another")
    assert told_of_row == (
        f"{READING}CSV table encountered too many errors, giving up. Rows: 2; errors: 1. {ROW}. "
        "File: gs://acme-files/a.csv"
    )


@pytest.mark.parametrize(
    ("message", "others", "expected"),
    [
        (POINTER, (), POINTER),
        (POINTER, (POINTER,), POINTER),
        ("No such field: b.", ("another",), "No such field: b."),
        (None, ("another",), "BigQuery refused without a word"),
    ],
)
def test_a_message_stays_as_it_is_where_there_is_nothing_to_add(
    message: str | None, others: tuple[str, ...], expected: str
) -> None:
    assert told(message, *others) == expected
