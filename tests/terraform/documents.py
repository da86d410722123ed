"""What the documents say, as data: the permissions table and the sections of the runbook."""

import re
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

DOCS = Path(__file__).resolve().parents[2] / "docs"


class Grant(NamedTuple):
    """Who may do what, and where: a row of the permissions table."""

    who: str
    role: str
    on: str


def documented_grants() -> set[Grant]:
    """Read the rows of docs/permissions.md with four columns, the second a role; cells may list several."""
    rows = re.findall(
        r"^\| (.+) \| (`.+`) \| (.+) \| .+ \|$", (DOCS / "permissions.md").read_text(), re.MULTILINE
    )
    return {
        Grant(who, role, on)
        for whose, roles, where in rows
        for who in whose.split(", ")
        for role in re.findall(r"`([^`]+)`", roles)
        for on in where.split(", ")
    }


class HostileFunction(NamedTuple):
    """What a function is granted, as the decision weighs it: cells of its row."""

    writes: str
    secrets: str
    publishes_to: str
    acts_as: str
    could: str
    could_not: str


def hostile_functions() -> dict[str, HostileFunction]:
    """Read the decision's table of what functions could do, by function."""
    (page,) = (DOCS / "adr").glob("*-what-a-hostile-function-could-do.md")
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", page.read_text(), re.MULTILINE)
    return {function: HostileFunction(*cells.split(" | ")) for function, cells in rows}


def documented_writers() -> dict[str, list[str]]:
    """Read the rows of docs/permissions.md that say who writes which table."""
    rows = re.findall(r"^\| `(\w+)` \| ([a-z_, ]+) \|$", (DOCS / "permissions.md").read_text(), re.MULTILINE)
    return {table: functions.split(", ") for table, functions in rows}


def runbook_sections() -> set[str]:
    """Return the anchors of the runbook's headings."""
    headings = re.findall(r"^#+ (.+)$", (DOCS / "runbook.md").read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def restore_statements() -> list[str]:
    """Return the SQL of the runbook's restore, in order."""
    section = (DOCS / "runbook.md").read_text().partition("## Restore a table")[2].partition("\n## ")[0]
    return [dedent(sql).strip() for sql in re.findall(r"```sql\n(.*?)```", section, re.DOTALL)]
