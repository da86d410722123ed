"""Templates: HTML in which whatever tenants write is text, and nothing of it can hide or turn around."""

import unicodedata
from pathlib import Path
from typing import Any
from uuid import uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from common.console import pictures
from common.console.sessions import Session
from common.console.static_files import VERSION
from common.console.visits import Page
from common.times import from_rfc3339

FOLDER = Path(__file__).parent / "templates"
KEPT_CONTROLS = frozenset("\n\t")
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
UNKNOWN = "—"
UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
LIVE_SECONDS = 2
"""How often a page of something under way is asked for again."""


class Templates:
    """Makes pages of the templates in the folder beside this module."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        self._environment.filters.update(
            bytes=in_bytes, duration=in_words, moment=moment, percent=percent, number=number
        )
        self._environment.globals.update(pictures=pictures, version=VERSION, live_seconds=LIVE_SECONDS)

    def render(self, page: Page, session: Session) -> str:
        """Render a page for a session."""
        template = self._environment.get_template(page.template)
        field = Markup('<input type="hidden" name="form_token" value="{}">').format(session.form_token)
        return template.render(
            **page.values,
            session=session,
            is_live=page.is_live,
            token=lambda: field,
            once=lambda: str(uuid4()),
        )


def visible(text: str) -> str:
    """Write out what a text hides: control characters and those that turn it around, by their code points."""
    return "".join(
        f"\\u{ord(letter):04x}"
        if unicodedata.category(letter) in HIDDEN_CATEGORIES and letter not in KEPT_CONTROLS
        else letter
        for letter in text
    )


def in_bytes(count: int | None) -> str:
    """Write a number of bytes: `1.5 GB`, in powers of 1,024; "—" where it is not known."""
    if count is None:
        return UNKNOWN
    size, unit = float(count), 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if unit == 0 else f"{size:.1f} {UNITS[unit]}"


def in_words(milliseconds: float | None) -> str:
    """Write a duration: `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`; "—" where it is not known."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(text: str | None) -> str:
    """Write a moment of the API's, RFC 3339, as `2024-01-01 12:30:05 UTC`; "—" where there is none."""
    if not text:
        return UNKNOWN
    return f"{from_rfc3339(text):%Y-%m-%d %H:%M:%S} UTC"


def percent(share: float | None) -> str:
    """Write a share of one in per cent; "—" where it is not known."""
    return UNKNOWN if share is None else f"{share:.0%}"


def number(count: int | None) -> str:
    """Write a count with its thousands apart; "—" where it is not known."""
    return UNKNOWN if count is None else f"{count:,}"


def _shown(value: Any) -> Any:
    if value is None:
        return UNKNOWN
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
