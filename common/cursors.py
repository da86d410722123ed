"""Cursors of pages: where a page ended, and by which filters it was asked for."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from common import strict_json
from common.errors import InvalidInput, Violation
from common.times import from_rfc3339, to_rfc3339


def cursor_at(moment: datetime, key: str, asked: Sequence[object]) -> str:
    """Write down where a page ends: at the moment and the key of its last entry."""
    position = json.dumps([to_rfc3339(moment), key, _hash(asked)])
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def position_of(cursor: str, asked: Sequence[object]) -> tuple[datetime, str]:
    """Return where a page ended; InvalidInput for a cursor that is none of ours, or of other filters."""
    try:
        written = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("utf-8")
        moment, key, hashed = map(_text, strict_json.parse(written))
        position = from_rfc3339(moment), key
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            [Violation("/cursor", "use the next_cursor of the page before, unchanged")]
        ) from error
    if hashed != _hash(asked):
        raise InvalidInput(
            [Violation("/cursor", "is of a page with other filters: repeat those, or leave it out")]
        )
    return position


def _text(value: object) -> str:
    """Return a value that is a text; ValueError for what no query could be asked with."""
    if not isinstance(value, str):
        raise TypeError("must be a text")
    strict_json.check_text(value)
    return value


def _hash(asked: Sequence[object]) -> str:
    """Tell one filter from another; "" and None leave a filter out."""
    return hashlib.sha256(json.dumps([str(one or "") for one in asked]).encode()).hexdigest()[:16]
