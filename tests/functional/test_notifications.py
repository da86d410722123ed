"""People told of runs, on the real functions: from a file and a credential to a receiver's door."""

import base64
import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from common.times import utc_now
from tests.functional.environment import PROJECT
from tests.functional.site import Site, Tenant
from tests.unit.notifications.receivers import Receiver, web_receiver

EVENTS = f"projects/{PROJECT}/subscriptions/notices-by-hand"
DEAD = f"projects/{PROJECT}/subscriptions/dead-notices-by-hand"
FILE = """\
pipeline: {id: daily, name: Daily}
notifications:
  - {type: webhook, credential: our_hook, on: [start, success, failure]}
  - {type: slack, credential: our_chat}
steps:
  - {id: one, ps_type: bq_etl.query, config: {source_query: SELECT 1 / 0 AS n, target_table: ones}}
"""
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def receiver_of_module() -> Iterator[Receiver]:
    with web_receiver() as served:
        yield served


@pytest.fixture
def receiver(receiver_of_module: Receiver) -> Receiver:
    """Let the receiver of all tests here take everything, and forget what came."""
    receiver_of_module.statuses = [200]
    receiver_of_module.came.clear()
    return receiver_of_module


@pytest.fixture(scope="module")
def _listening(site: Site) -> Iterator[None]:
    topics = {EVENTS: "run-events", DEAD: "dead-letters"}
    for name, topic in topics.items():
        site.subscriber.create_subscription(name=name, topic=f"projects/{PROJECT}/topics/{topic}")
    yield
    for name in topics:
        site.subscriber.delete_subscription(subscription=name)


@pytest.fixture(scope="module")
def _told(tenant_of_module: Tenant, receiver_of_module: Receiver) -> None:
    """Give the tenant of all tests here two credentials, and a pipeline that fails."""
    for credential_id, more in (("our_hook", {"secret": "a-secret-of-a-hook"}), ("our_chat", {})):
        put_credential(tenant_of_module, credential_id, {"url": receiver_of_module.url, **more})
    assert tenant_of_module.upload("daily", FILE).status_code == 201


@pytest.fixture
def listener(site: Site, shared_tenant: Tenant, _listening: None, _told: None) -> Tenant:
    """Give a tenant that is told of its runs; nothing is on its way to it."""
    site.take(EVENTS)
    site.take(DEAD)
    return shared_tenant


def put_credential(tenant: Tenant, credential_id: str, credentials: dict[str, str]) -> None:
    body = {"provider": "WEBHOOK", "credentials": credentials}
    answer = tenant.own("PUT", f"/api/v1/tenants/credentials/{credential_id}", body)
    assert answer.status_code == 201, answer.text


def delivered(site: Site) -> list[int]:
    """Push what is on run-events to `notify`."""
    return [push(site, received.message) for received in site.take(EVENTS)]


def push(site: Site, message: Any) -> int:
    number = str(next(_numbers))
    data = base64.b64encode(message.data).decode()
    pushed = {"message": {"data": data, "messageId": number, "attributes": dict(message.attributes)}}
    headers = {
        "ce-id": number,
        "ce-source": f"//pubsub.googleapis.com/projects/{PROJECT}/topics/run-events",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-specversion": "1.0",
    }
    return site.functions["notify"].post("/", json=pushed, headers=headers).status_code


def test_a_failure_is_told_to_all_who_asked_once_with_its_cause(
    site: Site, listener: Tenant, receiver: Receiver
) -> None:
    run_id = listener.run("daily")
    site.drain()
    events = site.take(EVENTS)
    assert {push(site, one.message) for _ in range(2) for one in events} == {200}
    signed = "X-Convergence-Signature"
    told = [json.loads(data) for _, headers, data in receiver.came if signed in headers]
    assert [one["event"] for one in told] == ["start", "failure"]
    cause = told[1]["cause"]
    assert (told[1]["pipeline_logging_id"], cause["step"], cause["error_class"]) == (
        run_id,
        "one",
        "your_data",
    )
    chats = [
        json.loads(data) for _, headers, data in receiver.came if "X-Convergence-Signature" not in headers
    ]
    assert [one["text"].splitlines()[0] for one in chats] == [
        f"daily has failed, for {told[1]['run_date']} (run {run_id})."
    ]


def test_a_receiver_that_is_down_is_tried_again_and_delays_no_run(
    site: Site, listener: Tenant, receiver: Receiver
) -> None:
    receiver.statuses = [503, 200]
    run_id = listener.run("daily")
    site.drain()
    assert listener.status(run_id)["status"] == "FAILED"
    events = [one.message for one in site.take(EVENTS) if one.message.attributes["state"] == "RUNNING"]
    assert [push(site, one) for one in events] == [503] * len(events)
    assert [push(site, one) for one in events] == [200] * len(events)
    assert len(receiver.came) == 2


def test_what_never_works_ends_in_the_dead_letters_with_its_reason(
    site: Site, listener: Tenant, receiver: Receiver
) -> None:
    receiver.statuses = [404]
    listener.run("daily")
    site.drain()
    assert set(delivered(site)) == {200}
    dead = [one.message.attributes for one in site.take(DEAD)]
    assert {one["rejected_by"] for one in dead} == {"notify"}
    assert all("answers 404" in one["reason"] for one in dead)


def test_an_address_of_the_metadata_server_is_never_asked(site: Site, listener: Tenant) -> None:
    inner = {"url": "http://169.254.169.254/computeMetadata/v1/", "secret": "a-secret-of-a-hook"}
    put_credential(listener, "inner", inner)
    text = FILE.replace("id: daily", "id: curious").replace("our_hook", "inner").replace("our_chat", "inner")
    assert listener.upload("curious", text).status_code == 201
    listener.run("curious")
    site.drain()
    assert set(delivered(site)) == {200}
    reasons = [one.message.attributes["reason"] for one in site.take(DEAD)]
    assert reasons
    assert all("not public" in reason for reason in reasons)


def test_a_file_that_names_no_recipients_of_a_mail_is_refused(listener: Tenant) -> None:
    text = FILE.replace("{type: slack,", "{type: email,")
    answer = listener.upload("daily", text)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.get_json()["errors"]] == ["/notifications/1/to"]


def test_a_check_that_warns_is_told_once_the_run_has_completed(
    site: Site, listener: Tenant, receiver: Receiver
) -> None:
    warning = """\
pipeline: {id: checked, name: Daily}
notifications:
  - {type: webhook, credential: our_hook, on: [success, warning]}
steps:
  - id: one
    ps_type: bq_etl.query
    config: {source_query: SELECT -1 AS n, target_table: checked}
    checks:
      - {type: expression, name: no_negatives, expression: "n >= 0", severity: warn}
"""
    assert listener.upload("checked", warning).status_code == 201
    run_id = listener.run("checked")
    site.drain()
    assert listener.status(run_id)["status"] == "COMPLETED"
    events = [one.message for one in site.take(EVENTS)]
    assert {push(site, message) for message in events} == {200}
    (told,) = [json.loads(data) for _, _, data in receiver.came]
    assert (told["event"], told["cause"]["step"], told["cause"]["error_class"]) == (
        "warning",
        "one",
        "your_data",
    )
    assert told["cause"]["message"].startswith("check no_negatives of step one: ")


def test_a_pipeline_that_is_late_is_told_of_once(site: Site, listener: Tenant, receiver: Receiver) -> None:
    text = """\
pipeline: {id: tardy, name: Daily}
late: {by: "%s"}
notifications:
  - {type: webhook, credential: our_hook, on: [late]}
steps:
  - {id: one, ps_type: bq_etl.query, config: {source_query: SELECT 1 AS n, target_table: tardy}}
"""
    moment = utc_now() - timedelta(minutes=3)
    late = text % f"{moment:%H:%M}"
    assert listener.upload("tardy", late).status_code == 201
    assert listener.upload("other", late.replace("id: tardy, ", "")).status_code == 201
    site.rows(
        "UPDATE `tenants.tenant_pipeline_configs` "
        "SET recorded_at = TIMESTAMP_SUB(recorded_at, INTERVAL 1 HOUR) "
        f"WHERE tenant_id = '{listener.tenant_id}'"
    )
    run_id = listener.run("other")
    site.drain()
    site.rows(
        "UPDATE `tenants.tenant_pipeline_runs` SET start_time = TIMESTAMP_SUB(start_time, INTERVAL 1 HOUR), "
        "end_time = TIMESTAMP_SUB(end_time, INTERVAL 1 HOUR) "
        f"WHERE tenant_id = '{listener.tenant_id}' AND pipeline_logging_id = '{run_id}'"
    )
    site.take(EVENTS)
    for _ in range(2):
        site.tick()
    events = [one.message for one in site.take(EVENTS) if one.message.attributes["state"] == "LATE"]
    assert [message.attributes["config"] for message in events] == ["tardy"]
    assert [push(site, events[0]) for _ in range(2)] == [200, 200]
    (told,) = [json.loads(data) for _, _, data in receiver.came]
    assert (told["event"], told["pipeline_id"], told["pipeline_logging_id"]) == ("late", "tardy", None)
    assert told["by"].startswith(f"{moment:%Y-%m-%dT%H:%M}:00")
