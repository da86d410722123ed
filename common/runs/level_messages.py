"""The message that starts one level of a run; it carries the compiled pipeline, so a level reads no table."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from common.errors import Fault, InvalidInput
from common.pipelines.codec import pipeline_from_json, pipeline_to_json
from common.pipelines.pipeline import BoundParameter, Pipeline, SealedValue
from common.runs.run import Run, Trigger, TriggerType
from common.times import from_rfc3339, to_rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMessage:
    """One level of one run; `continuation` counts how often the level was handed over for lack of time."""

    run: Run
    pipeline: Pipeline
    level: int
    continuation: int = 0

    @property
    def is_last(self) -> bool:
        """Tell whether no level follows."""
        return self.level == len(self.pipeline.levels)


def encode(message: LevelMessage) -> bytes:
    """Write a message as JSON, UTF-8."""
    return json.dumps(
        {
            "run": run_to_json(message.run),
            "pipeline": pipeline_to_json(message.pipeline),
            "level": message.level,
            "continuation": message.continuation,
        },
        separators=(",", ":"),
    ).encode()


def decode(data: bytes) -> LevelMessage:
    """Read a message; InvalidInput where it is none."""
    try:
        body = json.loads(data)
        return LevelMessage(
            run=run_from_json(body["run"]),
            pipeline=pipeline_from_json(body["pipeline"]),
            level=int(body["level"]),
            continuation=int(body["continuation"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput([Fault("", f"no level message: {error}")]) from error


def run_to_json(run: Run) -> dict[str, Any]:
    """Write a run in JSON's types."""
    return asdict(run) | {
        "started_at": to_rfc3339(run.started_at),
        "run_date": run.run_date.isoformat(),
        "queued_at": to_rfc3339(run.queued_at) if run.queued_at else None,
    }


def run_from_json(body: dict[str, Any]) -> Run:
    """Read a run."""
    trigger = body["trigger"]
    return Run(
        **body
        | {
            "started_at": from_rfc3339(body["started_at"]),
            "run_date": date.fromisoformat(body["run_date"]),
            "queued_at": from_rfc3339(body["queued_at"]) if body["queued_at"] else None,
            "trigger": Trigger(**trigger | {"type": TriggerType(trigger["type"])}),
            "levels": tuple(tuple(level) for level in body["levels"]),
            "parameters": tuple(_bound(parameter) for parameter in body["parameters"]),
        }
    )


def _bound(body: dict[str, Any]) -> BoundParameter:
    value = body["value"]
    return BoundParameter(**body | {"value": SealedValue(**value) if isinstance(value, dict) else value})
