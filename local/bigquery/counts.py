"""Counts of requests by kind, for tests that state what a run costs."""

import time
from collections import Counter

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

METADATA = ("datasets.", "tables.")


class Counts:
    """What was asked for since the start or the last reset, and when; answers of any status count."""

    def __init__(self) -> None:
        self.methods: Counter[str] = Counter()
        self.subjects: Counter[tuple[str, str]] = Counter()
        """By the method and what was asked about: a dataset, else a job's ID, "" where neither is named."""
        self.job_ids: list[str] = []
        self.dry_runs = 0
        self.first_call_at = 0.0
        """When the first call came, by the monotonic clock; 0 where none did."""
        self.last_answer_at = 0.0

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Count the call and pass it on."""
        self.first_call_at = self.first_call_at or time.monotonic()
        self.methods[call.method] += 1
        self.subjects[call.method, call.names.get("datasetId") or call.job_id] += 1
        if call.is_dry_run:
            self.dry_runs += 1
        elif call.starts_job:
            self.job_ids.append(call.job_id)
        answer = await forward(call)
        self.last_answer_at = time.monotonic()
        return answer

    def reset(self) -> None:
        """Start again from zero."""
        self.methods.clear()
        self.subjects.clear()
        self.job_ids.clear()
        self.dry_runs = 0
        self.first_call_at = self.last_answer_at = 0.0

    def jobs(self, prefix: str = "") -> int:
        """Return how many jobs were asked for by an ID with `prefix`; a repeated ID counts each time."""
        return sum(job_id.startswith(prefix) for job_id in list(self.job_ids))

    @property
    def insert_all(self) -> int:
        """Return the number of tabledata.insertAll calls."""
        return self.methods["tabledata.insertAll"]

    @property
    def jobs_get(self) -> int:
        """Return the number of jobs.get calls."""
        return self.methods["jobs.get"]

    @property
    def metadata(self) -> int:
        """Return the number of calls about datasets and tables themselves."""
        return sum(count for method, count in self.methods.copy().items() if method.startswith(METADATA))
