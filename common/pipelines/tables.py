"""Tables by their full names, and the policy that says which of them a tenant may read and write."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import unquote

from common.pipelines.names import TABLE_RULE, is_table_name
from common.pipelines.tokens import MASK

# Google's name for whole datasets of metadata. Only these views show nothing but their own dataset.
INFORMATION_SCHEMA = "INFORMATION_SCHEMA"
DATASET_VIEWS = frozenset(
    {
        "COLUMNS",
        "COLUMN_FIELD_PATHS",
        "CONSTRAINT_COLUMN_USAGE",
        "KEY_COLUMN_USAGE",
        "MATERIALIZED_VIEWS",
        "PARAMETERS",
        "PARTITIONS",
        "ROUTINES",
        "ROUTINE_OPTIONS",
        "TABLES",
        "TABLE_CONSTRAINTS",
        "TABLE_OPTIONS",
        "TABLE_SNAPSHOTS",
        "VIEWS",
    }
)
PUBLIC_DATA = "bigquery-public-data"
PROJECT_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
PLATFORM_VIEWS = "tenant_comprehensive"
PLATFORM_TABLES = "_cvg_"
"""What the platform's own tables in a tenant's dataset begin with: tenants read them, and write none."""

# A wildcard stands in the path alone: a bucket is one.
_URI = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]/(?P<path>[^\x00-\x1f?#\[\]]{1,1024})")

_WITH_PROJECT = (
    "a step with a credential runs in another project, so write project.dataset.name, and "
    "`${project_id}.${tenant_id}.name` for your own"
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TableName:
    """A table's full name; a `table` that ends in `*` stands for all tables that begin so."""

    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}.{self.dataset}.{self.table}"

    @property
    def is_wildcard(self) -> bool:
        """Tell whether the name stands for many tables."""
        return self.table.endswith("*")

    def covers(self, other: "TableName") -> bool:
        """Tell whether reading this name reads the other table."""
        if not self.is_wildcard:
            return self == other
        is_neighbour = (self.project, self.dataset) == (other.project, other.dataset)
        return is_neighbour and other.table.startswith(self.table[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one tenant may touch: its own dataset, and sources to read; and at what cost.

    A source is `project`, `project.dataset` or `project.dataset.table`.
    """

    project_id: str
    dataset: str
    allowed_sources: frozenset[str] = field(default_factory=lambda: frozenset({PUBLIC_DATA}))
    maximum_bytes_billed: int | None = None
    """The most that one step may have the platform billed for, in bytes; None for no limit."""
    runs_elsewhere: bool = False
    """Whether the statement runs in a project of the tenant's, under an account of the tenant's.

    Then other projects are open as far as that account may read them, and a name of two parts is one of
    that project's datasets, whatever dataset of the platform is called like it.
    """

    def widened(self, sources: frozenset[str]) -> Self:
        """Return the policy that also allows these sources."""
        return replace(self, allowed_sources=self.allowed_sources | sources)

    def is_own(self, table: TableName) -> bool:
        """Tell whether a table is in the tenant's own dataset."""
        return (table.project, table.dataset) == (self.project_id, self.dataset)

    def resolve(self, path: Sequence[str]) -> TableName | None:
        """Complete a path of one to three names; None where it has more, or empty ones."""
        if not 1 <= len(path) <= 3 or not all(path):
            return None
        project, dataset, table = (self.project_id, self.dataset, "")[: 3 - len(path)] + tuple(path)
        return TableName(project=project, dataset=dataset, table=table)

    def reason_against_reading(self, path: Sequence[str]) -> str:
        """Say which rule forbids to read a table, as the rest of a sentence; "" where none does."""
        name = ".".join(path)
        if any(part.upper() == INFORMATION_SCHEMA for part in path):
            return self._reason_against_metadata(path)
        table = self.resolve(path)
        if table is None:
            return f"reads {name}, which is no path of a table: write dataset.table or project.dataset.table"
        if self._lacks_project(path):
            return f"reads {name}, which names no project: {_WITH_PROJECT}"
        if reason := _reason_against_name(table):
            return f"reads {name}: {reason}"
        if self.is_own(table):
            return _reason_against_platform_view(name, table)
        return "" if self._is_allowed(table) else f"reads {name}: {self._own_or_allowed()}"

    def reason_against_calling(self, path: Sequence[str]) -> str:
        """Say which rule forbids to call a routine of some dataset; "" where none does."""
        routine = self.resolve(path)
        if self._lacks_project(path):
            return f"calls {'.'.join(path)}, which names no project: {_WITH_PROJECT}"
        if routine is not None and (self.is_own(routine) or self._is_allowed(routine)):
            return ""
        return (
            f"calls {'.'.join(path)}: routines must be built in, or in your own dataset or an allowed source"
        )

    def reason_against_writing(self, path: Sequence[str]) -> str:
        """Say which rule forbids to write a table; "" where none does."""
        table = self.resolve(path)
        if table is None or not self.is_own(table):
            return f"must be in your own dataset, {self.dataset}"
        if not is_table_name(table.table):
            return TABLE_RULE
        if _is_platform_view(table):
            return f"must not be a view of the platform: no name that begins with {PLATFORM_VIEWS}"
        if table.table.lower().startswith(PLATFORM_TABLES):
            return f"must not be a table of the platform: no name that begins with {PLATFORM_TABLES}"
        return ""

    def reason_against_uri(self, uri: str) -> str:
        """Say which rule forbids a tenant to read or write files of a name; "" where none does.

        A source that begins with gs:// allows a bucket, or what begins with a path in one. Under a credential
        it is the tenant's own account that reads and writes files, and may what it may anyway.
        """
        found = _URI.fullmatch(uri)
        if "${" in uri:
            return f"names {uri}, which holds a variable that has no value"
        if found is None or uri.count("*") > 1:
            return (
                f"names {uri}, which is no file of Cloud Storage: write gs://bucket/path, with one * at most"
            )
        parts = {*found["path"].split("/"), *unquote(found["path"]).split("/")}
        if not parts.isdisjoint({"", ".", ".."}):
            return f"names {uri}: a path has no empty parts, and no . or .., in other characters neither"
        if self.runs_elsewhere:
            return ""
        allowed = (source.rstrip("/") for source in self.allowed_sources if source.startswith("gs://"))
        if any(uri.startswith(f"{source}/") for source in allowed):
            return ""
        return f"names {uri}: only files of allowed buckets can be named"

    def _own_or_allowed(self) -> str:
        if self.runs_elsewhere:
            return (
                f"of the project {self.project_id} only tables of your own dataset, {self.dataset}, and of "
                "allowed sources can be read; other projects are named by their IDs"
            )
        return f"only tables of your own dataset, {self.dataset}, and of allowed sources can be read"

    def _is_allowed(self, table: TableName) -> bool:
        dataset = f"{table.project}.{table.dataset}"
        if not self.allowed_sources.isdisjoint({dataset, f"{dataset}.{table.table}"}):
            return True
        # The platform's own project holds every tenant: no allow-list can open it as a whole. Who may read
        # elsewhere names projects by their IDs: a number, or capitals, could stand for the platform's.
        if table.project == self.project_id:
            return False
        is_open = self.runs_elsewhere and PROJECT_ID.fullmatch(table.project) is not None
        return is_open or table.project in self.allowed_sources

    def _lacks_project(self, path: Sequence[str]) -> bool:
        return self.runs_elsewhere and len(path) == 2

    def _reason_against_metadata(self, path: Sequence[str]) -> str:
        *dataset, word, view = path if len(path) > 1 else (*path, "")
        own = [[self.project_id, self.dataset], *([] if self.runs_elsewhere else [[self.dataset]])]
        if dataset in own and word.upper() == INFORMATION_SCHEMA and view.upper() in DATASET_VIEWS:
            return ""
        return (
            f"reads {'.'.join(path)}: of {INFORMATION_SCHEMA} only what describes your own dataset can be "
            f"read, such as {'.'.join(own[-1])}.{INFORMATION_SCHEMA}.TABLES"
        )


def _is_platform_view(table: TableName) -> bool:
    return table.table.lower().startswith(PLATFORM_VIEWS)


def _reason_against_platform_view(name: str, table: TableName) -> str:
    # What lies under these views is the central dataset, which no job of a tenant may touch.
    return f"reads {name}: the platform's own views are not for pipelines" if _is_platform_view(table) else ""


def _reason_against_name(table: TableName) -> str:
    parts = (table.project, table.dataset, table.table)
    if MASK in parts:
        return "a table is named in backticks, not in quotes"
    if any("$" in part or "@" in part for part in parts):
        return "decorators ($, @) are not allowed: filter by partition, or use FOR SYSTEM_TIME AS OF"
    if any("*" in part for part in (*parts[:2], parts[2][:-1])):
        return "a wildcard (*) can only end the name of a table"
    if any(character in part for part in parts for character in ":/'\"`;"):
        return "the name holds a character that no table has"
    return ""
