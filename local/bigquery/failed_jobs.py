"""Jobs that a layer refuses: BigQuery takes the job, and the job has failed."""

import asyncio

from local.bigquery import jobs
from local.bigquery.answers import Answer, error_answer, json_answer
from local.bigquery.calls import Call


async def fail_job(call: Call, reason: str, message: str) -> Answer:
    """Answer as BigQuery does for a job that fails with `reason`; its ID is used from then on."""
    if call.is_dry_run or not call.job_id:
        return error_answer(reason, message)
    key = (call.project, call.job_id)
    status, job = await asyncio.to_thread(jobs.fail_at_once, key, call.job_configuration, reason, message)
    if call.method == "jobs.query" and status == 200:
        return error_answer(reason, message)
    return json_answer(status, job)
