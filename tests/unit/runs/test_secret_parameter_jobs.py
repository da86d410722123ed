"""Secrets are opened for BigQuery alone; its messages are told without them; a lost key fails the step."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from common.errors import QueryRefused, Unavailable, WarehouseError
from common.logs import MASK
from common.pipelines.pipeline import BoundParameter, Pipeline, Retry, SealedValue
from common.pipelines.secret_values import NoSeal, Owner, ParameterSeal
from common.runs.level_messages import LevelMessage, decode, encode
from common.runs.levels import LevelWorker
from common.runs.run import RunStatus, StepRow, StepStatus
from common.runs.secret_parameter_jobs import WITHHELD
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs, Outcome
from tests.fakes.runs import MemoryLevels, MemoryRuns
from tests.fakes.seals import a_seal
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_query, a_run, a_step

SECRET = "s3cr3t-s3cr3t"
IN_BASE64 = base64.b64encode(SECRET.encode()).decode()
QUOTED = f"Bad int64 value: {SECRET} ({IN_BASE64})"
MASKED = f"Bad int64 value: {MASK} ({MASK})"


def sealed(tenant_id: str = "acme") -> SealedValue:
    return a_seal().seal(Owner(tenant_id=tenant_id, config_id="daily", parameter="token"), SECRET)


def message(value: SealedValue | None = None, pipeline: Pipeline | None = None) -> LevelMessage:
    parameters = (
        BoundParameter(name="region", type="STRING", value="eu"),
        BoundParameter(name="token", type="STRING", value=value or sealed()),
    )
    step = a_step(
        "extract", jobs=(a_query("extract", parameters=("region", "token")),), retry=Retry(attempts=2)
    )
    return a_message(pipeline or a_pipeline((step,)), run=a_run(parameters=parameters))


class Platform:
    """One level of one run; `disturb` may raise where BigQuery is called."""

    def __init__(self, seal: ParameterSeal | None = None) -> None:
        self.clock = VirtualClock()
        self.error: WarehouseError | None = None
        self.at = ""
        self.jobs = MemoryJobs(self.clock, self._at)
        self.rows = MemoryRuns()
        self.worker = LevelWorker(
            store=self.rows,
            checks=self.rows,
            earlier=self.rows,
            claims=self.jobs,
            identities=self.jobs,
            levels=MemoryLevels(),
            guard=lambda job, dry_run: "",
            clock=self.clock,
            sleep=self.clock.sleep,
            budget=timedelta(minutes=8),
            seal=seal or a_seal(),
        )

    def _at(self, point: str) -> None:
        if self.error and self.at and point.startswith(self.at):
            raise self.error

    @property
    def step(self) -> StepRow:
        return self.rows.steps_of(RUN_ID)["extract"]

    @property
    def run_error(self) -> str:
        return self.rows.current()[RUN_ID].error


def test_a_step_is_given_its_secret_and_nothing_else_is() -> None:
    platform = Platform()
    platform.worker.carry_out(message())
    (job,) = platform.jobs.effects
    assert {parameter.name: parameter.value for parameter in job.parameters} == {
        "region": "eu",
        "token": SECRET,
    }
    assert SECRET not in repr(job)
    assert SECRET not in repr((platform.rows.run_rows, platform.rows.step_rows))


def test_a_message_carries_a_sealed_value_there_and_back() -> None:
    sent = message()
    assert decode(encode(sent)) == sent
    assert SECRET.encode() not in encode(sent)


def test_what_bigquery_says_of_a_failed_job_is_told_without_the_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", QUOTED)])
    platform.worker.carry_out(message())
    assert platform.step.status is StepStatus.FAILED
    assert platform.step.error_message.startswith(f"{MASKED}. Use SAFE_CAST")
    assert platform.run_error.startswith(f"step extract: {MASKED}. ")
    assert SECRET not in repr([vars(record) for record in caplog.records])


@pytest.mark.parametrize("at", ["dry run", "before submit"])
def test_what_bigquery_refuses_is_told_without_the_secret(at: str) -> None:
    platform = Platform()
    platform.at, platform.error = at, QueryRefused(QUOTED, "invalidQuery")
    platform.worker.carry_out(message())
    assert platform.step.error_reason == "invalidQuery"
    assert platform.step.error_message.startswith(f"{MASKED}. Use SAFE_CAST")


@pytest.mark.parametrize("at", ["dry run", "before submit"])
def test_a_fault_that_passes_is_raised_without_the_secret_and_without_its_cause(at: str) -> None:
    platform = Platform()
    platform.at, platform.error = at, Unavailable(QUOTED, "backendError")
    with pytest.raises(Unavailable) as raised:
        platform.worker.carry_out(message())
    assert (str(raised.value), raised.value.reason) == (f"step extract: {MASKED}", "backendError")
    assert raised.value.__suppress_context__


def test_a_failure_that_passes_is_told_by_its_reason_and_tried_again_with_the_secret() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("backendError", QUOTED)])
    platform.worker.carry_out(message())
    (job,) = platform.jobs.effects
    assert (job.job_id[-1], job.parameters[1].value) == ("2", SECRET)


def test_a_message_of_a_run_without_secrets_is_told_as_it_is() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", QUOTED)])
    platform.worker.carry_out(a_message())
    assert platform.step.error_message.startswith(QUOTED)


@pytest.mark.parametrize(
    ("seal", "value", "why"),
    [
        (a_seal("k2"), sealed(), "there is no key 'k1'"),
        (NoSeal(), sealed(), "there is no key ring here"),
        (a_seal(), sealed("globex"), "not this tenant's, or was changed"),
    ],
)
def test_a_secret_that_cannot_be_opened_fails_its_step_once_with_the_reason(
    seal: ParameterSeal, value: SealedValue, why: str
) -> None:
    platform = Platform(seal)
    platform.worker.carry_out(message(value))
    assert platform.rows.current()[RUN_ID].status is RunStatus.FAILED
    assert (platform.step.status, platform.step.attempt) == (StepStatus.FAILED, 1)
    assert platform.step.error_reason == "secretNotOpened"
    assert "the secret parameter token cannot be opened" in platform.step.error_message
    assert why in platform.step.error_message
    assert platform.jobs.submitted == platform.jobs.dry_runs == []


def test_a_step_that_needs_no_secret_runs_where_one_cannot_be_opened() -> None:
    step = a_step("extract", jobs=(a_query("extract", parameters=("region",)),))
    platform = Platform(NoSeal())
    platform.worker.carry_out(message(pipeline=a_pipeline((step,))))
    assert platform.rows.current()[RUN_ID].status is RunStatus.COMPLETED


def test_who_has_no_key_ring_withholds_what_may_quote_a_secret() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(
        takes=timedelta(hours=1), errors=[("invalidQuery", QUOTED)] * 2
    )
    platform.worker.carry_out(message())
    platform.clock.advance(timedelta(hours=2))
    replace(platform.worker, seal=NoSeal()).give_up(message())
    assert platform.step.error_message == WITHHELD
