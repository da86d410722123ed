"""Canaries: secrets that are given to the platform turn up in nothing that it keeps, says or sends."""

import base64
import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from google.cloud import pubsub_v1
from werkzeug.test import TestResponse

from common.logs import MASK
from common.logs.setup import PlatformHandler
from common.setup.tables import central_tables
from common.wiring import ADAPTERS
from tests.functional.environment import ADMIN_KEY, KEYRING, PROJECT
from tests.functional.intruders import ask
from tests.functional.site import Site, Tenant, a_pipeline_file

CREDENTIAL = "canary+of/a credential=&%"
TOKEN = 'canary+of "a secret" parameter=&%é'
PIN = 7_316_402_958_817_263
RUNS_WITH_SECRETS = 3
LEAKY = json.dumps(
    {
        "pipeline": {"name": "Leaky"},
        "parameters": {
            "region": {"type": "STRING", "default": "us"},
            "token": {"type": "STRING", "secret": True, "required": True},
            "pin": {"type": "INT64", "secret": True, "required": True},
            "tokens": {"type": "ARRAY<STRING>", "secret": True},
            "unused": {"type": "STRING", "secret": True},
        },
        "steps": [
            {
                "id": step_id,
                "ps_type": "bq_etl.query",
                "config": {"source_query": sql, "target_table": target, "write_disposition": "WRITE_APPEND"},
            }
            for step_id, sql, target in (
                (
                    "counts",
                    "SELECT LENGTH(${token}) AS n, ${pin} + 1 AS pin, ARRAY_LENGTH(${tokens}) AS tokens",
                    "counts",
                ),
                ("fails", "SELECT CAST(CONCAT(${token}, n) AS INT64) AS n FROM counts", "failures"),
            )
        ],
    }
)


class Listener(logging.Handler):
    """Keeps the lines that the platform writes, as it writes them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        handlers = [each for each in logging.getLogger().handlers if isinstance(each, PlatformHandler)]
        self.setFormatter(handlers[0].formatter)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("common", "functions", "root")):
            self.lines.append(self.format(record))


@contextmanager
def listening(site: Site) -> Iterator[Listener]:
    """Listen to the platform's log."""
    site.admin("GET", "/admin/tenants")  # the wiring sets logging up
    listener = Listener()
    logging.getLogger().addHandler(listener)
    yield listener
    logging.getLogger().removeHandler(listener)


def forms(secret: str) -> set[str]:
    """Write a secret in all the ways in which it could turn up."""
    raw = secret.encode()
    texts = {secret, quote(secret, safe=""), quote_plus(secret), raw.hex(), json.dumps(secret)[1:-1]}
    # In the middle of other text base64 begins at one of three places: what is common to them counts.
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + raw).decode().rstrip("=")
        texts |= {encoded[(shift * 4 + 2) // 3 + 1 : -2], encoded.translate(str.maketrans("+/", "-_"))}
    return {text for text in texts if len(text) >= 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a tenant was answered, with its keys, its credential and its secret parameters in use."""

    tenant: Tenant
    second_key: str
    ends: list[dict[str, Any]]
    """What is told of the runs with secret parameters."""
    read: dict[str, str]
    """All that can be read of the platform, by where it is."""


@pytest.fixture(scope="module")
def told(site: Site, tenant_ids: Iterator[str]) -> Told:
    """Let one tenant use all its secrets, and write down once what the platform keeps, says and sends."""
    events = listen_to("run-events"), listen_to("dead-letters")
    site.drain()
    with listening(site) as listener:
        tenant = site.onboard(next(tenant_ids))
        made = tenant.own("POST", "/api/v1/tenants/keys", {"scopes": ["run", "read"]})
        said, messages = with_keys_and_a_credential(site, tenant)
        ends, sent = with_secret_parameters(site, tenant)
        messages += sent + [one for subscription in events for one in subscription()]
        read = places(site, [*said, *ends], messages, listener)
    return Told(
        tenant=tenant,
        second_key=made.get_json()["api_key"],
        ends=[answer.get_json() for answer in ends[-RUNS_WITH_SECRETS:]],
        read=read,
    )


def with_keys_and_a_credential(site: Site, tenant: Tenant) -> tuple[list[TestResponse], list[dict[str, Any]]]:
    """Use keys and a credential, also where they do not belong; return all answers and messages."""
    body = {"provider": "AWS", "credentials": {"secret": CREDENTIAL}}
    said = [
        tenant.own("PUT", "/api/v1/tenants/credentials/cloud", body),
        tenant.own("PUT", "/api/v1/tenants/credentials/cloud", {"credentials": {"a": [CREDENTIAL]}}),
        tenant.own("GET", "/api/v1/tenants/credentials/cloud"),
        tenant.own("GET", "/api/v1/tenants/keys"),
        tenant.upload("daily", a_pipeline_file({"first": "SELECT 1 AS n"})),
        tenant.upload("broken", "pipeline: ["),
        site.admin("GET", f"/admin/tenants/{tenant.tenant_id}"),
        site.admin("POST", "/admin/tenants", {"tenant_id": ADMIN_KEY}),
        site.admin("GET", "/admin/audit"),
    ]
    # In places where no secret belongs: the platform must not pass on what it is given by mistake.
    given = {"X-API-Key": tenant.key, "X-Admin-Key": ADMIN_KEY, "Authorization": f"Bearer {ADMIN_KEY}"}
    for function, line in (
        ("pipelines", f"GET /api/v1/pipelines/configs/{tenant.key}"),
        ("pipelines", f"GET /api/v1/pipelines/configs/{ADMIN_KEY}"),
        ("pipelines", f"GET /api/v1/pipelines/status/{ADMIN_KEY}"),
        ("pipelines", f"GET /api/v1/pipelines/history?cursor={tenant.key}"),
        ("onboarding", f"GET /api/v1/tenants/{tenant.key}"),
        ("admin", f"GET /admin/tenants?after={ADMIN_KEY}"),
        ("admin", f"DELETE /admin/api-keys/{ADMIN_KEY}"),
        ("admin", f"GET /admin/{ADMIN_KEY}"),
    ):
        said.append(ask(site, function, line, given))
    run_id = tenant.run("daily")
    messages = site.take_levels()
    for message in messages:
        site.deliver_until_acknowledged(message)
    site.drain()
    said.append(tenant.call("GET", f"/api/v1/pipelines/status/{run_id}"))
    said.append(tenant.call("GET", f"/api/v1/pipelines/runs/{run_id}/receipt"))
    site.tick()
    return said, messages


def with_secret_parameters(site: Site, tenant: Tenant) -> tuple[list[TestResponse], list[dict[str, Any]]]:
    """Give secret parameters to runs, right and wrong, in each way; return all answers and messages."""
    tenant.subscribe(concurrent_limit=1)
    secrets = {"token": TOKEN, "pin": PIN, "tokens": [TOKEN, "another"]}
    body = {"region": "eu", **secrets}
    said = [
        tenant.upload("leaky", LEAKY),
        run(tenant, {**secrets, "token": [TOKEN]}),
        run(tenant, {**secrets, "pin": TOKEN}),
        run(tenant, {**secrets, "tokn": TOKEN}),
        run(tenant, {**secrets, "parameters": {"token": TOKEN}}),
        run(tenant, {**secrets, "trigger_by": [TOKEN]}),
    ]
    assert [answer.status_code for answer in said] == [201, 422, 422, 422, 422, 422]

    first = tenant.run("leaky", body, **{"Idempotency-Key": "first"})
    assert tenant.run("leaky", {**body, "token": "another"}, **{"Idempotency-Key": "first"}) == first
    waiting = tenant.run("leaky", body | {"queue": True}, **{"Idempotency-Key": "waiting"})
    assert tenant.run("leaky", body | {"queue": True}, **{"Idempotency-Key": "waiting"}) == waiting
    said += [tenant.call("GET", "/api/v1/pipelines/queue"), look(tenant, waiting)]
    assert said[-1].get_json()["status"] == "QUEUED"
    messages = deliver_all(site)
    retried = tenant.call("POST", f"/api/v1/pipelines/retry/{first}", {})
    time = {"start": "2024-01-01", "end": "2024-01-02", "parameters": body}
    said += [
        retried,
        tenant.call("POST", "/api/v1/pipelines/backfill/leaky", time),
        tenant.call("GET", f"/api/v1/pipelines/runs/{first}/receipt"),
        tenant.call("GET", "/api/v1/pipelines/history"),
    ]
    assert [answer.status_code for answer in said[-4:]] == [202, 202, 200, 200]
    ask_by_message(site, tenant, {"config_id": "leaky", "parameters": body})
    ask_by_message(site, tenant, {"config_id": "leaky", "parameters": body, "token": TOKEN})
    messages += deliver_all(site)
    site.tick()
    messages += deliver_all(site)
    runs = [first, waiting, retried.get_json()["pipeline_logging_id"]]
    assert len(runs) == RUNS_WITH_SECRETS
    return said + [look(tenant, run_id) for run_id in runs], messages


def test_no_canary_is_ever_seen_again(told: Told) -> None:
    canaries = {
        "API key": told.tenant.key,
        "second API key": told.second_key,
        "admin key": ADMIN_KEY,
        "credential": CREDENTIAL,
        "key ring": json.loads(KEYRING)["keys"]["k1"],
    }
    assert found(canaries, told.read) == []


def test_a_secret_parameter_is_never_seen_again(site: Site, told: Told) -> None:
    for shown in told.ends:
        assert shown["status"] == "FAILED"
        assert shown["parameters"] | {"date": ""} == {
            "region": "eu",
            "token": MASK,
            "pin": MASK,
            "tokens": MASK,
            "unused": None,
            "date": "",
        }
        (failed,) = (
            step for level in shown["levels"] for step in level["steps"] if step["step_id"] == "fails"
        )
        assert MASK in failed["error_message"], (
            "BigQuery has quoted the secret, and its message is told without"
        )
    # It did reach the tenant's SQL, each time.
    rows = site.rows(f"SELECT DISTINCT n, pin, tokens FROM {told.tenant.tenant_id}.counts")
    assert rows == [{"n": len(TOKEN), "pin": PIN + 1, "tokens": 2}]
    canaries = {"token": TOKEN, "pin": str(PIN)}
    assert found(canaries, told.read) == []


def run(tenant: Tenant, body: dict[str, Any]) -> TestResponse:
    return tenant.call("POST", "/api/v1/pipelines/run/leaky", body)


def look(tenant: Tenant, run_id: str) -> TestResponse:
    return tenant.call("GET", f"/api/v1/pipelines/status/{run_id}")


def deliver_all(site: Site) -> list[dict[str, Any]]:
    """Deliver what waits, and what comes of it, and return all messages."""
    delivered = []
    while messages := site.take_levels():
        for message in messages:
            site.deliver_until_acknowledged(message)
        delivered += messages
    return delivered


def ask_by_message(site: Site, tenant: Tenant, body: dict[str, Any]) -> None:
    """Ask for a run as Pub/Sub does; the message is acknowledged, whatever becomes of it."""
    data = base64.b64encode(json.dumps(body).encode()).decode()
    message = {
        "data": data,
        "messageId": hashlib.sha256(data.encode()).hexdigest(),
        "attributes": {"api_key": tenant.key},
    }
    headers = {
        "ce-id": "1",
        "ce-source": f"//pubsub.googleapis.com/projects/{PROJECT}/topics/run-requests",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-specversion": "1.0",
    }
    answer = site.functions["run_request"].post("/", json={"message": message}, headers=headers)
    assert answer.status_code == 200, answer.text


def listen_to(topic: str) -> Callable[[], list[dict[str, Any]]]:
    """Subscribe to a topic, and return what takes the messages that have come since."""
    subscriber = pubsub_v1.SubscriberClient()
    name = f"projects/{PROJECT}/subscriptions/listens-to-{topic}"
    subscriber.create_subscription(name=name, topic=f"projects/{PROJECT}/topics/{topic}")

    def take() -> list[dict[str, Any]]:
        with subscriber:
            pulled = subscriber.pull(subscription=name, max_messages=1000).received_messages
            subscriber.delete_subscription(subscription=name)
        assert pulled
        return [
            {
                "message": {
                    "data": base64.b64encode(one.message.data).decode(),
                    "attributes": dict(one.message.attributes),
                }
            }
            for one in pulled
        ]

    return take


def places(
    site: Site, said: list[TestResponse], messages: list[dict[str, Any]], listener: Listener
) -> dict[str, str]:
    """Write down all that can be read of the platform, by where it is."""
    read = {
        "an answer": "\n".join(f"{answer.text}\n{answer.headers}" for answer in said),
        "the log": "\n".join(listener.lines),
        "a table": all_rows(site),
        "a job": all_jobs(),
        "a message": json.dumps(messages) + "".join(decoded(message) for message in messages),
    }
    assert all(read.values())
    assert len(listener.lines) > 20
    return read


def found(canaries: dict[str, str], read: dict[str, str]) -> list[str]:
    """Name the canaries that are anywhere, and where."""
    return [
        f"{name} in {place}"
        for name, secret in canaries.items()
        for place, text in read.items()
        if any(form in text for form in forms(secret))
    ]


def all_rows(site: Site) -> str:
    rows = (f"SELECT TO_JSON_STRING(t) AS row FROM tenants.{table.name} AS t" for table in central_tables())
    return "\n".join(str(row) for row in site.rows(" UNION ALL ".join(rows)))


def all_jobs() -> str:
    """Write down what BigQuery knows of the last jobs: IDs, labels, SQL, parameters, errors."""
    jobs = ADAPTERS.platform_client.list_jobs(max_results=500)
    return "\n".join(f"{job.job_id} {as_the_platform_made_it(job._properties)}" for job in jobs)


def as_the_platform_made_it(job: dict[str, Any]) -> dict[str, Any]:
    """Leave out what BigQuery itself keeps of a step: the values that were bound, and its own error."""
    if not job["jobReference"]["jobId"].startswith("cvg-step-"):
        return job
    configuration = {
        kind: {name: value for name, value in given.items() if name != "queryParameters"}
        for kind, given in job["configuration"].items()
        if isinstance(given, dict)
    }
    return {
        **job,
        "configuration": {**job["configuration"], **configuration},
        "status": {"state": job["status"]["state"]},
        "errorResult": None,
    }


def decoded(message: dict[str, Any]) -> str:
    return base64.b64decode(message["message"]["data"]).decode()
