"""What a statement of DuckDB may change: what is known of tables lasts until then."""

import re
from dataclasses import dataclass

START = r"(?:\s|--[^\n]*\n)*"
"""Blanks and comments, before a statement begins."""


type Name = tuple[str, ...]
"""A dataset in small letters, and a table of it where not the whole dataset is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What statements may have done to the tables of projects."""

    written: frozenset[Name] = frozenset()
    """Of which tables rows were written or deleted."""
    defined: frozenset[Name] = frozenset()
    """Which tables, views and datasets were made, altered or dropped."""
    is_of_all_rows: bool = False
    """Rows were written, nobody knows of which table."""
    is_of_all: bool = False
    """Something was done, nobody knows where."""

    def __or__(self, other: "Change") -> "Change":
        return Change(
            written=self.written | other.written,
            defined=self.defined | other.defined,
            is_of_all_rows=self.is_of_all_rows or other.is_of_all_rows,
            is_of_all=self.is_of_all or other.is_of_all,
        )


NOTHING = Change()
ALL_ROWS = Change(is_of_all_rows=True)
ALL = Change(is_of_all=True)


READS = re.compile(rf"{START}(?:SELECT|FROM|WITH|EXPLAIN|USE|BEGIN)\b", re.IGNORECASE)
OWN = re.compile(
    rf"{START}(?:CREATE(?:\s+OR\s+REPLACE)?|DROP|INSERT(?:\s+OR\s+REPLACE)?\s+INTO|DELETE\s+FROM)"
    r'(?:\s+TABLE)?(?:\s+IF(?:\s+NOT)?\s+EXISTS)?\s+"?emulator"?\.',
    re.IGNORECASE,
)
"""Writes to the database in which `local_bigquery` keeps jobs, results and the like: no project has it."""
MESSAGES = re.compile(rf"{START}CALL\s+\S+\.set_commit_message\(", re.IGNORECASE)
"""What a transaction says of itself when it is committed."""
NAME = r'(?:"(?:[^"]|"")+"|\w+)'
WRITES = re.compile(rf"{START}(?:INSERT|UPDATE|DELETE|TRUNCATE|MERGE)\b", re.IGNORECASE)
WRITTEN = re.compile(
    rf"{START}(?:(?:INSERT|MERGE)\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)"
    rf"\s+{NAME}\.(?P<dataset>{NAME})\.(?P<table>{NAME})",
    re.IGNORECASE,
)
"""With the name of the table whose rows they are."""
DEFINES = re.compile(
    rf"{START}(?:ALTER|COMMENT|CREATE|DROP)\b[A-Z\s]*?\s"
    rf"(?:SCHEMA\s(?:IF\s(?:NOT\s)?EXISTS\s)?{NAME}\.(?P<whole>{NAME})(?=[\s;]|\Z)"
    rf"|{NAME}\.(?P<dataset>{NAME})\.(?P<table>{NAME}))",
    re.IGNORECASE,
)
"""With the names of a dataset and a table in it, or of the whole dataset that is defined."""


def change_by(statement: str) -> Change:
    """Tell what a statement may change; one that is not known may change everything."""
    if READS.match(statement) or OWN.match(statement) or MESSAGES.match(statement):
        return NOTHING
    if WRITES.match(statement):
        written = WRITTEN.match(statement)
        return Change(written=frozenset({_name(written)})) if written else ALL_ROWS
    if defined := DEFINES.match(statement):
        return Change(
            defined=frozenset({(_plain(defined["whole"]),) if defined["whole"] else _name(defined)})
        )
    return ALL


def _name(found: re.Match[str]) -> Name:
    return _plain(found["dataset"]), _plain(found["table"])


def _plain(name: str) -> str:
    return name.strip('"').replace('""', '"').casefold()
