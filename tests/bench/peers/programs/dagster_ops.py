"""Dagster: an asset for each step, a job of all of them in its multiprocess executor."""

import json
import os
import sys
from functools import cache
from pathlib import Path

import dagster
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

FILE = Path(os.environ.get("WORK_FILE") or sys.argv[1])
work = json.loads(FILE.read_text(encoding="utf-8"))


@cache
def client():
    return bigquery.Client(
        project=work["project"],
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": work["url"]},
        location="US",
    )


def asset_of(step):
    @dagster.asset(name=step["name"], deps=[step["source"]] if step["source"] else [])
    def fill():
        config = bigquery.QueryJobConfig(destination=step["table"], write_disposition="WRITE_TRUNCATE")
        client().query(step["sql"], job_config=config).result()

    return fill


workers = max(map(len, work["levels"]))
definitions = dagster.Definitions(
    assets=[asset_of(step) for level in work["levels"] for step in level],
    jobs=[dagster.define_asset_job("fill_all")],
    executor=dagster.multiprocess_executor.configured({"max_concurrent": workers}),
)


def the_job():
    return definitions.get_job_def("fill_all")


if __name__ == "__main__":
    os.environ["WORK_FILE"] = str(FILE)
    with dagster.DagsterInstance.local_temp() as instance:
        job = dagster.reconstructable(the_job)
        result = dagster.execute_job(job, instance=instance)
    sys.exit(0 if result.success else 1)
