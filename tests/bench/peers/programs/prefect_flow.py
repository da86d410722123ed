"""Prefect: a task for each step, in the thread pool of a flow that waits for those of the level above it."""

import json
import sys
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

work = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
client = bigquery.Client(
    project=work["project"],
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": work["url"]},
    location="US",
)


@task
def fill(sql, table):
    config = bigquery.QueryJobConfig(destination=table, write_disposition="WRITE_TRUNCATE")
    client.query(sql, job_config=config).result()


@flow(task_runner=ThreadPoolTaskRunner(max_workers=32))
def fill_all():
    begun = {}
    for level in work["levels"]:
        for step in level:
            above = [begun[step["source"]]] if step["source"] else []
            begun[step["name"]] = fill.submit(step["sql"], step["table"], wait_for=above)
    for future in begun.values():
        future.result()


if __name__ == "__main__":
    fill_all()
