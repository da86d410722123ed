"""Where callers reach the API."""

import pytest

from common.public_urls import PublicUrls, function_of
from tests.terraform.configuration import local_values

URLS = PublicUrls(
    own="https://x.example.com/onboarding",
    by_function={name: f"https://x.example.com/{name}" for name in ("admin", "onboarding", "pipelines")},
)


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("/admin/bootstrap", "admin"),
        ("/api/v1/tenants/quota", "onboarding"),
        ("/api/v1/pipelines/configs", "pipelines"),
        ("/api/v1/pipelines/history?pipeline_id=a", "pipelines"),
        ("/health", "onboarding"),
    ],
)
def test_a_link_leads_to_the_function_that_has_the_path(path: str, function: str) -> None:
    assert URLS.link(path) == f"https://x.example.com/{function}{path}"


def test_one_host_in_front_has_all_paths() -> None:
    assert PublicUrls(own="https://x.example.com").link("/admin/audit") == "https://x.example.com/admin/audit"


@pytest.mark.parametrize("path", ["/administer", "/api/v1/tenants2", "/api/v1", "/", ""])
def test_a_path_that_only_begins_like_a_functions_is_not_its(path: str) -> None:
    assert function_of(path) == ""


def test_the_gateway_sends_the_same_paths_to_the_same_functions() -> None:
    for function, paths in local_values()["gateway_paths"].items():
        own = [
            path.removesuffix("/*")
            for path in paths
            if path not in {"/health", "/openapi.json", "/pipeline.schema.json"}
        ]
        assert {function_of(path) for path in own} == {function}
