"""Keys of service accounts: every fault is told, and none repeats what was given."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from common.errors import InvalidInput
from common.tenants.service_accounts import ServiceAccountKey
from tests.fakes.credentials import PLATFORM, a_key_file, a_private_key


def read(given: dict[str, str]) -> ServiceAccountKey:
    return ServiceAccountKey.read(given, platform_project=PLATFORM)


def violations(given: dict[str, str]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read(given)
    return {fault.pointer.removeprefix("/credentials/"): fault.rule for fault in refused.value.violations}


def an_elliptic_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def a_locked_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()


def test_of_a_key_file_only_what_signs_is_kept() -> None:
    key = read(a_key_file(token_uri="https://attacker.example/token"))
    assert (key.project_id, key.client_email) == (
        "customer-project",
        "exporter@customer-project.iam.gserviceaccount.com",
    )
    assert set(key.members) == {"type", "project_id", "client_email", "private_key_id", "private_key"}
    assert read(key.members) == key


def test_a_key_is_not_shown_where_it_is_written_down() -> None:
    assert "PRIVATE" not in repr(read(a_key_file()))


def test_all_that_is_missing_is_told_at_once() -> None:
    assert violations({}) == dict.fromkeys(
        ("type", "project_id", "client_email", "private_key_id", "private_key"), "is required"
    )


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("type", "authorized_user", "must be service_account"),
        ("project_id", "Customer", "must be the ID of a project"),
        ("project_id", "123456789012", "must be the ID of a project"),
        ("project_id", "example.com:customer", "must be the ID of a project"),
        ("project_id", "../../platform-prod", "must be the ID of a project"),
        ("project_id", "customer-project\n", "must be the ID of a project"),
        ("project_id", PLATFORM, "must be a project of your own"),
        ("client_email", "somebody@example.com", "must be the address of a service account"),
        ("client_email", "a@b.iam.gserviceaccount.com", "must be the address of a service account"),
        (
            "client_email",
            "exporter@customer-project.iam.gserviceaccount.com.evil.example",
            "must be the address of a service account",
        ),
        ("client_email", f"executor@{PLATFORM}.iam.gserviceaccount.com", "must be an account of your own"),
        ("private_key_id", "", "must be the key's ID"),
        ("private_key_id", "a/../b", "must be the key's ID"),
        ("private_key", "", "must be an RSA key"),
        (
            "private_key",
            "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n",
            "must be an RSA key",
        ),
        ("private_key", "\ud800", "must be an RSA key"),
        ("private_key", an_elliptic_key(), "must be an RSA key"),
        ("private_key", a_locked_key(), "must be an RSA key"),
        ("private_key", a_private_key(1024), "must be an RSA key of 2048 to 4096 bits"),
        ("private_key", a_private_key() + " " * 5000, "must be an RSA key"),
        ("universe_domain", "attacker.example", "must be googleapis.com, or left out"),
    ],
)
def test_a_member_that_breaks_its_rule_is_told_and_not_repeated(name: str, value: str, rule: str) -> None:
    (told,) = violations(a_key_file() | {name: value}).items()
    assert told[0] == name
    assert told[1].startswith(rule)
    assert not value.strip() or value.strip() not in told[1]


def test_a_key_whose_line_breaks_were_escaped_twice_is_told_so() -> None:
    told = violations(a_key_file() | {"private_key": a_private_key().replace("\n", "\\n")})
    assert told["private_key"].endswith("without a password; its line breaks have become \\n")


def test_an_address_to_ask_for_tokens_is_no_fault_and_is_not_kept() -> None:
    given = a_key_file()
    del given["token_uri"], given["universe_domain"]
    assert read(given) == read(a_key_file(token_uri="http://169.254.169.254/"))
