"""Values as people read them; nothing that a tenant or BigQuery wrote can steer the terminal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.words import in_bytes, in_time, visible

BLANKS = str.maketrans("\r\n\t", "   ")


def plain(text: Any) -> str:
    """Write a value in one line: control and bidirectional characters as escapes."""
    return visible(str(text).translate(BLANKS), kept="")


def plain_lines(text: str) -> list[str]:
    """Write a text line by line, each as `plain` writes it."""
    return [plain(line.replace("\t", "    ")) for line in text.split("\n")]


def cell(value: Any) -> str:
    """Write a value of a table; nothing for what is not known."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:g}"
        case list() | tuple():
            return ", ".join(plain(one) for one in value)
        case _:
            return plain(value)


def moment(text: str | None) -> str:
    """Write a time to the second, in UTC as it is."""
    if not text:
        return ""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return plain(text)


def took(milliseconds: int | None) -> str:
    """Write a duration; nothing for what is not known."""
    return "" if milliseconds is None else in_time(milliseconds)


def size(count: int | None) -> str:
    """Write a number of bytes; nothing for what is not known."""
    return "" if count is None else in_bytes(count)


def costs(cost: float | None, price: Mapping[str, Any]) -> str:
    """Write a cost, of which what is unknown is no nought."""
    return "unknown" if cost is None else f"{cost:.4f} {price['currency']}"
