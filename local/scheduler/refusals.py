"""Why a call to the scheduler is refused, by gRPC status."""

import grpc


class Refusal(Exception):
    """A call ends with `code`."""

    code = grpc.StatusCode.UNKNOWN


class InvalidArgument(Refusal):
    """The request is not well formed."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotFound(Refusal):
    """There is no such job."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExists(Refusal):
    """There is a job of that name."""

    code = grpc.StatusCode.ALREADY_EXISTS


class FailedPrecondition(Refusal):
    """The job is not in the state that the call needs."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Unimplemented(Refusal):
    """Cloud Scheduler can do this, the local one cannot."""

    code = grpc.StatusCode.UNIMPLEMENTED
