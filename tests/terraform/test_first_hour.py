"""The page of the first hour names what there is: routes, the backup, roles and a step type."""

import re

import pytest
import yaml

from common.http.openapi import api_document
from tests.terraform.configuration import ROOT, local_values, resources

PAGE = (ROOT / "docs" / "first-hour-in-a-real-project.md").read_text(encoding="utf-8")
DOCUMENT = api_document()
CALLS = sorted(set(re.findall(r'curl -sS (?:-X (\w+) )?"\$(?:\w*URL|url)(/[^" ?]*)', PAGE)))


@pytest.mark.parametrize(("method", "path"), CALLS, ids=[" ".join(call).strip() for call in CALLS])
def test_each_call_is_one_that_the_api_has(method: str, path: str) -> None:
    # What the shell puts in is one segment of the path.
    sent = re.sub(r"\$\([^)]*\)?.*|\$\w+", "x", path)
    routes = {
        template
        for template, operations in DOCUMENT["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), sent)
        and (method or "GET").lower() in operations
    }
    assert routes, sent


def test_its_seven_proofs_come_in_their_order() -> None:
    headings = re.findall(r"^## (\d)\. (.+)$", PAGE, re.MULTILINE)
    assert [number for number, _ in headings] == ["1", "2", "3", "4", "5", "6", "7"]
    assert PAGE.count("Expected") >= len(headings)


def test_it_names_the_backup_and_roles_as_terraform_does() -> None:
    assert resources("google_bigquery_data_transfer_config")["snapshots"]["display_name"] in PAGE
    assert {"Snapshot", "KeepSnapshots", "FillTables", "OwnTenants", "RemoveTenants"} <= set(
        local_values()["roles"]
    )


def test_its_pipeline_is_one_that_can_be_uploaded() -> None:
    (text,) = re.findall(r"<<'YAML'\n(.*?)YAML\n", PAGE, re.DOTALL)
    (step,) = yaml.safe_load(text)["steps"]
    assert step["ps_type"] == "bq_etl.query"
