"""The message that starts one level of a run, and its signature.

It carries the compiled pipeline, so a level reads no table. What carries out levels believes messages of
the platform's own functions alone.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from common import strict_json
from common.errors import Forbidden, MalformedInput
from common.pipelines.codec import from_json, to_json
from common.pipelines.pipeline import Pipeline, Step
from common.runs.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMessage:
    """One level of one run; `continuation` counts how often the level was handed over for lack of time."""

    run: Run
    pipeline: Pipeline
    level: int
    continuation: int = 0
    states: dict[str, str] = field(default_factory=dict)
    """Of the steps of earlier levels that did not complete, and let the run go on: FAILED or SKIPPED."""
    bytes_billed: int | None = 0
    """What the run's jobs of earlier levels were billed for; None where nobody knows it."""
    shares: dict[str, int] = field(default_factory=dict)
    """What steps of the level may be billed for, of what the run holds of budgets."""
    end_reason: str = ""
    """Why the run is to end here, FAILED unless somebody has cancelled it; "" where it goes on. Then the
    pipeline is an outline: it says which jobs there can be, and none of its steps can be carried out."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the level."""
        return self.pipeline.levels[self.level - 1]

    @property
    def is_last(self) -> bool:
        """Tell whether no level follows."""
        return self.level == len(self.pipeline.levels)


def encode(message: LevelMessage) -> bytes:
    """Write a message as JSON, UTF-8."""
    body = to_json(message)
    _change_steps(body, _flattened)
    return json.dumps(body, separators=(",", ":")).encode()


def decode(data: bytes) -> LevelMessage:
    """Read a message; MalformedInput where it is none."""
    try:
        body = strict_json.parse(data.decode("utf-8"))
    except ValueError as error:
        raise MalformedInput(f"is no level message: {error}") from error
    _change_steps(body, _with_jobs)
    return from_json(LevelMessage, body)


# A step of one plain query travels as steps did before they had plans: functions that are deployed one after
# the other, and messages that are under way meanwhile, go on understanding each other.
_OF_A_QUERY = (
    "sql",
    "write_disposition",
    "parameters",
    "partitioning",
    "clustering",
    "maximum_bytes_billed",
)


def _change_steps(body: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the steps of a message where they are; what has not its shape, the codec refuses."""
    levels = _mapping(_mapping(body).get("pipeline")).get("levels")
    for level in filter(lambda level: isinstance(level, list), levels if isinstance(levels, list) else []):
        level[:] = [change(step) if isinstance(step, dict) else step for step in level]


def _flattened(step: dict[str, Any]) -> dict[str, Any]:
    (job, *more) = step["jobs"]
    plain = {name: job[name] for name in _OF_A_QUERY if name in job}
    if more or job != {"kind": "query", "destination": step["target_table"], **plain}:
        return step
    return {name: value for name, value in step.items() if name != "jobs"} | plain


def _with_jobs(step: dict[str, Any]) -> dict[str, Any]:
    if "jobs" in step:
        return step
    query = {name: step[name] for name in _OF_A_QUERY if name in step}
    rest = {name: value for name, value in step.items() if name not in query}
    return rest | {"jobs": [{"kind": "query", "destination": step.get("target_table"), **query}]}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


SIGNATURE = "signature"
"""The attribute that carries it."""
MIN_KEY_CHARACTERS = 32
_PURPOSE = b"convergence-level\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelKeys:
    """Keys that sign and check: the first one signs, all are believed. Without a key nothing is asked for."""

    keys: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if any(len(key) < MIN_KEY_CHARACTERS for key in self.keys):
            raise ValueError(f"LEVELS_KEYS are of {MIN_KEY_CHARACTERS} characters at least")

    def sign(self, data: bytes) -> str:
        """Sign a message; "" where there is no key."""
        return _signature(self.keys[0], data) if self.keys else ""

    def check(self, data: bytes, signature: str) -> None:
        """Raise Forbidden where none of the keys has signed this."""
        given = signature.encode(errors="replace")
        # All are compared: how long it takes tells nothing of which is right.
        found = [hmac.compare_digest(_signature(key, data).encode(), given) for key in self.keys]
        if found and not any(found):
            raise Forbidden("the level message is signed by none of the platform's functions")


def _signature(key: str, data: bytes) -> str:
    return hmac.new(key.encode(), _PURPOSE + data, hashlib.sha256).hexdigest()
