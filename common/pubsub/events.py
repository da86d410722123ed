"""Run events on their topic (`common.runs.events.EventPublisher`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common.pubsub.publishing import Topic
from common.runs.events import RunEvent
from common.times import to_rfc3339

STATUS_PATH = "/api/v1/pipelines/status/"
HISTORY_PATH = "/api/v1/pipelines/history?pipeline_id="


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTopic:
    """The topic run-events. Subscriptions filter by attributes: `attributes.state = "FAILED"`."""

    topic: Topic
    public_url: str

    def publish_events(self, events: Sequence[RunEvent]) -> None:
        """Send events and wait until Pub/Sub has them all."""
        self.topic.publish_all([(self._encode(event), _attributes(event)) for event in events])

    def _encode(self, event: RunEvent) -> bytes:
        run = event.run
        body: dict[str, Any] = {
            "event_id": event.event_id,
            "tenant_id": run.tenant_id,
            "pipeline_id": run.config_id,
            "config_version": run.config_version,
            "pipeline_logging_id": run.run_id,
            "status": event.status.value,
            "trigger_type": run.trigger.type.value,
            "trigger_by": run.trigger.by,
            "run_date": run.run_date.isoformat(),
            "occurred_at": to_rfc3339(event.occurred_at),
            "links": {
                "status": self.public_url + STATUS_PATH + run.run_id,
                "history": self.public_url + HISTORY_PATH + run.config_id,
            },
        }
        return json.dumps(body).encode()


def _attributes(event: RunEvent) -> dict[str, str]:
    run = event.run
    attributes = {
        "event": event.event_id,
        "tenant": run.tenant_id,
        "config": run.config_id,
        "run": run.run_id,
        "state": event.status.value,
        "trigger": run.trigger.type.value,
    }
    return attributes | ({"traceparent": run.traceparent} if run.traceparent else {})
