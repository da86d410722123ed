"""Jobs that ask for `SELECT 1`, answered without a run: most of the platform's jobs are such claims."""

import asyncio

from local.bigquery import jobs
from local.bigquery.answers import Answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

CONSTANT = "SELECT 1"


class ConstantJobs:
    """Store `SELECT 1` jobs as done, with their IDs and labels, over one result table that they share.

    A job that runs costs `local_bigquery` a parse, a translation, a new table and three writes; this one
    costs a part of a write: whatever comes while one is under way is stored together by the next.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Call, asyncio.Future[Answer]]] = []
        self._storing: asyncio.Task[None] | None = None

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Answer a constant job; pass any other call on."""
        if not (call.method == "jobs.insert" and call.starts_job and call.job_id and _is_constant(call)):
            return await forward(call)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, answer))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())
        return await answer

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""

    async def _store(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            asked = [((call.project, call.job_id), call.job_configuration) for call, _ in together]
            try:
                outcomes = await asyncio.to_thread(jobs.finish_at_once, asked)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must learn of it
                _tell(together, error)
            else:
                for (_, answer), outcome in zip(together, outcomes, strict=True):
                    if not answer.done():
                        answer.set_result(json_answer(*outcome))


def _tell(together: list[tuple[Call, asyncio.Future[Answer]]], error: Exception) -> None:
    for _, answer in together:
        if not answer.done():
            answer.set_exception(error)


def _is_constant(call: Call) -> bool:
    query = call.job_configuration.get("query") or {}
    return bool(query.get("query") == CONSTANT and "destinationTable" not in query)
