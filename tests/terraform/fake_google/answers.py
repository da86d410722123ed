"""What a call may come to besides its answer: an error with Google's code and status."""

from typing import Any

type Json = dict[str, Any]


class ApiError(Exception):
    """An error answer: HTTP code, Google's status word, message."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.body: Json = {"error": {"code": code, "status": status, "message": message}}


def not_found(what: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", f"{what} not found")


def already_exists(what: str) -> ApiError:
    return ApiError(409, "ALREADY_EXISTS", f"{what} already exists")


def conflict(what: str) -> ApiError:
    return ApiError(409, "ABORTED", f"{what} was changed meanwhile: the etag is old")


def invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_ARGUMENT", message)


def denied(message: str) -> ApiError:
    return ApiError(403, "PERMISSION_DENIED", message)
