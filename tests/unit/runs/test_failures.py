"""Whose fault a failure is: the table, the page that tells it, and the reasons that there are."""

import ast
import json
import re
from pathlib import Path

import pytest

from common.runs.advice import with_advice
from common.runs.failures import FAILURES_FILE, FailureClass, failure_class
from common.runs.retries import LIMIT_REASONS, RETRYABLE_REASONS
from common.runs.run import EndReason
from common.runs.steps import OWN_REASONS
from common.warehouse.identities import ISOLATED

ROOT = Path(__file__).parents[3]
FAILURES = json.loads(FAILURES_FILE.read_text())
PAGE = (ROOT / "docs" / "errors.md").read_text()


def test_the_page_has_every_reason_with_its_class_and_its_words() -> None:
    told = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+?) \|$", PAGE, re.MULTILINE)
    assert told == [(name, one["class"], one["meaning"]) for name, one in FAILURES["reasons"].items()]


def test_the_page_has_every_class_with_what_to_do() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| [^`|]+ \| (.+?) \|$", PAGE, re.MULTILINE))
    assert told.pop("error_class") == "What to do next", "the table's head"
    assert told == {one.value: one.next_step for one in FailureClass}


def test_every_reason_that_the_platform_gives_is_in_the_table() -> None:
    ends = {one.value for one in EndReason} - {EndReason.STEP_FAILED, EndReason.CANCELLED}
    given = OWN_REASONS - {"stopped"} | RETRYABLE_REASONS | LIMIT_REASONS | ends | {ISOLATED}
    assert given <= FAILURES["reasons"].keys()


def test_every_reason_of_bigquerys_that_the_code_names_is_in_the_table() -> None:
    advised = json.loads((ROOT / "common/runs/advice.json").read_text())
    assert {one["reason"] for one in advised if "reason" in one} <= FAILURES["reasons"].keys()
    refused = ast.parse((ROOT / "common/runs/guarding.py").read_text())
    named = {node.value for node in ast.walk(refused) if isinstance(node, ast.Constant)}
    assert {"quotaExceeded", "firewall"} <= named & FAILURES["reasons"].keys()


@pytest.mark.parametrize(
    ("reason", "message", "expected"),
    [
        ("invalidQuery", "Unrecognized name: amuont at [1:8]", "your_sql"),
        ("invalidQuery", "division by zero: 10 / 0", "your_data"),
        ("invalidQuery", "Bad int64 value: A7", "your_data"),
        ("invalidQuery", "Syntax error: Unexpected end of statement at [1:19]", "your_sql"),
        ("invalid", "Error while reading data, error message: CSV Error on Line: 1", "your_data"),
        ("accessDenied", "Access Denied: did you mean it?", "permission"),
        ("bytesBilledLimitExceeded", "Query exceeded limit for bytes billed", "quota"),
        ("backendError", "division by zero", "bigquery"),
        ("neverBegun", "", "platform"),
        ("aNewWord", "that nobody has heard", "bigquery"),
    ],
)
def test_a_reason_and_bigquerys_words_tell_whose_fault_it_is(
    reason: str, message: str, expected: str
) -> None:
    assert failure_class(reason, message) == expected


@pytest.mark.parametrize(("tables", "expected"), [(["orders"], "your_sql"), ([], "late_data")])
def test_a_table_that_is_not_there_is_late_unless_its_name_is_nearly_one(
    tables: list[str], expected: str
) -> None:
    said = with_advice("notFound", "Not found: Table p:acme.ordres was not found", lambda: tables)
    assert failure_class("notFound", said) == expected


def test_nothing_has_a_class_that_has_no_reason() -> None:
    assert failure_class("", "whatever") is None
