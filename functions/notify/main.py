"""People told of runs by the events on the topic run-events."""

import functions_framework
from cloudevents.http import CloudEvent

from common import wiring
from common.messages.receiving import receive
from common.runs.dead_letters import RejectedBy
from common.wiring.notices import notifier


@functions_framework.cloud_event
def notify(event: CloudEvent) -> None:
    """Tell the subscribers of a run.

    A second delivery does no harm: each notice is claimed before it is sent, so what has come through is not
    sent again.
    """
    receive(
        event.data, lambda message: notifier().tell(message.data), wiring.dead_letters(), RejectedBy.NOTIFY
    )
