"""Templates: HTML in which whatever tenants write is text, and nothing of it can hide or turn around."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from common import words
from common.console import pictures
from common.console.calendars import WEEKDAYS
from common.console.sessions import Role, Session
from common.console.static_files import VERSION
from common.console.visits import Page
from common.times import from_rfc3339

FOLDER = Path(__file__).parent / "templates"
UNKNOWN = "—"
NAVIGATION = {
    Role.TENANT: (
        ("/console/", "Overview"),
        ("/console/pipelines", "Pipelines"),
        ("/console/runs", "Runs"),
        ("/console/tables", "Tables"),
        ("/console/quality", "Quality"),
        ("/console/usage", "Usage"),
        ("/console/keys", "Keys"),
        ("/console/credentials", "Credentials"),
    ),
    Role.OPERATOR: (
        ("/console/operator", "Platform"),
        ("/console/operator/tenants", "Tenants"),
        ("/console/operator/audit", "Audit"),
    ),
}
LITTLE = 1.0
GOOGLES_CONSOLE = "https://console.cloud.google.com/"


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
            bytes=in_bytes,
            duration=in_time,
            moment=moment,
            percent=percent,
            number=number,
            cost=cost,
            is_googles=is_googles,
        )
        self._environment.globals.update(
            pictures=pictures,
            version=VERSION,
            navigation=NAVIGATION,
            weekdays=WEEKDAYS,
        )

    def render(self, page: Page, session: Session, here: str = "") -> str:
        """Render a page for a session; `here` is its path, which the navigation marks."""
        template = self._environment.get_template(page.template)
        field = Markup('<input type="hidden" name="form_token" value="{}">').format(session.form_token)
        return template.render(
            **page.values,
            session=session,
            is_live=page.is_live,
            live_seconds=page.live_seconds,
            here=here,
            token=lambda: field,
            once=lambda: str(uuid4()),
        )


def in_bytes(count: int | None) -> str:
    """Write a number of bytes; "—" where it is not known."""
    return UNKNOWN if count is None else words.in_bytes(count)


def in_time(milliseconds: float | None) -> str:
    """Write a duration; "—" where it is not known."""
    return UNKNOWN if milliseconds is None else words.in_time(milliseconds)


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


def cost(amount: float | None, currency: str) -> str:
    """Write what something cost, to the hundredth of a cent where it is little; "—" where it is not known."""
    if amount is None:
        return UNKNOWN
    return f"{amount:,.2f} {currency}" if amount >= LITTLE or not amount else f"{amount:.4f} {currency}"


def is_googles(address: str | None) -> bool:
    """Tell whether an address is a page of Google's console: no other leads out of this one."""
    return bool(address and address.startswith(GOOGLES_CONSOLE))


def _shown(value: Any) -> Any:
    if value is None:
        return UNKNOWN
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
