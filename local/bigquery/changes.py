"""What a statement of DuckDB may change: what is known of tables lasts until then."""

import re
from dataclasses import dataclass

START = r"(?:\s|--[^\n]*\n)*"
"""Blanks and comments, before a statement begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What statements may have done to the tables of projects."""

    is_of_rows: bool = False
    datasets: frozenset[str] = frozenset()
    """In which datasets a table or a view was made, altered or dropped, in small letters; or which were."""
    is_of_all: bool = False
    """Something was, nobody knows where."""

    def __or__(self, other: "Change") -> "Change":
        return Change(
            is_of_rows=self.is_of_rows or other.is_of_rows,
            datasets=self.datasets | other.datasets,
            is_of_all=self.is_of_all or other.is_of_all,
        )


NOTHING = Change()
ROWS = Change(is_of_rows=True)
ALL = Change(is_of_rows=True, is_of_all=True)


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
DEFINES = re.compile(
    rf"{START}(?:ALTER|COMMENT|CREATE|DROP)\b[A-Z\s]*?\s"
    rf"(?:SCHEMA\s(?:IF\s(?:NOT\s)?EXISTS\s)?{NAME}\.(?P<dataset>{NAME})(?=[\s;]|\Z)"
    rf"|{NAME}\.(?P<of_table>{NAME})\.{NAME})",
    re.IGNORECASE,
)
"""With the names of a project and a dataset, and of a table where it is not the dataset that is defined."""


def change_by(statement: str) -> Change:
    """Tell what a statement may change; one that is not known may change everything."""
    if READS.match(statement) or OWN.match(statement) or MESSAGES.match(statement):
        return NOTHING
    if WRITES.match(statement):
        return ROWS
    if defined := DEFINES.match(statement):
        dataset = (defined["dataset"] or defined["of_table"]).strip('"').replace('""', '"').casefold()
        return Change(is_of_rows=True, datasets=frozenset({dataset}))
    return ALL
