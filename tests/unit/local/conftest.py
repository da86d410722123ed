"""One local BigQuery, empty for each test module, and the real client for it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from local_bigquery.jobs import runner

from local.bigquery import LocalBigQuery
from local.bigquery.calls import Call, read_call
from tests.contract.pubsub.receiver import PATIENCE_SECONDS

PROJECT = "local-tests"
ROOT = Path(__file__).resolve().parents[3]
ENDLESS = f"SELECT COUNT(*) FROM {', '.join(f'UNNEST(GENERATE_ARRAY(1, 2000)) {name}' for name in 'abcde')}"


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does, for a minute at most."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def connect(url: str) -> bigquery.Client:
    return bigquery.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": url},
    )


def insert_call(job_id: str, **configuration: Any) -> Call:
    """Make a call of jobs.insert, as the layers of the proxy see it."""
    job = {"jobReference": {"jobId": job_id}, "configuration": {"query": {}, **configuration}}
    return api_call("POST", f"/bigquery/v2/projects/{PROJECT}/jobs", job)


def api_call(verb: str, path: str, resource: dict[str, Any] | None = None) -> Call:
    """Make a call, as the layers of the proxy see it."""
    scope = {"method": verb, "path": path, "headers": [], "query_string": b""}
    return read_call(scope, json.dumps(resource or {}).encode())


def start_job(
    client: bigquery.Client, job_id: str, sql: str = "SELECT 1", **config: Any
) -> bigquery.QueryJob:
    """Start a job under an ID of ours, without any repeat by the client."""
    job_config = bigquery.QueryJobConfig(**config)
    return client.query(sql, job_config, job_id=job_id, retry=None, job_retry=None)  # type: ignore[arg-type]


def start_endless(client: bigquery.Client, job_id: str) -> bigquery.QueryJob:
    """Start a job that does not end: the answer waits for it no longer than it takes to begin."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "SUBMIT_WAIT_MS", 50)
        return start_job(client, job_id, ENDLESS)


def end_server() -> None:
    if running := LocalBigQuery.running():
        running.stop()


@pytest.fixture(autouse=True, scope="session")
def no_other_server() -> Iterator[None]:
    """End the server of another test package, and ours at the end: a process has one."""
    end_server()
    yield
    end_server()


@pytest.fixture(scope="module")
def no_server() -> None:
    """End the server that modules share, for those that start others."""
    end_server()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> LocalBigQuery:
    """Serve an empty BigQuery; modules that come after each other share it."""
    if running := LocalBigQuery.running():
        running.reset()
        return running
    server = LocalBigQuery(data_dir=tmp_path_factory.mktemp("bigquery"), project=PROJECT)
    server.start()
    return server


@pytest.fixture(scope="module")
def client(server: LocalBigQuery) -> Iterator[bigquery.Client]:
    with connect(server.url) as connected:
        yield connected


@pytest.fixture
def dataset(client: bigquery.Client) -> str:
    """Make a dataset that no other test knows."""
    dataset_id: str = client.create_dataset(f"d_{uuid4().hex[:8]}").dataset_id
    return dataset_id
