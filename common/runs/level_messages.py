"""The message that starts one level of a run; it carries the compiled pipeline, so a level reads no table."""

import json
from dataclasses import dataclass

from common.errors import MalformedInput
from common.pipelines.codec import from_json, to_json
from common.pipelines.pipeline import Pipeline
from common.runs.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMessage:
    """One level of one run; `continuation` counts how often the level was handed over for lack of time."""

    run: Run
    pipeline: Pipeline
    level: int
    continuation: int = 0
    end_reason: str = ""
    """Why the run is to end here, FAILED unless somebody has cancelled it; "" where it goes on. Then the
    pipeline is an outline: it says which jobs there can be, and none of its steps can be carried out."""

    @property
    def is_last(self) -> bool:
        """Tell whether no level follows."""
        return self.level == len(self.pipeline.levels)


def encode(message: LevelMessage) -> bytes:
    """Write a message as JSON, UTF-8."""
    return json.dumps(to_json(message), separators=(",", ":")).encode()


def decode(data: bytes) -> LevelMessage:
    """Read a message; MalformedInput where it is none."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"is no level message: {error}") from error
    return from_json(LevelMessage, body)
