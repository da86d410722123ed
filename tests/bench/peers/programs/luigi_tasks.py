"""Luigi: a task for each step, as many worker processes as a level has steps; a file marks what is done."""

import json
import sys
from functools import cache
from pathlib import Path

import luigi
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

FILE = Path(sys.argv[1])
work = json.loads(FILE.read_text(encoding="utf-8"))
steps = {step["name"]: step for level in work["levels"] for step in level}


@cache
def client():
    return bigquery.Client(
        project=work["project"],
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": work["url"]},
        location="US",
    )


class Fill(luigi.Task):
    name = luigi.Parameter()

    def requires(self):
        source = steps[self.name]["source"]
        return [Fill(name=source)] if source else []

    def output(self):
        return luigi.LocalTarget(str(FILE.with_name(f"{self.name}.done")))

    def run(self):
        step = steps[self.name]
        config = bigquery.QueryJobConfig(destination=step["table"], write_disposition="WRITE_TRUNCATE")
        client().query(step["sql"], job_config=config).result()
        with self.output().open("w") as marker:
            marker.write("done")


if __name__ == "__main__":
    last = [Fill(name=step["name"]) for step in work["levels"][-1]]
    workers = max(map(len, work["levels"]))
    is_done = luigi.build(last, local_scheduler=True, workers=workers, log_level="WARNING")
    sys.exit(0 if is_done else 1)
