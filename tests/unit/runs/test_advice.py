"""A step's error is BigQuery's sentence and ours, as docs/errors.md has them."""

from pathlib import Path

import pytest

from common.pipelines.plans import CheckJob
from common.quality.checks import Check
from common.runs.advice import with_place
from common.runs.run import RunStatus
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_query, a_step
from tests.unit.runs.test_levels import Platform

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"


def rows_of_the_page() -> list[tuple[str, str, str]]:
    """Read what BigQuery says, its reason, and what the platform adds, of each query on the page."""
    rows = [
        line.strip("| \n").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `")
    ]
    return [
        (said, reason.strip("`"), added) for _, said, reason, added in (row for row in rows if len(row) == 4)
    ]


def told(reason: str, said: str, *tables: str) -> str:
    platform = Platform()
    platform.jobs.tables = list(tables)
    platform.jobs.refusals["dry run", "a"] = (400, reason, said)
    platform.deliver(a_message(a_pipeline((a_step("a"),), sources=("my-project.closed",))))
    assert platform.status is RunStatus.FAILED
    row = platform.rows.steps_of(RUN_ID)["a"]
    assert row.error_reason == reason
    assert platform.rows.current()[RUN_ID].error == f"step a: {row.error_message}"
    return row.error_message


def test_the_page_has_twelve_queries() -> None:
    assert len(rows_of_the_page()) == 12


@pytest.mark.parametrize(("said", "reason", "added"), rows_of_the_page())
def test_what_the_page_says_is_what_is_told(said: str, reason: str, added: str) -> None:
    sentence = said if said.endswith(".") else f"{said}."
    assert told(reason, said, "orders", "customers") == f"{sentence} {added}"


@pytest.mark.parametrize(
    "said",
    [
        "Not found: Table p:acme.ordres",
        "Not found: Table p:acme.ordres was not found in location EU",
        'Table "ordres" must be qualified with a dataset (e.g. dataset.table). Not found: Table ordres',
    ],
)
def test_a_missing_table_has_the_nearest_names_of_the_tenants_dataset(said: str) -> None:
    assert told("notFound", said, "orders", "orders_old", "x").endswith("Did you mean orders or orders_old?")


def test_a_place_in_the_query_is_followed_by_that_in_the_file() -> None:
    platform = Platform()
    said = "Unrecognized name: amuont; Did you mean amount? at [2:8]"
    platform.jobs.refusals["dry run", "a"] = (400, "invalidQuery", said)
    query = a_query("a", sql="SELECT\n  one, amuont", places=((1, 1, 13, 9),))
    platform.deliver(a_message(a_pipeline((a_step("a", jobs=(query,)),))))
    told = platform.rows.steps_of(RUN_ID)["a"].error_message
    assert told.startswith(f"{said} (line 14, column 16 of the file). Check the name")


def test_a_file_that_cannot_be_read_is_no_matter_of_sql() -> None:
    said = "Error while reading data, error message: Could not parse 'x' as INT64 for field a (position 0)"
    assert told("invalid", said).startswith(f"{said}. Mend the file or move it away")


CHECKS_SQL = """SELECT *
FROM (
  SELECT
    COUNT(*) AS row_count,
    COUNT(*) AS checked_0,
    COUNTIF(NOT (
amuont >= 0
)) AS failed_0,
    COUNT(*) AS checked_1
  FROM `t`
) AS convergence_scan
CROSS JOIN (
  SELECT checked AS checked_2, failed AS failed_2
  FROM (
    SELECT nope
  )
) AS convergence_check_2"""


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("at [7:1]", "in the check no_negative"),
        ("at [9:5]", "in the check unique_id"),
        ("at [15:12]", "in the check found"),
        ("at [17:90]", "at [17:90]"),
    ],
)
def test_a_place_in_the_statement_of_all_checks_is_told_as_the_check(place: str, told: str) -> None:
    checks = [Check(name=name, type="query") for name in ("no_negative", "unique_id", "found")]
    job = CheckJob(sql=CHECKS_SQL, checks=tuple(checks))
    assert with_place(f"Unrecognized name: amuont {place}", job) == f"Unrecognized name: amuont {told}"


def test_a_sentence_that_we_know_nothing_of_stays_as_it_is() -> None:
    assert told("invalid", "Something else") == "Something else"


def test_a_step_fails_in_bigquerys_words_where_its_tables_cannot_be_listed() -> None:
    platform = Platform()
    platform.jobs.refusals["dry run", "a"] = (404, "notFound", "Not found: Table p:acme.ordres")
    platform.jobs.refusals["table names", "acme"] = (403, "accessDenied", "Access Denied")
    platform.deliver(a_message(a_pipeline((a_step("a"),))))
    assert platform.rows.steps_of(RUN_ID)["a"].error_message.startswith("Not found: Table p:acme.ordres.")
