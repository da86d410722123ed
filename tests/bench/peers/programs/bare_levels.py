"""A bare script: level by level, each step in a thread that submits its job and waits for it."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
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


def fill(step: dict[str, str]) -> None:
    config = bigquery.QueryJobConfig(destination=step["table"], write_disposition="WRITE_TRUNCATE")
    client.query(step["sql"], job_config=config).result()


with ThreadPoolExecutor(32) as pool:
    for level in work["levels"]:
        list(pool.map(fill, level))
