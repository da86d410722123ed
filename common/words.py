"""Sizes, durations and strangers' texts as people read them, in pages and on terminals alike."""

import unicodedata

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
STEP = 1024.0
STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that hide or reorder text, or move a terminal's cursor."""


def visible(text: str, kept: str = "\n\t") -> str:
    """Write out what a text hides, by code points; the characters in `kept` stay."""
    return "".join(
        f"\\u{ord(character):04x}"
        if unicodedata.category(character) in STEERING and character not in kept
        else character
        for character in text
    )


def in_bytes(count: int) -> str:
    """Write a number of bytes: `1.5 GiB`, in powers of 1,024."""
    value, unit = float(count), 0
    while value >= STEP and unit < len(UNITS) - 1:
        value, unit = value / STEP, unit + 1
    return f"{value:.0f} {UNITS[unit]}" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def in_time(milliseconds: float) -> str:
    """Write a duration: `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
