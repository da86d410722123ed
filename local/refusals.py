"""Say no to a request with the gRPC status that Google's service itself answers."""

import grpc


class Refusal(Exception):
    """A request that cannot be served: its gRPC status and a message for the caller."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str) -> Refusal:
    """Build the refusal of a request that is wrong in itself, or asks for what is not served here."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(name: str) -> Refusal:
    """Build the refusal of a request for a resource that does not exist."""
    return Refusal(grpc.StatusCode.NOT_FOUND, f"{name} does not exist")


def already_exists(name: str) -> Refusal:
    """Build the refusal of a second creation of one resource."""
    return Refusal(grpc.StatusCode.ALREADY_EXISTS, f"{name} already exists")


def unfit(message: str) -> Refusal:
    """Build the refusal of a request that the present state of a resource does not allow."""
    return Refusal(grpc.StatusCode.FAILED_PRECONDITION, message)


def unavailable(message: str) -> Refusal:
    """Build the refusal of a request that the caller may repeat elsewhere or later."""
    return Refusal(grpc.StatusCode.UNAVAILABLE, message)


def unimplemented(message: str) -> Refusal:
    """Build the refusal of what Google's service can do and the local one cannot."""
    return Refusal(grpc.StatusCode.UNIMPLEMENTED, message)
