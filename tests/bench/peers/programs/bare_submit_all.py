"""A bare script without threads: it submits all jobs of a level, and then waits for one after the other."""

import json
import sys
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

work = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
client = bigquery.Client(
    project=work["project"],
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": work["url"]},
    location="US",
)


def started(step: dict[str, str]) -> bigquery.QueryJob:
    config = bigquery.QueryJobConfig(destination=step["table"], write_disposition="WRITE_TRUNCATE")
    return client.query(step["sql"], job_config=config)


for level in work["levels"]:
    for job in [started(step) for step in level]:
        job.result()
