"""A run can be asked for by message, with the same key, admission and limits as over HTTP."""

import json
from datetime import timedelta
from typing import Any

import pytest

from common.errors import (
    ConvergenceError,
    Forbidden,
    InputTooLarge,
    InvalidInput,
    MalformedInput,
    QuotaExceeded,
    Unauthenticated,
    Unavailable,
)
from common.logs import MASK
from common.messages.receiving import Message
from common.messages.run_requests import RunRequestReceiver, without_values
from common.pipelines.pipeline import Pipeline
from common.problems import problem_of
from common.queue.enqueueing import QueueingRequests
from common.queue.run_queue import RunQueue
from common.runs.beginning import RunAdmission
from common.runs.events import Announcer, AnnouncingRuns, RejectedRequest
from common.runs.ports import ConfigText
from common.runs.run import RunStatus, TriggerType
from common.runs.starting import RunService
from common.tenants.authentication import Authenticator, KnownKey
from common.tenants.keys import KeyRecord, Scope, mint_key
from common.tenants.tenant import TenantStatus
from tests.fakes.clock import START, VirtualClock
from tests.fakes.events import MemoryEvents
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryLevels, MemoryProgress, MemoryRuns, MemoryTenant
from tests.fakes.schedules import MemoryFirings, MemoryQueue
from tests.unit.runs.examples import a_pipeline


class Platform:
    """One tenant with one key and one config."""

    def __init__(self, scopes: frozenset[Scope] = frozenset(Scope)) -> None:
        self.clock = VirtualClock()
        self.rows = MemoryRuns()
        self.key = mint_key("acme")
        self.scopes = scopes
        self.status = TenantStatus.ACTIVE
        self.events = MemoryEvents()
        config = ConfigText(config_id="daily", version=1, text="pipeline: {name: Daily}")
        self.rows.tenants["acme"] = MemoryTenant(configs={"daily": config})
        jobs = MemoryJobs(self.clock)
        announcing = AnnouncingRuns(store=self.rows, announcer=Announcer(publisher=self.events))
        run_admission = RunAdmission(
            facts=self.rows, store=announcing, claims=jobs, levels=MemoryLevels(), clock=self.clock
        )
        self.queue = MemoryQueue()
        queue = RunQueue(
            store=self.queue,
            firings=MemoryFirings(),
            claims=jobs,
            announcer=Announcer(publisher=self.events),
            clock=self.clock,
        )
        self.receiver = RunRequestReceiver(
            authenticator=Authenticator(store=self, clock=self.clock),
            announcer=Announcer(publisher=self.events),
            clock=self.clock,
            run_service=RunService(
                enqueuer=QueueingRequests(queue=queue, clock=self.clock),
                run_admission=run_admission,
                reader=MemoryProgress(self.rows),
                compile=self.compile,
                clock=self.clock,
            ),
        )

    def find_key(self, api_key_hash: str) -> KnownKey | None:
        if api_key_hash != self.key.api_key_hash:
            return None
        record = KeyRecord(
            api_key_id="k1",
            api_key_hash=api_key_hash,
            tenant_id="acme",
            key_prefix=self.key.prefix,
            scopes=self.scopes,
            is_active=True,
            created_at=START,
            created_by="test",
        )
        return KnownKey(record=record, tenant_status=self.status)

    def compile(self, tenant_id: str, config: ConfigText) -> Pipeline:
        return a_pipeline()

    def receive(self, body: Any, message_id: str = "1", key: str | None = None) -> None:
        attributes = {"api_key": self.key.text if key is None else key}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.receiver(Message(id=message_id, data=data, attributes=attributes))

    def refusal_of(self, body: Any, message_id: str = "1") -> RejectedRequest:
        """Receive what is refused, and return what is told of it."""
        with pytest.raises(ConvergenceError) as refused:
            self.receive(body, message_id)
        rejected = self.events.rejected[-1]
        assert rejected.problem == problem_of(refused.value)
        return rejected


def test_a_message_starts_a_run_of_its_keys_tenant() -> None:
    platform = Platform()
    platform.receive({"config_id": "daily"})
    (row,) = platform.rows.run_rows
    assert (row.run.tenant_id, row.run.trigger.type, row.run.trigger.api_key_id) == (
        "acme",
        TriggerType.PUBSUB,
        "k1",
    )


def test_a_message_chooses_steps() -> None:
    platform = Platform()
    platform.receive({"config_id": "daily", "steps": ["extract"], "downstream": False})
    (row,) = platform.rows.run_rows
    assert (row.run.levels, row.run.left_out) == ((("extract",),), ("transform",))


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"steps": ["nothing"]}, "/steps/0"),
        ({"steps": [["extract"]]}, "/steps"),
        ({"steps": "extract"}, "/steps"),
        ({"steps": ["extract"], "upstream": 1}, "/upstream"),
        ({"upstream": True}, "/upstream"),
    ],
)
def test_a_choice_of_steps_by_message_that_is_none_is_refused(members: dict[str, Any], pointer: str) -> None:
    document = Platform().refusal_of({"config_id": "daily"} | members).problem.document()
    assert (document["status"], [error["pointer"] for error in document["errors"]]) == (422, [pointer])


def test_a_redelivered_message_starts_no_second_run() -> None:
    platform = Platform()
    platform.receive({"config_id": "daily"})
    platform.receive({"config_id": "daily"})
    assert len(platform.rows.current()) == 1


def test_two_messages_with_one_idempotency_key_are_one_run() -> None:
    platform = Platform()
    platform.receive({"config_id": "daily", "idempotency_key": "today"}, "1")
    platform.receive({"config_id": "daily", "idempotency_key": "today"}, "2")
    assert len(platform.rows.current()) == 1


def test_a_message_may_have_its_run_wait_for_a_slot() -> None:
    platform = Platform()
    for number in range(3):
        platform.receive({"config_id": "daily"}, str(number))
    with pytest.raises(QuotaExceeded):
        platform.receive({"config_id": "daily"}, "3")
    platform.receive({"config_id": "daily", "queue": True}, "3")
    platform.receive({"config_id": "daily", "queue": True}, "3")
    (entry,) = platform.queue.entries().values()
    assert (entry.status, entry.waiting.trigger.type) == (RunStatus.QUEUED, TriggerType.PUBSUB)


@pytest.mark.parametrize("key", ["", "acme_api_0123456789abcdef", "not a key"])
def test_a_key_that_is_not_valid_starts_nothing(key: str) -> None:
    platform = Platform()
    with pytest.raises(Unauthenticated):
        platform.receive({"config_id": "daily"}, key=key)
    assert platform.rows.run_rows == []


def test_a_key_without_the_scope_starts_nothing() -> None:
    with pytest.raises(Forbidden, match="lacks the scope"):
        Platform(frozenset({Scope.READ})).receive({"config_id": "daily"})


def test_a_message_cannot_name_another_tenant() -> None:
    platform = Platform()
    with pytest.raises(Forbidden, match="not this tenant's"):
        platform.receive({"config_id": "daily", "tenant_id": "globex"})


def test_all_violations_of_a_message_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        Platform().receive({"parameters": [], "confg_id": "daily"})
    assert {fault.pointer for fault in refused.value.violations} == {"/parameters", "/confg_id", "/config_id"}


@pytest.mark.parametrize("data", [b"\xff", b"run daily", b"[]"])
def test_a_message_that_is_no_object_is_refused(data: bytes) -> None:
    platform = Platform()
    message = Message(id="1", data=data, attributes={"api_key": platform.key.text})
    with pytest.raises(MalformedInput):
        platform.receiver(message)


@pytest.mark.parametrize(
    "body",
    [
        {"config_id": "daily", "parameters": {"token": "s3cr3t"}},
        {"config_id": "daily", "parameters": {"tokens": ["s3cr3t"]}, "queue": True},
        {"config_id": "daily", "parameters": "s3cr3t"},
        {"config_id": "daily", "token": "s3cr3t"},
        ["s3cr3t"],
    ],
)
def test_a_rejected_request_is_kept_without_its_values(body: Any) -> None:
    kept = without_values(json.dumps(body).encode())
    assert b"s3cr3t" not in kept
    assert isinstance(body, list) or {"config_id": "daily"}.items() <= json.loads(kept).items()


def test_of_a_request_that_cannot_be_read_nothing_is_kept() -> None:
    assert b"s3cr3t" not in without_values(b'{"parameters": {"token": "s3cr3t"')
    assert without_values(b"[" * 100_000) == MASK.encode()


# What strangers send


@pytest.mark.parametrize(
    ("attributes", "refusal"),
    [
        ({f"name{number}": "" for number in range(50)}, InputTooLarge),
        ({"name": "x" * 1025}, InvalidInput),
        ({"x" * 257: ""}, InvalidInput),
        ({"CloudPubSubDeadLetterSourceSubscription": "pipeline-levels-push"}, InvalidInput),
    ],
)
def test_attributes_of_a_request_have_bounds(
    attributes: dict[str, str], refusal: type[ConvergenceError]
) -> None:
    platform = Platform()
    given = attributes | {"api_key": platform.key.text}
    with pytest.raises(refusal):
        platform.receiver(Message(id="1", data=b'{"config_id": "daily"}', attributes=given))
    assert platform.rows.run_rows == []
    assert len(platform.events.rejected) == 1


def test_a_refusal_of_thousands_of_unknown_members_tells_of_some() -> None:
    body = {"config_id": "daily"} | {f"unknown{number}": number for number in range(10_000)}
    told = Platform().refusal_of(body)
    assert len(told.problem.document()["errors"]) == 20


def test_a_refusal_of_thousands_of_unknown_parameters_tells_of_some() -> None:
    unknown = {f"unknown{number}": number for number in range(10_000)}
    told = Platform().refusal_of({"config_id": "daily", "parameters": unknown})
    assert len(told.problem.document()["errors"]) == 20


def test_a_wrong_parameter_is_told_where_the_message_has_it() -> None:
    told = Platform().refusal_of({"config_id": "daily", "parameters": {"nope": 1}})
    (violation,) = told.problem.document()["errors"]
    assert violation["pointer"] == "/parameters/nope"


def test_a_rejected_request_is_kept_no_longer_than_a_request_may_be() -> None:
    assert without_values(json.dumps({"config_id": "x" * 300_000}).encode()) == MASK.encode()


# What is told


def test_a_refusal_is_told_in_the_words_of_http_to_whoever_asked() -> None:
    platform = Platform()
    for number in range(3):
        platform.receive({"config_id": "daily"}, str(number))
    told = platform.refusal_of({"config_id": "daily", "idempotency_key": "today"}, "17")
    assert (told.tenant_id, told.config_id, told.request_id, told.idempotency_key) == (
        "acme",
        "daily",
        "17",
        "today",
    )
    assert (told.trigger.type, told.occurred_at) == (TriggerType.PUBSUB, platform.clock())
    assert told.problem.document() == {
        "type": "urn:problem-type:convergence:quota-exceeded",
        "title": "Plan limit reached",
        "status": 429,
        "detail": "the concurrent limit of your plan is reached: 3 of 3 runs",
        "limit_name": "concurrent",
        "used": 3,
        "limit": 3,
        "resets_at": "2026-03-15T12:01:00.000000Z",
    }


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"config_id": "weekly"}, "not-found"),
        ({"config_id": "daily", "parameters": {"regin": "EU"}}, "invalid-input"),
        ({"config_id": "daily", "tenant_id": "globex"}, "forbidden"),
        ({"confg_id": "daily"}, "invalid-input"),
        (b"run daily", "malformed-input"),
        (b"[" * 100_000, "input-too-large"),
        (b'{"config_id": "daily", "config_id": "weekly"}', "malformed-input"),
        (b'{"config_id": "daily", "parameters": {"n": NaN}}', "malformed-input"),
        (b'{"config_id": "daily", "idempotency_key": "\\ud800"}', "malformed-input"),
        (b'{"config_id": "daily", "parameters": {"a": "\\u0000"}}', "malformed-input"),
        (b'{"config_id": "daily"}'.ljust(300_000), "input-too-large"),
        ({"config_id": "Daily!"}, "invalid-input"),
        ({"config_id": "d" * 64}, "invalid-input"),
        ({"config_id": "daily", "idempotency_key": ""}, "invalid-input"),
        ({"config_id": "daily", "idempotency_key": "k" * 256}, "invalid-input"),
    ],
)
def test_every_refusal_of_a_request_whose_key_is_valid_is_told(body: Any, name: str) -> None:
    told = Platform().refusal_of(body)
    assert (told.tenant_id, told.problem.kind.name) == ("acme", name)


def test_a_key_used_for_another_request_is_told_as_a_conflict() -> None:
    platform = Platform()
    platform.receive({"config_id": "daily", "idempotency_key": "today"}, "1")
    other = {"config_id": "daily", "idempotency_key": "today", "parameters": {"date": "2026-01-01"}}
    assert platform.refusal_of(other, "2").problem.kind.name == "conflict"


def test_a_key_without_the_scope_and_one_of_a_suspended_tenant_are_told() -> None:
    assert Platform(frozenset({Scope.READ})).refusal_of({"config_id": "daily"}).problem.kind.status == 403
    platform = Platform()
    platform.status = TenantStatus.SUSPENDED
    assert "suspended" in platform.refusal_of({"config_id": "daily"}).problem.detail


@pytest.mark.parametrize("key", ["", "acme_api_0123456789abcdef"])
def test_of_a_key_that_is_nobodys_nobody_is_told(key: str) -> None:
    platform = Platform()
    with pytest.raises(Unauthenticated):
        platform.receive({"config_id": "daily"}, key=key)
    assert platform.events.rejected == []


def test_neither_a_key_nor_another_tenant_is_told_of() -> None:
    platform = Platform()
    body = {"config_id": platform.key.text, "idempotency_key": platform.key.text, "tenant_id": "globex"}
    told = platform.refusal_of(body)
    assert platform.key.text not in str(told)
    assert "globex" not in str(told)


def test_a_refusal_told_again_has_the_same_id_and_another_request_another() -> None:
    platform = Platform()
    ids = [platform.refusal_of({"config_id": "weekly"}, message_id).event_id for message_id in "112"]
    assert ids[0] == ids[1] != ids[2]


def test_a_refusal_that_cannot_be_told_comes_again() -> None:
    platform = Platform()
    platform.events.is_down = True
    with pytest.raises(Unavailable):
        platform.receive({"config_id": "weekly"})


def test_what_may_succeed_later_is_not_told_as_a_refusal() -> None:
    platform = Platform()
    platform.rows.at = fail
    with pytest.raises(Unavailable):
        platform.receive({"config_id": "daily"})
    assert platform.events.rejected == []


def fail(point: str) -> None:
    raise Unavailable(point)


def test_a_repeat_is_answered_by_the_state_of_its_run_once_more() -> None:
    platform = Platform()
    for message_id in ("1", "1"):
        platform.receive({"config_id": "daily"}, message_id)
    first, again = platform.events.sent
    assert (again.run.run_id, again.status, again.event_id) == (
        first.run.run_id,
        RunStatus.PENDING,
        first.event_id,
    )
    platform.clock.advance(timedelta(minutes=5))
    platform.receive({"config_id": "daily"})
    assert platform.events.sent[-1].occurred_at == first.run.started_at
    platform.rows.append_run(first.run, RunStatus.COMPLETED, platform.clock())
    platform.receive({"config_id": "daily"})
    assert platform.events.sent[-1].status is RunStatus.COMPLETED
