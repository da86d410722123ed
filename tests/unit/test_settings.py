"""What the operator sets, as it is read from the environment."""

import subprocess
import sys
from pathlib import Path

import pytest

from common.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def settings(**environment: str) -> Settings:
    return Settings.from_environment({"GCP_PROJECT_ID": "p", **environment})


@pytest.mark.parametrize(("given", "trusted"), [("0", 0), ("1", 1), ("2", 2), ("10", 10)])
def test_the_operator_says_how_many_proxies_are_in_front(given: str, trusted: int) -> None:
    assert settings(TRUSTED_PROXIES=given).trusted_proxies == trusted


def test_one_proxy_is_in_front_where_nobody_says_otherwise() -> None:
    assert settings().trusted_proxies == 1


@pytest.mark.parametrize("given", ["-1", "", "two", "1.5", "11", "²", " 1"])
def test_a_number_of_proxies_that_makes_no_sense_is_refused_by_its_name(given: str) -> None:
    with pytest.raises(ValueError, match="TRUSTED_PROXIES"):
        settings(TRUSTED_PROXIES=given)


def test_each_function_may_have_a_url_of_its_own() -> None:
    read = settings(PUBLIC_URL="https://a.example.com/", PUBLIC_URLS="admin=https://b.example.com/x/")
    assert read.public_url == "https://a.example.com"
    assert read.public_urls == {"admin": "https://b.example.com/x"}


def test_every_http_function_acts_by_what_the_operator_says_is_in_front() -> None:
    environment = {
        "GCP_PROJECT_ID": "p",
        "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:9",
        "TRUSTED_PROXIES": "2",
        "PUBLIC_URL": "https://a.example.com",
        "PUBLIC_URLS": "admin=https://b.example.com",
    }
    script = """
from common.wiring import SERVICES
edge = SERVICES.edge
print(edge.trusted_proxies, edge.public_urls.link("/api/v1/tenants"), edge.public_urls.link("/admin"))
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "2 https://a.example.com/api/v1/tenants https://b.example.com/admin\n"
