"""Run events on their topic (`common.runs.events.EventPublisher`); docs/messages.md describes them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common.logs.redaction import redact_all
from common.public_urls import PublicUrls
from common.pubsub.publishing import Topic
from common.runs.events import LATE, REJECTED, CheckEvent, Event, LateEvent, RejectedRequest, RunEvent
from common.times import to_rfc3339

STATUS_PATH = "/api/v1/pipelines/status/"
HISTORY_PATH = "/api/v1/pipelines/history?pipeline_id="


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTopic:
    """The topic run-events. Subscriptions filter by attributes: `attributes.state = "FAILED"`."""

    topic: Topic
    public_urls: PublicUrls

    def publish_events(self, events: Sequence[Event]) -> None:
        """Send events and wait until Pub/Sub has them all."""
        self.topic.publish_all(
            [(json.dumps(self._body(event)).encode(), _attributes(event)) for event in events]
        )

    def _body(self, event: Event) -> dict[str, Any]:
        if isinstance(event, RejectedRequest):
            return self._rejection(event)
        if isinstance(event, LateEvent):
            return self._lateness(event)
        run = event.run
        return {
            "event_id": event.event_id,
            "tenant_id": run.tenant_id,
            "pipeline_id": run.config_id,
            "config_version": run.config_version,
            "pipeline_logging_id": run.run_id,
            "status": _state(event),
            "trigger_type": run.trigger.type.value,
            "trigger_by": run.trigger.by,
            "run_date": run.run_date.isoformat(),
            "interval_start": to_rfc3339(run.interval.start) if run.interval else None,
            "interval_end": to_rfc3339(run.interval.end) if run.interval else None,
            "occurred_at": to_rfc3339(event.occurred_at),
            "links": {
                "status": self.public_urls.link(STATUS_PATH + run.run_id),
                "history": self.public_urls.link(HISTORY_PATH + run.config_id),
            },
        } | (_checks(event) if isinstance(event, CheckEvent) else {})

    def _lateness(self, event: LateEvent) -> dict[str, Any]:
        return {
            "event_id": event.event_id,
            "tenant_id": event.tenant_id,
            "pipeline_id": event.config_id,
            "config_version": event.config_version,
            "status": LATE,
            "by": to_rfc3339(event.by),
            "occurred_at": to_rfc3339(event.occurred_at),
            "links": {"history": self.public_urls.link(HISTORY_PATH + event.config_id)},
        }

    def _rejection(self, event: RejectedRequest) -> dict[str, Any]:
        links = {"history": self.public_urls.link(HISTORY_PATH + event.config_id)} if event.config_id else {}
        body: dict[str, Any] = redact_all(
            {
                "event_id": event.event_id,
                "tenant_id": event.tenant_id,
                "pipeline_id": event.config_id or None,
                "request_id": event.request_id,
                "idempotency_key": event.idempotency_key or None,
                "status": REJECTED,
                "trigger_type": event.trigger.type.value,
                "trigger_by": event.trigger.by,
                "occurred_at": to_rfc3339(event.occurred_at),
                "problem": event.problem.document(),
                "links": links,
            }
        )
        return body


def _state(event: RunEvent | CheckEvent) -> str:
    return event.state if isinstance(event, CheckEvent) else event.status.value


def _checks(event: CheckEvent) -> dict[str, Any]:
    """Say which checks of which step were not passed."""
    return {
        "step_id": event.step_id,
        "target_table": event.results[0].table,
        "checks": [
            {
                "name": one.verdict.check.name,
                "type": one.verdict.check.type,
                "status": one.verdict.status.value,
                "failed_rows": one.verdict.failed_rows,
                "observed": one.verdict.observed,
                "expected": one.verdict.expected,
            }
            for one in event.results
        ],
    }


def _attributes(event: Event) -> dict[str, str]:
    if isinstance(event, RejectedRequest):
        return _attributes_of_rejection(event)
    if isinstance(event, LateEvent):
        return {
            "event": event.event_id,
            "tenant": event.tenant_id,
            "config": event.config_id,
            "state": LATE,
        }
    run = event.run
    attributes = {
        "event": event.event_id,
        "tenant": run.tenant_id,
        "config": run.config_id,
        "run": run.run_id,
        "state": _state(event),
        "trigger": run.trigger.type.value,
    }
    return attributes | ({"traceparent": run.traceparent} if run.traceparent else {})


def _attributes_of_rejection(event: RejectedRequest) -> dict[str, str]:
    attributes = {
        "event": event.event_id,
        "tenant": event.tenant_id,
        "config": event.config_id,
        "request": event.request_id,
        "state": REJECTED,
        "problem": event.problem.kind.name,
        "trigger": event.trigger.type.value,
        "traceparent": event.traceparent,
    }
    return {name: value for name, value in attributes.items() if value}
