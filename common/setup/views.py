"""Views as their files define them. A view's label `definition` tells of which text it was made."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from common.setup.tables import SETUP_FOLDER, central_tables

CENTRAL_VIEWS = SETUP_FOLDER / "initial" / "views"
TENANT_VIEWS = SETUP_FOLDER / "tenant" / "views"
TENANT_VIEW = "tenant_comprehensive_view"
_DIGITS_OF_FINGERPRINT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewDefinition:
    """A view: the CREATE OR REPLACE VIEW statement of its file, with `${places}` for identifiers."""

    name: str
    text: str

    @property
    def fingerprint(self) -> str:
        """Digest of the text, and of the tables: a view over `*` is stale once a table has a new column."""
        source = f"{self.text}{central_tables()}"
        return hashlib.sha256(source.encode()).hexdigest()[:_DIGITS_OF_FINGERPRINT]

    def names_any_of(self, views: Sequence["ViewDefinition"]) -> bool:
        """Tell whether the text names one of these views; its own name does not count."""
        names = "|".join(re.escape(view.name) for view in views if view.name != self.name)
        return bool(names and re.search(rf"\b(?:{names})\b", self.text))


@cache
def central_views() -> tuple[ViewDefinition, ...]:
    """Read the views of the central dataset, each after those that it reads."""
    return tuple(_read(file) for file in sorted(CENTRAL_VIEWS.glob("*.sql")))


def in_waves(views: Sequence[ViewDefinition]) -> Iterator[Sequence[ViewDefinition]]:
    """Yield views that can be made at once: none of them names one that is yet to be made.

    Raises ValueError where views name each other in a circle.
    """
    left = list(views)
    while left:
        wave = [view for view in left if not view.names_any_of(left)]
        if not wave:
            raise ValueError(f"views name each other: {', '.join(view.name for view in left)}")
        yield wave
        left = [view for view in left if view not in wave]


@cache
def tenant_view() -> ViewDefinition:
    """Read the view that each tenant's dataset holds."""
    return _read(TENANT_VIEWS / f"{TENANT_VIEW}.sql")


def _read(file: Path) -> ViewDefinition:
    return ViewDefinition(name=file.stem, text=file.read_text(encoding="utf-8"))
