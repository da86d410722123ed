"""What BigQuery is asked for of files of each format."""

from typing import Any

import pytest

from common.pipelines.plans import FileFormat, LoadJob
from common.runs.ports import StepJob
from common.warehouse.job_kinds import load_config

LISTS = {"enableListInference": True, "enumAsString": True}


def asked(form: FileFormat, **more: Any) -> dict[str, Any]:
    """Return the configuration of a load."""
    work = LoadJob(uris=("gs://acme-files/a",), format=form, destination="orders", **more)
    job = StepJob(
        job_id="j", tenant_id="acme", work=work, parameters=(), timeout_seconds=60, labels={"tenant": "acme"}
    )
    config: dict[str, Any] = load_config(job, work).to_api_repr()["load"]
    return config


def test_lists_of_parquet_are_lists_and_days_of_avro_are_days() -> None:
    assert asked(FileFormat.PARQUET)["parquetOptions"] == LISTS
    assert asked(FileFormat.AVRO)["useAvroLogicalTypes"] is True


@pytest.mark.parametrize("form", [FileFormat.CSV, FileFormat.JSON, FileFormat.ORC])
def test_options_of_a_format_are_for_it_alone(form: FileFormat) -> None:
    assert not {"parquetOptions", "useAvroLogicalTypes"} & asked(form).keys()


@pytest.mark.parametrize(("delimiter", "character"), [("\t", "\t"), ("\\t", "\t"), ("\\", "\\"), (";", ";")])
def test_a_tab_may_be_written_as_other_tools_write_it(delimiter: str, character: str) -> None:
    assert asked(FileFormat.CSV, delimiter=delimiter)["fieldDelimiter"] == character
