"""Call a job's HTTP target, once."""

import contextlib
import socket
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import grpc
from google.cloud import scheduler_v1

from local.scheduler.definitions import Job

AUTHORIZATION = "Bearer local-oidc"
Outcome = tuple[int, str]
"""A code of google.rpc.Code, 0 for success, and what went wrong."""

CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    499: grpc.StatusCode.CANCELLED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


class Attempt:
    """One request to the target of `job`, for its firing of `scheduled_at`."""

    def __init__(self, job: Job, scheduled_at: datetime) -> None:
        self._job = job
        self._headers = _headers(job, scheduled_at)
        url = urlsplit(job.http_target.uri)
        self._path = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
        deadline_seconds = job.attempt_deadline.ToTimedelta().total_seconds()
        self._connection = connect(url.netloc, timeout=deadline_seconds)

    def run(self) -> Outcome:
        """Send the request and wait for the answer; any answer of 2xx is a success."""
        target = self._job.http_target
        method = scheduler_v1.HttpMethod(target.http_method).name
        try:
            self._connection.request(method, self._path, target.body or None, self._headers)
            answer = self._connection.getresponse()
            answer.read()
        except TimeoutError:
            return _code(grpc.StatusCode.DEADLINE_EXCEEDED), "the target did not answer in time"
        except (OSError, HTTPException) as error:
            return _code(grpc.StatusCode.UNAVAILABLE), f"the target cannot be reached: {error}"
        finally:
            self._connection.close()
        return _outcome(answer.status)

    def abort(self) -> None:
        """End the request, from another thread."""
        connected = self._connection.sock
        with contextlib.suppress(OSError, AttributeError):
            connected.shutdown(socket.SHUT_RDWR)


def _headers(job: Job, scheduled_at: datetime) -> dict[str, str]:
    target = job.http_target
    headers = {
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": job.name.rpartition("/")[2],
        "X-CloudScheduler-ScheduleTime": scheduled_at.isoformat().replace("+00:00", "Z"),
    }
    if target.body:
        headers["Content-Type"] = "application/octet-stream"
    headers |= dict(target.headers)
    if target.HasField("oidc_token"):
        headers["Authorization"] = AUTHORIZATION
    return headers


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return 0, ""
    otherwise = grpc.StatusCode.INTERNAL if status >= 500 else grpc.StatusCode.UNKNOWN
    return _code(CODES.get(status, otherwise)), f"the target answered {status}"


def _code(status: grpc.StatusCode) -> int:
    code: int = status.value[0]
    return code
