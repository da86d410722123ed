"""The endpoint of the queue: who waits for a slot."""

from common.http.calls import Answer, Call
from common.http.links import run_links
from common.http.routes import Access, Route
from common.http.services import PipelineServices


def list_queue(call: Call[PipelineServices]) -> Answer:
    """List the runs that wait for a free slot.

    Whose turn is next comes first; fifty are shown at the most. A run waits where it was over the concurrent
    limit: by its schedule, in a backfill, or with `"queue": true`.
    """
    waiting = call.services.queue.waiting(call.caller.tenant_id)
    runs = [
        {
            "pipeline_logging_id": one.run_id,
            "pipeline_id": one.config_id,
            "position": position,
            "priority": one.priority,
            "trigger_type": one.trigger.type.value,
            "scheduled_time": one.due_at,
            "added_at": one.added_at,
            "expires_at": one.expires_at,
            "links": run_links(call.services.edge, one.run_id, one.config_id),
        }
        for position, one in enumerate(waiting, start=1)
    ]
    return Answer(body={"runs": runs})


QUEUE_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/pipelines/queue",
        endpoint=list_queue,
        access=Access.READ,
        answers={200: "queue"},
        tag="Runs",
    ),
)
