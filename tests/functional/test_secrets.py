"""Canaries: secrets that are given to the platform turn up in nothing that it keeps, says or sends."""

import base64
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest

from common.logs.setup import PlatformHandler
from common.setup.tables import central_tables
from common.wiring import cloud
from tests.functional.environment import ADMIN_KEY, KEYRING
from tests.functional.intruders import ask
from tests.functional.site import Site, a_pipeline_file

CREDENTIAL = "canary+of/a credential=&%"


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


@pytest.fixture
def listener(site: Site) -> Iterator[Listener]:
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


def test_no_canary_is_ever_seen_again(site: Site, tenant_ids: Iterator[str], listener: Listener) -> None:
    tenant = site.onboard(next(tenant_ids))
    made = tenant.own("POST", "/api/v1/tenants/keys", {"scopes": ["run", "read"]})
    canaries = {
        "API key": tenant.key,
        "second API key": made.get_json()["api_key"],
        "admin key": ADMIN_KEY,
        "credential": CREDENTIAL,
        "key ring": json.loads(KEYRING)["keys"]["k1"],
    }
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
    places = {
        "an answer": "\n".join(f"{answer.text}\n{answer.headers}" for answer in said),
        "the log": "\n".join(listener.lines),
        "a table": all_rows(site),
        "a job": all_jobs(),
        "a message": json.dumps(messages) + "".join(decoded(message) for message in messages),
    }
    assert all(places.values())
    assert len(listener.lines) > 20
    found = [
        f"{name} in {place}"
        for name, secret in canaries.items()
        for place, text in places.items()
        if any(form in text for form in forms(secret))
    ]
    assert found == []


def all_rows(site: Site) -> str:
    texts = [
        str(row)
        for table in central_tables()
        for row in site.rows(f"SELECT TO_JSON_STRING(t) AS row FROM tenants.{table.name} AS t")
    ]
    return "\n".join(texts)


def all_jobs() -> str:
    """Write down what BigQuery knows of the last jobs: IDs, labels, SQL, parameters, errors."""
    return "\n".join(
        f"{job.job_id} {job._properties}" for job in cloud.platform_client().list_jobs(max_results=500)
    )


def decoded(message: dict[str, dict[str, str]]) -> str:
    return base64.b64decode(message["message"]["data"]).decode()
