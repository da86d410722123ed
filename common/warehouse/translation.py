"""Google's exceptions, translated into the platform's own tree; nothing else in the project catches them.

A message is BigQuery's own sentence: the client puts the call before it (`POST https://…: `), and behind it
where the job is that a query failed by, which for a dry run is nowhere.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError, TransportError

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
_CALL = re.compile(r"^(?:GET|POST|PUT|PATCH|DELETE) \S+: ")
_JOB_OF_THE_CLIENT = re.compile(r"\s*\n\s*\nLocation: .*\Z", re.DOTALL)
NO_WORD = "BigQuery refused without a word"


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the BigQuery client raises inside the block into a WarehouseError."""
    try:
        yield
    except google.GoogleAPICallError as error:
        raise translate(error) from error
    except google.RetryError as error:
        raise _given_up(error) from error
    except _TRANSPORT_CLASSES as error:
        raise Unavailable(f"BigQuery did not answer: {type(error).__name__}") from error
    except GoogleAuthError as error:
        raise _not_signed_in(error) from error


def translate(error: google.GoogleAPICallError) -> WarehouseError:
    """Choose the class for one API error, by BigQuery's reason first and the HTTP status second."""
    reason = first_reason(error.errors)
    message = sentence(error)
    if isinstance(error, google.Conflict):
        return AlreadyExists(message, reason)
    if isinstance(error, google.NotFound):
        return NoSuchResource(message, reason)
    if isinstance(error, google.MethodNotImplemented):  # 501 does not pass.
        return QueryRefused(message, reason)
    if reason in PASSING_REASONS or isinstance(error, _PASSING_CLASSES):
        return Unavailable(message, reason)
    return QueryRefused(message, reason)


def first_reason(errors: Sequence[Mapping[str, Any]] | None) -> str:
    """Return BigQuery's reason for an error, "" where it gave none."""
    return str(errors[0].get("reason", "")) if errors else ""


def sentence(error: google.GoogleAPICallError) -> str:
    """Return what BigQuery said, without what the client adds to it."""
    said = str(error.errors[0].get("message") or "") if error.errors else ""
    return own_words(said or str(error.message)) or NO_WORD


def own_words(message: str) -> str:
    """Take the call, and the place of a job, off a message that the client has put together."""
    return _JOB_OF_THE_CLIENT.sub("", _CALL.sub("", message)).strip()


def _given_up(error: google.RetryError) -> Unavailable:
    if isinstance(error.cause, google.GoogleAPICallError):
        return Unavailable(sentence(error.cause), first_reason(error.cause.errors))
    return Unavailable(f"BigQuery did not answer: {type(error.cause or error).__name__}")


def _not_signed_in(error: GoogleAuthError) -> WarehouseError:
    """Judge an account that gets no token: its key was revoked, say, or nobody may act for it."""
    said = str(error.args[0]) if error.args else type(error).__name__
    message = f"Google gives the account no access: {own_words(said)}"
    return Unavailable(message) if error.retryable else QueryRefused(message, "accessDenied")
