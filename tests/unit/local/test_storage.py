"""The local Cloud Storage lists folders as the service lists buckets, and refuses what it refuses."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from common.errors import QueryRefused
from common.warehouse import buckets
from common.warehouse.buckets import buckets_of_account, buckets_of_platform
from local.storage import StorageServer
from tests.unit.warehouse.test_self_signed import KEY

EXECUTOR = "executor@platform-project.iam.gserviceaccount.com"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    made = StorageServer(tmp_path)
    with made.serving():
        yield made


def put(server: StorageServer, name: str, text: str = "a", bucket: str = "acme-files") -> Path:
    path = server.root / bucket / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def listed(server: StorageServer, prefix: str = "", account: str = "") -> list[str]:
    seen = buckets_of_platform(acting_as=account, emulator_host=server.url)
    return [file.uri.removeprefix("gs://acme-files/") for file in seen.files_of("acme-files", prefix)]


def ask(server: StorageServer, path: str = "acme-files/o", **parameters: Any) -> requests.Response:
    return requests.get(f"{server.url}/storage/v1/b/{path}", params=parameters, timeout=10)


def test_files_are_listed_by_the_beginning_of_their_names(server: StorageServer) -> None:
    for name in ("in/b.csv", "in/a.csv", "in/deep/c.csv", "inner.csv", "out.csv"):
        put(server, name)
    assert listed(server, "in/") == ["in/a.csv", "in/b.csv", "in/deep/c.csv"]
    assert listed(server) == ["in/a.csv", "in/b.csv", "in/deep/c.csv", "inner.csv", "out.csv"]


def test_more_files_than_a_page_has_are_all_listed(
    server: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "PAGE", 2)
    names = [f"{number}.csv" for number in range(5)]
    for name in names:
        put(server, name)
    assert listed(server) == names


def test_a_file_tells_its_size_and_another_generation_once_it_has_changed(server: StorageServer) -> None:
    path = put(server, "a.csv", "four")
    seen = buckets_of_platform(emulator_host=server.url)
    (first,) = seen.files_of("acme-files", "")
    assert first.size == 4
    os.utime(path, ns=(0, (first.generation + 1) * 1000))
    (second,) = seen.files_of("acme-files", "")
    assert second.generation == first.generation + 1


def test_an_empty_bucket_has_no_files_and_none_is_there_that_is_missing(server: StorageServer) -> None:
    (server.root / "acme-files").mkdir()
    assert listed(server) == []
    with pytest.raises(QueryRefused, match="bucket does not exist"):
        list(buckets_of_platform(emulator_host=server.url).files_of("nobodys-files", ""))


def test_a_bucket_with_readers_is_open_to_nobody_else(server: StorageServer) -> None:
    put(server, "a.csv")
    put(server, ".readers", f"{KEY.client_email}\n")
    account = buckets_of_account(KEY, emulator_host=server.url)
    assert [file.uri for file in account.files_of("acme-files", "")] == ["gs://acme-files/a.csv"]
    with pytest.raises(QueryRefused, match="does not have storage"):
        listed(server, account=EXECUTOR)


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("ac*/o", {}, 400),
        ("..%2F..%2Fetc/o", {}, 404),
        ("%2E%2E/o", {}, 400),
        ("acme-files/o/a.csv", {}, 404),
        ("acme-files/o", {"matchGlob": "*"}, 400),
        ("acme-files/o", {"maxResults": "0"}, 400),
        ("acme-files/o", {"maxResults": "-1"}, 400),
        ("acme-files/o", {"pageToken": "no token"}, 400),
    ],
)
def test_what_the_service_refuses_is_refused(
    server: StorageServer, path: str, parameters: dict[str, str], status: int
) -> None:
    put(server, "a.csv")
    answer = ask(server, path, **parameters)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == status


def test_a_prefix_is_the_beginning_of_a_name_and_no_way_out_of_the_bucket(server: StorageServer) -> None:
    put(server, "a.csv", bucket="victim-files")
    put(server, "a.csv")
    assert listed(server, "../victim-files/") == []


def test_an_answer_has_the_fields_that_are_asked_for(server: StorageServer) -> None:
    put(server, "a.csv")
    item = ask(server, fields=buckets.FIELDS).json()["items"][0]
    assert sorted(item) == ["generation", "name", "size", "updated"]
    assert json.loads(ask(server).text)["kind"] == "storage#objects"
