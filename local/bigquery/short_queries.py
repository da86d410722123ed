"""Queries without a job: where a client leaves it to BigQuery, a result of one page has no job behind it."""

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

OPTIONAL = "JOB_CREATION_OPTIONAL"


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
