"""Values as people read them; nothing that a tenant or BigQuery wrote can steer the terminal."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
STEP = 1024.0
STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of characters that move the cursor, hide or reorder text."""


def plain(text: Any) -> str:
    """Write a value in one line: control and bidirectional characters as escapes."""
    return "".join(
        character if unicodedata.category(character) not in STEERING else _escaped(character)
        for character in str(text)
    )


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
    """Write a duration."""
    return "" if milliseconds is None else f"{milliseconds / 1000:.1f} s"


def size(count: int | None) -> str:
    """Write a number of bytes."""
    if count is None:
        return ""
    value = float(count)
    for unit in UNITS[:-1]:
        if value < STEP:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= STEP
    return f"{value:.1f} {UNITS[-1]}"


def costs(cost: float | None, price: Mapping[str, Any]) -> str:
    """Write a cost, of which what is unknown is no nought."""
    return "unknown" if cost is None else f"{cost:.4f} {price['currency']}"


def _escaped(character: str) -> str:
    return " " if character in "\r\n\t" else f"\\u{ord(character):04x}"
