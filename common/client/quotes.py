"""Quotes: what a run would read and cost, of a file, of a pipeline, of a run with values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.calls import Call, Content, segment
from common.client.configs import Warned
from common.client.tenant import Price

PIPELINES = "/api/v1/pipelines"


class QuoteStep(TypedDict):
    """What one step would read and cost; None is unknown, and `unknown` says why."""

    step_id: str
    ps_type: str
    level: int
    target_table: str
    bytes_processed: int | None
    bytes_billed: int | None
    bytes_billed_at_least: int
    cost: float | None
    stand_ins: list[str]
    unknown: str | None
    error: str | None
    error_reason: str | None


class Quote(TypedDict):
    """What a run would read and cost, step by step."""

    pipeline_id: str
    config_version: int | None
    date: str
    is_valid: bool
    price: Price
    bytes_processed: int | None
    bytes_billed: int | None
    bytes_billed_at_least: int
    cost: float | None
    cost_at_least: float | None
    warnings: list[Warned]
    steps: list[QuoteStep]


@dataclass(frozen=True, slots=True)
class Quotes:
    """Asks what runs would cost; nothing is run."""

    api: Api

    def of_file(self, config_id: str, content: Content) -> Quote:
        """Check a file as an upload does, and quote a run of it."""
        return self._validated(config_id, content)

    def of_config(self, config_id: str) -> Quote:
        """Quote a run of the version that is stored, with defaults for its parameters."""
        return self._validated(config_id, None)

    def of_run(self, config_id: str, request: Mapping[str, Any]) -> Quote:
        """Quote a run with the values of a request."""
        path = f"{PIPELINES}/run/{segment(config_id)}"
        return cast("Quote", self.api.post(path, {**request, "dry_run": True}, is_repeatable=True))

    def _validated(self, config_id: str, content: Content | None) -> Quote:
        path = f"{PIPELINES}/configs/{segment(config_id)}/validate"
        call = Call(method="POST", path=path, content=content, is_repeatable=True)
        return cast("Quote", self.api.send(call).body)
