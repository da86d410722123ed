"""A compiled pipeline: what a config becomes once every rule is checked, and what a level message carries."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum

from common.costs.budgets import NO_BUDGET, Budget
from common.pipelines.plans import Job

type ParameterValue = str | int | float | bool | list[str] | list[int] | list[float] | list[bool] | None

DEFAULT_PRIORITY = 5
"""Of a pipeline that names none; the lower number goes first."""


class OnFailure(StrEnum):
    """What becomes of a run whose step fails: it ends, goes on, or goes on without what depends on it."""

    STOP = "stop"
    CONTINUE = "continue"
    SKIP_DEPENDENTS = "skip_dependents"


class Priority(StrEnum):
    """When BigQuery starts a step's jobs: at once, or when there is room."""

    INTERACTIVE = "INTERACTIVE"
    BATCH = "BATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a step is tried in all, and how long the first pause is (it doubles, with jitter)."""

    attempts: int = 3
    backoff_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A declared parameter; `type` is a BigQuery type, `ARRAY<…>` of a scalar included."""

    name: str
    type: str
    description: str = ""
    required: bool = False
    secret: bool = False
    """Whether its values are kept sealed and shown to nobody."""
    default: ParameterValue = None
    allowed: tuple[ParameterValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedValue:
    """The value of a secret parameter, encrypted: in base64, under the key of this name."""

    key_version: str
    data: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundParameter:
    """A parameter with the value that one run gives it, in the JSON form of its type (DATE: "2026-01-31").

    A secret one is sealed from the request on, and open in `common.runs.secret_parameter_jobs` alone.
    """

    name: str
    type: str
    value: ParameterValue | SealedValue = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: jobs that run one after the other, and the table of the tenant's that they are there for.

    `depends_on` are the steps that the file names and those that write what this one reads; a step also waits
    for every step of the levels before its own.
    """

    id: str
    ps_type: str
    index: int
    level: int
    jobs: tuple[Job, ...]
    target_table: str
    depends_on: tuple[str, ...] = ()
    timeout_minutes: int = 60
    """How long each of its jobs may take."""
    labels: dict[str, str] = field(default_factory=dict)
    retry: Retry = Retry()
    credential: str = ""
    """The credential under whose account, and in whose project, its jobs run; "" for the platform's."""
    on_failure: OnFailure = OnFailure.STOP
    run_if: str = ""
    """The condition by which it is carried out (`common.pipelines.conditions`); "" for none."""
    priority: Priority = Priority.INTERACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A config that compiled, of one tenant and in one version: its steps by level, level 1 first."""

    tenant_id: str
    config_id: str
    version: int
    name: str
    levels: tuple[tuple[Step, ...], ...]
    parameters: tuple[Parameter, ...] = ()
    timeout_minutes: int = 1440
    timezone: str = "UTC"
    """Where its days begin: its schedule's zone."""
    sources: tuple[str, ...] = ()
    """What its SQL may read beside the tenant's own dataset: what it was compiled by, and is judged by."""
    is_isolated: bool = False
    """Whether its SQL runs under the tenant's own account."""
    max_parallel: int = 0
    """How many steps of one level run at once; 0 for all."""
    budget: Budget = NO_BUDGET
    """What its runs may be billed for."""
    left_out: tuple[str, ...] = ()
    """Steps of the file that are none of `levels`, because a run is not to carry them out."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, level by level."""
        return tuple(step for level in self.levels for step in level)

    def restricted_to(self, step_ids: Collection[str]) -> "Pipeline":
        """Return the pipeline of these steps alone; levels that lose all their steps close up."""
        kept = [[step for step in level if step.id in step_ids] for level in self.levels]
        numbered = enumerate(filter(None, kept), start=1)
        levels = tuple(tuple(replace(step, level=number) for step in level) for number, level in numbered)
        left_out = tuple(step.id for step in self.steps if step.id not in step_ids)
        return replace(self, levels=levels, left_out=self.left_out + left_out)
