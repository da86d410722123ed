"""The tenant's own tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.calls import Call, segment

TABLES = "/api/v1/pipelines/tables"


class Column(TypedDict):
    """A column, or a field of a STRUCT."""

    name: str
    type: str
    mode: str
    description: str | None
    fields: "list[Column]"


class LastWritten(TypedDict):
    """The step that wrote a table last."""

    pipeline_id: str
    step_id: str
    pipeline_logging_id: str
    written_at: str


class Table(TypedDict):
    """A table or view."""

    table: str
    kind: str
    is_platforms: bool
    rows: int | None
    bytes: int | None
    columns: list[Column]
    created_at: str
    changed_at: str
    expires_at: str | None
    last_written: LastWritten | None


class Rows(TypedDict):
    """The first rows of a table."""

    table: str
    columns: list[Column]
    total_rows: int | None
    is_complete: bool
    rows: list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables and views of a tenant's dataset."""

    api: Api

    def all(self, after: str | None = None) -> Iterator[Table]:
        """List them by name, page after page; with `after` those whose names come after it."""
        while True:
            page = self.api.get(TABLES, after=after)
            yield from cast("list[Table]", page["tables"])
            after = page["next_after"]
            if after is None:
                return

    def find(self, table: str) -> Table | None:
        """Look for a table by its name; None where there is none."""
        for one in self.all(after=table[:-1] or None):
            if one["table"] >= table:
                return one if one["table"] == table else None
        return None

    def rows(self, table: str, limit: int | None = None) -> Rows:
        """Show a table's first rows, a thousand at the most; nothing is billed."""
        return cast("Rows", self.api.get(f"{TABLES}/{segment(table)}/rows", limit=limit))

    def delete(self, table: str) -> None:
        """Delete a table or view."""
        self.api.send(Call(method="DELETE", path=f"{TABLES}/{segment(table)}"))
