"""What patterns ask for, in words: a regular expression is no answer."""

_ID = "must be lower-case letters, digits, _ and -, begin with a letter and have at most 63 characters"
_TENANT = "must be lower-case letters, digits and _, begin with a letter and have 3 to 50 characters"
_PRINTABLE = "must be visible ASCII characters without blanks, at most 255"
_MOMENT_RULE = (
    "must be a day, 2026-01-31, or a time with its zone, 2026-01-31T09:30:00Z or 2026-01-31T09:30:00+02:00"
)
_LOCAL_MOMENT_RULE = (
    "must be a day, 2026-01-31, or a time, 2026-01-31T09:30, if need be with its zone, Z or +02:00"
)

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_ZONE = "([Zz]|[+-][0-9]{2}:[0-9]{2})"
MOMENT = f"^{_DAY}([Tt]{_TIME}{_ZONE})?$"
"""A day, or a time with its zone."""

RULES = {
    MOMENT: f"{_MOMENT_RULE}; in an address + is written %2B",
    f"^(19|20)[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}([Tt ]{_TIME}{_ZONE}?)?$": _LOCAL_MOMENT_RULE,
    f"^{_DAY}([Tt ]{_TIME}{_ZONE}?)?$": _LOCAL_MOMENT_RULE,
    "^[a-z][a-z0-9_-]{0,62}$": _ID,
    "^[a-z][a-z0-9_]{2,49}$": _TENANT,
    "^[a-z0-9_]{0,50}$": "must be lower-case letters, digits and _, at most 50",
    "^[A-Za-z0-9_-]{1,64}$": "must be letters, digits, _ and -, at most 64",
    "^[A-Za-z0-9-]{1,64}$": "must be letters, digits and -, at most 64",
    "^[A-Za-z0-9_-]{1,256}$": "must be the next_cursor of the page before, unchanged",
    "^[0-9a-f]{64}$": "must be 64 digits of a SHA-256: 0 to 9 and a to f",
    "^[!-~]{1,255}$": _PRINTABLE,
    "^[ -~]+$": "must be ASCII characters and blanks, on one line",
    "^[^\\u0000-\\u001f\\u007f]+$": "must be one line without control characters",
    "^3\\.1\\.": "must be a version 3.1",
    "^urn:problem-type:convergence:[a-z-]+$": "must be the URN of a kind of problem",
}
"""The rule of each pattern in schemas and parameters."""


def rule_of(pattern: str) -> str:
    """Say what a pattern asks for."""
    return RULES.get(pattern, "must have the form that its description says")
