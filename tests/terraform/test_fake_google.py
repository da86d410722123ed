"""The fake of Google's APIs: what it keeps, and what it refuses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.terraform.fake_google import FakeGoogle

TOPICS = "/pubsub/v1/projects/p/topics"
ACCOUNT = "convergence-admin@p.iam.gserviceaccount.com"


class Caller:
    """Calls the fake without HTTP."""

    def __init__(self, google: FakeGoogle) -> None:
        self.google = google

    def __call__(self, method: str, url: str, body: object = None) -> tuple[int, dict[str, Any]]:
        return self.google.answer(method, url, "application/json", json.dumps(body or {}).encode())


@pytest.fixture
def call() -> Iterator[Caller]:
    """Return a caller of a Google with some APIs enabled and one topic."""
    with FakeGoogle() as google:
        call = Caller(google)
        names = [f"{name}.googleapis.com" for name in ("bigquery", "iam", "pubsub")]
        call("POST", "/service_usage/v1/projects/p/services:batchEnable", {"serviceIds": names})
        assert call("PUT", f"{TOPICS}/t", {"labels": {"a": "b"}})[0] == 200
        yield call


def test_what_was_made_is_found_changed_and_deleted(call: Caller) -> None:
    assert call("GET", f"{TOPICS}/t") == (200, {"name": "projects/p/topics/t", "labels": {"a": "b"}})
    call("PATCH", f"{TOPICS}/t", {"topic": {"labels": {"a": "c"}}, "updateMask": "labels"})
    assert call("GET", f"{TOPICS}/t")[1]["labels"] == {"a": "c"}
    assert call("DELETE", f"{TOPICS}/t")[0] == 200
    assert call("GET", f"{TOPICS}/t")[0] == 404


def test_a_list_comes_in_pages(call: Caller) -> None:
    for number in range(6):
        call("PUT", f"{TOPICS}/t{number}")
    first = call("GET", TOPICS)[1]
    second = call("GET", f"{TOPICS}?pageToken={first['nextPageToken']}")[1]
    names = [topic["name"].rpartition("/")[2] for topic in first["topics"] + second["topics"]]
    assert names == ["t", "t0", "t1", "t2", "t3", "t4", "t5"]
    assert "nextPageToken" not in second


def test_an_api_that_nobody_enabled_answers_nothing(call: Caller) -> None:
    assert call("GET", "/secret_manager/v1/projects/p/secrets/s")[0] == 403


def test_an_old_etag_changes_no_policy(call: Caller) -> None:
    read = call("GET", f"{TOPICS}/t:getIamPolicy")[1]
    policy = {"policy": {**read, "bindings": [{"role": "roles/viewer", "members": ["user:a@b.c"]}]}}
    assert call("POST", f"{TOPICS}/t:setIamPolicy", policy)[0] == 200
    assert call("POST", f"{TOPICS}/t:setIamPolicy", policy)[0] == 409


def test_an_account_that_does_not_exist_is_granted_nothing(call: Caller) -> None:
    policy = {"policy": {"bindings": [{"role": "roles/viewer", "members": [f"serviceAccount:{ACCOUNT}"]}]}}
    assert call("POST", f"{TOPICS}/t:setIamPolicy", policy)[0] == 400
    call("POST", "/iam/v1/projects/p/serviceAccounts", {"accountId": "convergence-admin"})
    assert call("POST", f"{TOPICS}/t:setIamPolicy", policy)[0] == 200


def test_a_subscription_needs_its_topic(call: Caller) -> None:
    subscription = "/pubsub/v1/projects/p/subscriptions/s"
    assert call("PUT", subscription, {"topic": "projects/p/topics/other"})[0] == 400
    assert call("PUT", subscription, {"topic": "projects/p/topics/t"})[0] == 200


def test_a_dataset_with_tables_is_not_deleted_by_mistake(call: Caller) -> None:
    datasets = "/bigquery/v2/projects/p/datasets"
    call("POST", datasets, {"datasetReference": {"datasetId": "d"}})
    call("POST", f"{datasets}/d/tables", {"tableReference": {"tableId": "t"}})
    assert call("DELETE", f"{datasets}/d")[0] == 400
    assert call("DELETE", f"{datasets}/d?deleteContents=true")[0] == 200
    assert call("GET", f"{datasets}/d/tables/t")[0] == 404
