"""One DAG level of one run, started by a message on the topic pipeline-levels."""

import functions_framework
from cloudevents.http import CloudEvent

from common import wiring
from common.messages.receiving import receive
from common.runs.dead_letters import RejectedBy


@functions_framework.cloud_event
def run_level(event: CloudEvent) -> None:
    """Carry out the level that the message describes.

    A second delivery does no harm: each step's effect is a BigQuery job whose ID is its lock, so the repeat
    attaches to the same jobs, and the rows that it appends again are dropped by their readers.
    """
    receive(event.data, wiring.level_receiver(), wiring.dead_letters(), RejectedBy.RUN_LEVEL)
