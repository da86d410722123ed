"""Every claim that the code makes is in the decision's table, by its prefix, and no other (ADR 2)."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = re.compile(r"^\|[^|]+\|(?P<claims>[^|]+)\|[^|]+\|$", re.MULTILINE)
PREFIX = re.compile(r"`(cvg-[a-z]+(?:-[a-z]+)*)")
NO_CLAIM = {"cvg-test"}
"""Jobs whose IDs lock nothing: tests of SQL, whose IDs are random."""


def claims_of(page: str) -> set[str]:
    """Read the prefixes of a table's second column."""
    return {prefix for row in TABLE.finditer(page) for prefix in PREFIX.findall(row["claims"])}


def claims_in(python: str) -> set[str]:
    """Find the prefixes of job IDs in code: what is put together from parts, up to the first of them."""
    return {found.rstrip("-") for found in re.findall(r"\"(cvg-[a-z-]+?)-?(?:\{|\")", python)}


def test_the_decision_names_every_claim() -> None:
    page = (ROOT / "docs/adr/0002-job-ids-are-locks.md").read_text(encoding="utf-8")
    code = [file.read_text(encoding="utf-8") for file in (ROOT / "common").rglob("*.py")]
    made = {claim for python in code for claim in claims_in(python)} - NO_CLAIM
    assert made == claims_of(page)


def test_a_claim_that_the_table_lacks_is_found() -> None:
    page = "| ticket | `cvg-ticket-<tenant>-<n>` | quotas are exact |\n"
    assert claims_of(page) == {"cvg-ticket"}
    assert claims_in('f"cvg-ticket-{tenant}" + "cvg-new"') == {"cvg-ticket", "cvg-new"}
