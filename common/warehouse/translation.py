"""Google's exceptions, translated into the platform's own tree; nothing else in the project catches them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core import exceptions as google
from google.auth.exceptions import TransportError

from common.errors import AlreadyExists, NoSuchResource, QueryRefused, Unavailable, WarehouseError

PASSING_REASONS = frozenset(
    {
        "backendError",
        "internalError",
        "rateLimitExceeded",
        "jobRateLimitExceeded",
        "quotaExceeded",
        "jobInternalError",
    }
)
_PASSING_CLASSES = (google.TooManyRequests, google.ServerError, google.RetryError)
_TRANSPORT_CLASSES = (requests.RequestException, ConnectionError, TimeoutError, TransportError)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the BigQuery client raises inside the block into a WarehouseError."""
    try:
        yield
    except google.GoogleAPICallError as error:
        raise translate(error) from error
    except google.RetryError as error:
        raise Unavailable(str(error.cause or error)) from error
    except _TRANSPORT_CLASSES as error:
        raise Unavailable(f"BigQuery did not answer: {type(error).__name__}") from error


def translate(error: google.GoogleAPICallError) -> WarehouseError:
    """Choose the class for one API error, by BigQuery's reason first and the HTTP status second."""
    reason = first_reason(error.errors)
    message = str(error.message)
    if isinstance(error, google.Conflict):
        return AlreadyExists(message, reason)
    if isinstance(error, google.NotFound):
        return NoSuchResource(message, reason)
    if reason in PASSING_REASONS or isinstance(error, _PASSING_CLASSES):
        return Unavailable(message, reason)
    return QueryRefused(message, reason)


def first_reason(errors: Sequence[Mapping[str, Any]] | None) -> str:
    """Return BigQuery's reason for an error, "" where it gave none."""
    return str(errors[0].get("reason", "")) if errors else ""
