"""The long poll of `jobs.getQueryResults`: it waits for a query's end, and holds no thread meanwhile."""

import asyncio
from dataclasses import replace
from urllib.parse import urlencode

from local.bigquery import jobs
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

USUAL_MS = 10_000
MAX_MS = 200_000
"""BigQuery answers by then, whatever was asked for."""


class LongPolls:
    """Answer a question for a query's rows once it has ended, or when the time that was given is up."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when there is something to say."""
        if call.method != "jobs.getQueryResults":
            return await forward(call)
        milliseconds = min(int(call.query.get("timeoutMs") or USUAL_MS), MAX_MS)
        if running := jobs.running((call.project, call.job_id)):
            await asyncio.wait([asyncio.wrap_future(running)], timeout=milliseconds / 1000)
        return await forward(_at_once(call))

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _at_once(call: Call) -> Call:
    query = call.query | {"timeoutMs": "0"}
    return replace(call, query=query, scope=call.scope | {"query_string": urlencode(query).encode()})
