"""A canary in a service account's key: it turns up in nothing, whatever the platform does with the key."""

import base64
import json
import logging
from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from common.wiring import ADAPTERS
from tests.fakes.credentials import a_key_file, a_private_key
from tests.functional.environment import THEIRS
from tests.functional.site import Site, Tenant
from tests.functional.test_credential_steps import ORDERS, PATH, a_file, let_in
from tests.functional.test_secrets import Listener, all_jobs, all_rows, decoded, forms


def pieces_of_key() -> set[str]:
    """Write a private key in all the ways in which it could turn up: its lines, and all it can look like."""
    pem = a_private_key()
    lines = pem.splitlines()[1:-1]
    der = base64.b64decode("".join(lines))
    texts = {form for line in (lines[0], lines[7], lines[-2]) for form in forms(line)}
    encoded = base64.urlsafe_b64encode(der).decode()
    return texts | {der.hex()[100:180], encoded[100:180], json.dumps(pem)[40:120]}


@pytest.fixture
def lines(site: Site) -> Iterator[Listener]:
    """Listen to the platform's log, whatever level its lines are of."""
    site.admin("GET", "/admin/tenants")  # the wiring sets logging up
    listener, logger = Listener(), logging.getLogger("common")
    level = logger.level
    logging.getLogger().addHandler(listener)
    logger.setLevel(logging.DEBUG)
    yield listener
    logger.setLevel(level)
    logging.getLogger().removeHandler(listener)


@pytest.mark.usefixtures("their_project")
def test_a_private_key_is_never_seen_again(site: Site, common_tenant: Tenant, lines: Listener) -> None:
    tenant = common_tenant
    file = a_key_file(THEIRS, f"canary-{tenant.tenant_id.replace('_', '-')}")
    let_in(f"{THEIRS}.sales", file["client_email"], "READER")
    said = [
        tenant.own("PUT", f"{PATH}/my-gcp", {"provider": "GCP", "credentials": changed})
        for changed in (
            file | {"project_id": "functional-tests"},
            file | {"client_email": file["private_key"]},
            file | {"private_key_id": file["private_key"]},
            file | {"private_key": file["private_key"].replace("BEGIN", "BEGUN")},
            file | {"universe_domain": file["private_key"]},
            file,
        )
    ]
    assert [answer.status_code for answer in said] == [422] * 5 + [201]
    said.append(tenant.own("GET", PATH))
    assert tenant.upload("imports", imports()).status_code == 201
    run_id = tenant.run("imports")
    messages = site.take_levels()
    for message in messages:
        site.deliver_until_acknowledged(message)
    said.append(tenant.call("GET", f"/api/v1/pipelines/status/{run_id}"))
    steps = [step for level in said[-1].get_json()["levels"] for step in level["steps"]]
    ends = {step["step_id"]: step["status"] for step in steps}
    assert ends == {"done": "COMPLETED", "denied": "FAILED", "failed": "FAILED"}
    said.append(tenant.call("GET", f"/api/v1/pipelines/runs/{run_id}/receipt"))
    said.append(tenant.own("DELETE", f"{PATH}/my-gcp"))
    site.tick()
    places = {
        "an answer": "\n".join(f"{answer.text}\n{answer.headers}" for answer in said),
        "the log": "\n".join(lines.lines),
        "a table": all_rows(site),
        "a job": all_jobs() + all_jobs_of(THEIRS),
        "a message": json.dumps(messages) + "".join(decoded(message) for message in messages),
    }
    assert all(places.values())
    assert "cvg-step-" in places["a job"]
    assert [place for place, text in places.items() if any(piece in text for piece in pieces_of_key())] == []


def imports() -> str:
    """Write a pipeline whose steps read, are denied what they read, and fail as they run."""
    steps = []
    for name, sql in (
        ("done", ORDERS),
        ("denied", f"SELECT n FROM {THEIRS}.closed.orders"),
        ("failed", "SELECT 1 / 0 AS n"),
    ):
        (step,) = json.loads(a_file(sql, target_table=name))["steps"]
        steps.append(step | {"id": name})
    return json.dumps({"pipeline": {"name": "Imports"}, "steps": steps})


def all_jobs_of(project: str) -> str:
    jobs: list[bigquery.QueryJob] = list(ADAPTERS.platform_client.list_jobs(project=project, max_results=500))
    return "\n".join(f"{job.job_id} {job._properties}" for job in jobs)
