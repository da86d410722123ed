"""A run can be asked for by message, with the same key, admission and limits as over HTTP."""

import json
from typing import Any

import pytest

from common.errors import Forbidden, InvalidInput, MalformedInput, QuotaExceeded, Unauthenticated
from common.messages.receiving import Message
from common.messages.run_requests import RunRequestReceiver, without_values
from common.pipelines.pipeline import Pipeline
from common.runs.beginning import RunBeginner
from common.runs.ports import ConfigText
from common.runs.run import RunStatus, TriggerType
from common.runs.starting import RunStarter
from common.schedules.joining import QueueingRequests
from common.schedules.queue import RunQueue
from common.tenants.authentication import Authenticator, KnownKey
from common.tenants.keys import Scope, mint_key
from common.tenants.tenant import KeyRecord, TenantStatus
from tests.fakes.clock import START, VirtualClock
from tests.fakes.events import silent
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryLevels, MemoryRuns, MemoryTenant
from tests.fakes.schedules import MemoryFirings, MemoryQueue
from tests.unit.runs.examples import a_pipeline


class Platform:
    """One tenant with one key and one config."""

    def __init__(self, scopes: frozenset[Scope] = frozenset(Scope)) -> None:
        self.clock = VirtualClock()
        self.rows = MemoryRuns()
        self.key = mint_key("acme")
        self.scopes = scopes
        config = ConfigText(config_id="daily", version=1, text="pipeline: {name: Daily}")
        self.rows.tenants["acme"] = MemoryTenant(configs={"daily": config})
        jobs = MemoryJobs(self.clock)
        beginner = RunBeginner(store=self.rows, claims=jobs, levels=MemoryLevels(), clock=self.clock)
        self.queue = MemoryQueue()
        queue = RunQueue(
            store=self.queue, firings=MemoryFirings(), claims=jobs, announcer=silent(), clock=self.clock
        )
        self.receiver = RunRequestReceiver(
            authenticator=Authenticator(store=self, clock=self.clock),
            starter=RunStarter(
                line=QueueingRequests(queue=queue, clock=self.clock),
                beginner=beginner,
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
        return KnownKey(record=record, tenant_status=TenantStatus.ACTIVE)

    def compile(self, tenant_id: str, config: ConfigText) -> Pipeline:
        return a_pipeline()

    def receive(self, body: Any, message_id: str = "1", key: str | None = None) -> None:
        attributes = {"api_key": self.key.text if key is None else key}
        self.receiver(Message(id=message_id, data=json.dumps(body).encode(), attributes=attributes))


def test_a_message_starts_a_run_of_its_keys_tenant() -> None:
    platform = Platform()
    platform.receive({"config_id": "daily"})
    (row,) = platform.rows.run_rows
    assert (row.run.tenant_id, row.run.trigger.type, row.run.trigger.api_key_id) == (
        "acme",
        TriggerType.PUBSUB,
        "k1",
    )


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


def test_all_faults_of_a_message_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        Platform().receive({"parameters": [], "confg_id": "daily"})
    assert {fault.pointer for fault in refused.value.faults} == {"/parameters", "/confg_id", "/config_id"}


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
