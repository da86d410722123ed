"""What a statement of DuckDB may change: what is known of tables lasts until then."""

import re
from enum import Enum, auto

START = r"(?:\s|--[^\n]*\n)*"
"""Blanks and comments, before a statement begins."""


class Change(Enum):
    """What a statement may have done to the tables of a project."""

    NOTHING = auto()
    ROWS = auto()
    TABLES = auto()
    """Made, altered or dropped a table, a view or a dataset; rows too."""


READS = re.compile(rf"{START}(?:SELECT|FROM|WITH|EXPLAIN|USE|BEGIN)\b", re.IGNORECASE)
OWN = re.compile(
    rf"{START}(?:CREATE(?:\s+OR\s+REPLACE)?|DROP|INSERT(?:\s+OR\s+REPLACE)?\s+INTO|DELETE\s+FROM)"
    r'(?:\s+TABLE)?(?:\s+IF(?:\s+NOT)?\s+EXISTS)?\s+"?emulator"?\.',
    re.IGNORECASE,
)
"""Writes to the database in which `local_bigquery` keeps jobs, results and the like: no project has it."""
MESSAGES = re.compile(rf"{START}CALL\s+\S+\.set_commit_message\(", re.IGNORECASE)
"""What a transaction says of itself when it is committed."""
WRITES = re.compile(rf"{START}(?:INSERT|UPDATE|DELETE|TRUNCATE)\b", re.IGNORECASE)


def change_by(statement: str) -> Change:
    """Tell what a statement may change; one that is not known may change everything."""
    if READS.match(statement) or OWN.match(statement) or MESSAGES.match(statement):
        return Change.NOTHING
    return Change.ROWS if WRITES.match(statement) else Change.TABLES
