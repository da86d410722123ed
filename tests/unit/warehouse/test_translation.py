"""What Google's client raises, in the platform's own tree and in BigQuery's words."""

from typing import Any

import pytest
import requests
from google.api_core import exceptions as google
from google.auth.exceptions import RefreshError, TransportError

from common.errors import AlreadyExists, ConvergenceError, NoSuchResource, QueryRefused, Unavailable
from common.warehouse.translation import translated

CALL = "POST https://bigquery.googleapis.com/bigquery/v2/projects/p/jobs?prettyPrint=false: "
SAID = "Unrecognized name: amuont at [1:8]"


def api_error(status: int, message: str, reason: str = "") -> google.GoogleAPICallError:
    errors: list[Any] = [{"reason": reason, "message": SAID}] if reason else []
    error: google.GoogleAPICallError = google.from_http_status(status, message, errors=errors)  # type: ignore[no-untyped-call]
    return error


def translation_of(error: Exception) -> ConvergenceError:
    with pytest.raises(ConvergenceError) as raised, translated():
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "invalidQuery", QueryRefused),
        (403, "accessDenied", QueryRefused),
        (404, "notFound", NoSuchResource),
        (409, "duplicate", AlreadyExists),
        (403, "rateLimitExceeded", Unavailable),
        (429, "", Unavailable),
        (500, "", Unavailable),
        (503, "backendError", Unavailable),
        (501, "notImplemented", QueryRefused),
    ],
)
def test_reason_and_status_choose_the_class(status: int, reason: str, kind: type[Exception]) -> None:
    assert type(translation_of(api_error(status, CALL + SAID, reason))) is kind


@pytest.mark.parametrize(
    "message",
    [
        SAID,
        CALL + SAID,
        CALL + SAID + "\n\nLocation: US\nJob ID: 1d3f\n",
        "GET https://b.example/bigquery/v2/projects/p/queries/1?location=US: "
        + SAID
        + "\n\nLocation: US\nJob ID: 1",
    ],
)
@pytest.mark.parametrize("reason", ["invalidQuery", ""])
def test_a_message_is_bigquerys_sentence_alone(message: str, reason: str) -> None:
    assert str(translation_of(api_error(400, message, reason))) == SAID


def test_what_bigquery_says_of_a_location_stays() -> None:
    said = "Not found: Table p:acme.ordres was not found in location US"
    assert str(translation_of(api_error(404, CALL + said))) == said


def test_a_client_that_has_given_up_says_what_it_was_told_last() -> None:
    error = google.RetryError("Timeout of 60.0s exceeded", api_error(503, CALL + SAID, "backendError"))  # type: ignore[no-untyped-call]
    translation = translation_of(error)
    assert (str(translation), type(translation)) == (SAID, Unavailable)


@pytest.mark.parametrize("kind", [requests.ConnectionError, TransportError, TimeoutError, ConnectionError])
def test_no_answer_is_told_without_the_address(kind: type[Exception]) -> None:
    translation = translation_of(kind(CALL))
    assert isinstance(translation, Unavailable)
    assert "https://" not in str(translation)


def test_an_account_that_gets_no_token_is_refused_unless_that_passes() -> None:
    refused = translation_of(
        RefreshError("invalid_grant: Invalid JWT Signature.", {"error": "invalid_grant"})  # type: ignore[no-untyped-call]
    )
    assert str(refused) == "Google gives the account no access: invalid_grant: Invalid JWT Signature."
    assert isinstance(refused, QueryRefused)
    assert isinstance(translation_of(RefreshError("again", retryable=True)), Unavailable)  # type: ignore[no-untyped-call]
