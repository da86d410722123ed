"""How queries are answered: a long poll until their end, and no job where a page says all."""

import asyncio
from dataclasses import replace
from urllib.parse import urlencode

from local.bigquery import jobs
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

OPTIONAL = "JOB_CREATION_OPTIONAL"
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


class ShortQueries:
    """Name no job in the answer to such a query: nobody can ask for one that BigQuery has not made."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on, and take the job off an answer that says all."""
        answer = await forward(call)
        if call.method != "jobs.query" or call.resource.get("jobCreationMode") != OPTIONAL:
            return answer
        said = answer.resource if answer.is_success else {}
        if not said.get("jobComplete") or "pageToken" in said or call.is_dry_run:
            return answer
        return answer.with_resource(
            {key: value for key, value in said.items() if key not in ("jobReference", "jobCreationReason")}
        )

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""
