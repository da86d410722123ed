"""Tokens that a key signs by itself: nothing is asked of anybody."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from google.auth import jwt
from google.auth.transport import requests as transport

from common.tenants.service_accounts import ServiceAccountKey
from common.warehouse.clients import SCOPE, SelfSigned, make_account_client
from local.bigquery.callers import email_of, home_of
from tests.fakes.credentials import PLATFORM, a_key_file, a_private_key

EMAIL = "exporter@customer-project.iam.gserviceaccount.com"
ATTACKERS = {"token_uri": "http://attacker.example/token", "client_id": "1"}
KEY = ServiceAccountKey.read(a_key_file(**ATTACKERS), platform_project=PLATFORM)


def public_key() -> bytes:
    key = load_pem_private_key(a_private_key().encode(), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class NoNetwork(transport.Request):
    """Fails the test that asks for anything."""

    def __init__(self) -> None:
        pass

    def __call__(self, url: str, **_more: Any) -> Any:  # type: ignore[override]
        pytest.fail(f"{url} was asked")


def token() -> str:
    credentials = SelfSigned(KEY, SCOPE)
    headers: dict[str, str] = {}
    credentials.before_request(NoNetwork(), "POST", "https://bigquery.googleapis.com/", headers)  # type: ignore[no-untyped-call]
    return headers["authorization"].removeprefix("Bearer ")


def test_a_token_is_signed_in_the_accounts_name_for_bigquery_alone() -> None:
    claims = jwt.decode(token(), certs=public_key(), verify=False)  # type: ignore[no-untyped-call]
    assert (claims["iss"], claims["sub"], claims["scope"]) == (EMAIL, EMAIL, SCOPE)
    assert "aud" not in claims
    header = json.loads(json.dumps(jwt.decode_header(token())))  # type: ignore[no-untyped-call]
    assert (header["alg"], header["kid"]) == ("RS256", "3f1c0a5e9d")


def test_a_token_is_valid_for_an_hour_and_is_signed_anew_after_it() -> None:
    credentials = SelfSigned(KEY, SCOPE)
    assert not credentials.valid
    credentials.refresh(NoNetwork())
    assert credentials.valid
    claims = jwt.decode(credentials.token, certs=None, verify=False)  # type: ignore[no-untyped-call]
    assert claims["exp"] - claims["iat"] == 3600
    credentials.expiry = (datetime.now(UTC) - timedelta(seconds=1)).replace(tzinfo=None)
    assert credentials.expired


def test_the_client_works_in_the_keys_project_at_googles_own_address() -> None:
    client = make_account_client(KEY, location="US")
    assert client.project == "customer-project"
    assert client._connection.API_BASE_URL == "https://bigquery.googleapis.com"
    client.close()  # type: ignore[no-untyped-call]


def test_the_local_bigquery_tells_the_caller_by_the_issuer() -> None:
    assert email_of(token()) == EMAIL
    assert home_of(EMAIL) == "customer-project"


@pytest.mark.parametrize("text", ["", "executor@p.iam.gserviceaccount.com", "a.b.c", "e30.e30.e30", "x"])
def test_what_is_no_such_token_stands_for_itself(text: str) -> None:
    assert email_of(text) == text
    assert home_of("somebody@example.com") == ""
