"""Where callers reach the API."""

import json

import pytest

from common.client import locations
from common.http.endpoints.system import SYSTEM_ROUTES
from common.public_urls import ANY_OTHER, FUNCTION_PATHS, PublicUrls, function_of
from tests.terraform.configuration import ROOT, function_defaults, local_values

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


@pytest.mark.parametrize("path", ["/administer", "/api/v1/tenants2", "/api/v1", ""])
def test_a_path_that_only_begins_like_a_functions_is_not_its(path: str) -> None:
    assert function_of(path) == ""


@pytest.mark.parametrize("path", ["/", "/?from=mail", "/console", "/console/runs"])
def test_people_who_type_no_path_meet_the_console(path: str) -> None:
    assert function_of(path) == "console"


def test_every_function_that_the_public_calls_has_a_path() -> None:
    public = {name for name, settings in function_defaults().items() if settings["public"]}
    assert set(FUNCTION_PATHS.values()) == public
    assert ANY_OTHER in public


def test_the_paths_of_every_function_are_its_system_routes() -> None:
    table = json.loads((ROOT / "common/function_paths.json").read_text(encoding="utf-8"))
    assert set(table["of_every_function"]) == {route.path for route in SYSTEM_ROUTES}


def test_the_client_knows_the_same_paths() -> None:
    assert {
        path: function for path, function in FUNCTION_PATHS.items() if function != "console"
    } == locations.FUNCTION_PATHS


def test_the_gateway_in_the_cloud_reads_the_same_file() -> None:
    assert "common/function_paths.json" in str(local_values()["function_paths"])
    assert "local.function_paths.prefixes" in str(local_values()["gateway_paths"])
