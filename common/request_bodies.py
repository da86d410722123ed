"""Bodies of requests: read to their end, whatever becomes of them."""

from contextlib import suppress
from io import BytesIO

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request

PIECE_BYTES = 64 * 1024


def exhaust(request: Request) -> None:
    """Read what is left of a body and forget it, as servers want it; one that breaks off is at its end.

    The framework would read it once more behind the answer, and answer 500 where that fails.
    """
    request.max_content_length = None
    with suppress(OSError, ClientDisconnected):
        while request.stream.read(PIECE_BYTES):
            pass
    request.stream = BytesIO()
