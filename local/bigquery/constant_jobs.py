"""Jobs that ask for `SELECT 1`, answered without a run: most of the platform's jobs are such claims."""

import asyncio

from local.bigquery import jobs
from local.bigquery.answers import Answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

CONSTANT = "SELECT 1"


class ConstantJobs:
    """Store a `SELECT 1` job as done, with its ID and labels, over one result table that all such jobs share.

    A job that runs costs `local_bigquery` a parse, a translation, a new table and three writes; this one
    costs one write.
    """

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Answer a constant job; pass any other call on."""
        if not (call.method == "jobs.insert" and call.starts_job and call.job_id and _is_constant(call)):
            return await forward(call)
        key = (call.project, call.job_id)
        return json_answer(*await asyncio.to_thread(jobs.finish_at_once, key, call.job_configuration))

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _is_constant(call: Call) -> bool:
    query = call.job_configuration.get("query") or {}
    return bool(query.get("query") == CONSTANT and "destinationTable" not in query)
