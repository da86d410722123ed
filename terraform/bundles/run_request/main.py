"""A run asked for by message, on the topic run-requests."""

import functions_framework
from cloudevents.http import CloudEvent

from common import wiring
from common.messages.receiving import receive
from common.messages.run_requests import without_values
from common.runs.dead_letters import RejectedBy


@functions_framework.cloud_event
def run_request(event: CloudEvent) -> None:
    """Start the run that the message asks for.

    A second delivery does no harm: the message's own ID is its idempotency key where it names none, so the
    repeat finds the run that the first delivery has started.
    """
    receive(
        event.data,
        wiring.run_request_receiver(),
        wiring.dead_letters(),
        RejectedBy.RUN_REQUEST,
        without_values,
    )
