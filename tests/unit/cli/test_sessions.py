"""`login`, profiles and keys: what is kept where, what goes before what, and that no key is ever printed."""

import json
import stat
from pathlib import Path

import pytest
import typer

from tests.unit.cli.conftest import KEY, Convergence
from tests.unit.client.server import ScriptedPlatform

USE = {"used": 1, "limit": 6, "remaining": 5, "percent": 16.7, "resets_at": "2024-01-19T00:00:00Z"}
QUOTA = {
    "tenant_id": "acme",
    "plan_name": "STARTER",
    **dict.fromkeys(("daily", "monthly", "concurrent"), USE),
    "spending": {"used": 0, "held": 0},
    "budgets": [],
}
OTHER = "other_api_ZyXwVuTsRqPoNmLk"


def log_in(convergence: Convergence, platform: ScriptedPlatform, *more: str) -> None:
    platform.answers[:] = [(200, QUOTA, {})]
    outcome = convergence("login", "--url", platform.url, "--key-stdin", *more, given=f"{KEY}\n")
    assert outcome.code == 0, outcome.error
    assert KEY not in outcome.out + outcome.error


def test_a_login_keeps_the_key_in_the_keyring_and_in_no_file(
    convergence: Convergence, platform: ScriptedPlatform, home: Path
) -> None:
    log_in(convergence, platform)
    assert json.loads((home / "keyring.json").read_text()) == {"convergence/default": KEY}
    kept = (home / "config" / "profiles.json").read_text()
    assert KEY not in kept
    assert json.loads(kept)["default"]["tenant"] == "acme"
    assert convergence("quota").code == 0
    assert platform.asked[-1].headers["X-API-Key"] == KEY


def test_a_key_that_the_platform_refuses_is_not_kept(
    convergence: Convergence, platform: ScriptedPlatform, home: Path
) -> None:
    platform.refuse(401, "unauthenticated")
    outcome = convergence("login", "--url", platform.url, "--key-stdin", given=KEY)
    assert outcome.code == 3
    assert KEY not in outcome.out + outcome.error
    assert not (home / "keyring.json").exists()
    assert not (home / "config").exists()


@pytest.mark.usefixtures("no_keyring")
def test_without_a_keyring_a_key_is_kept_in_a_file_by_choice_alone(
    convergence: Convergence, platform: ScriptedPlatform, home: Path
) -> None:
    platform.answer(200, QUOTA)
    outcome = convergence("login", "--url", platform.url, "--key-stdin", given=KEY)
    assert outcome.code == 1
    assert "--in-file" in outcome.error
    assert not (home / "config").exists()
    log_in(convergence, platform, "--in-file")
    file = home / "config" / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert convergence("quota").code == 0


@pytest.mark.usefixtures("no_keyring")
def test_a_file_of_keys_that_others_can_read_is_refused(
    convergence: Convergence, platform: ScriptedPlatform, home: Path
) -> None:
    log_in(convergence, platform, "--in-file")
    (home / "config" / "keys.json").chmod(0o644)
    outcome = convergence("quota")
    assert (outcome.code, "chmod 600" in outcome.error) == (1, True)


def test_the_environment_goes_before_what_is_kept(
    convergence: Convergence, platform: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(convergence, platform)
    monkeypatch.setenv("CONVERGENCE_API_KEY", OTHER)
    assert convergence("quota").code == 0
    assert platform.asked[-1].headers["X-API-Key"] == OTHER


def test_a_kept_key_is_sent_to_no_other_address(
    convergence: Convergence, platform: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(convergence, platform)
    before = len(platform.asked)
    elsewhere = platform.url.replace("127.0.0.1", "localhost")
    outcome = convergence("--url", elsewhere, "quota")
    assert (outcome.code, len(platform.asked)) == (2, before)
    assert "for another address" in outcome.error
    monkeypatch.setenv("CONVERGENCE_URL", elsewhere)
    assert convergence("quota").code == 2
    assert len(platform.asked) == before


def test_profiles_are_apart(convergence: Convergence, platform: ScriptedPlatform, home: Path) -> None:
    log_in(convergence, platform)
    platform.answers[:] = [(200, QUOTA, {})]
    convergence("--profile", "two", "login", "--url", platform.url, "--key-stdin", given=OTHER)
    convergence("-p", "two", "quota")
    assert platform.asked[-1].headers["X-API-Key"] == OTHER
    convergence("quota")
    assert platform.asked[-1].headers["X-API-Key"] == KEY


def test_a_logout_forgets_the_key(convergence: Convergence, platform: ScriptedPlatform, home: Path) -> None:
    log_in(convergence, platform)
    assert convergence("logout").code == 0
    assert json.loads((home / "keyring.json").read_text()) == {}
    assert convergence("quota").code == 3


def test_an_operators_key_is_for_the_operators_side_alone(
    convergence: Convergence, platform: ScriptedPlatform
) -> None:
    platform.answer(200, {"tenants": [], "next_after": None})
    outcome = convergence(
        "login", "--operator", "--url", platform.url, "--key-stdin", given="an-operators-key"
    )
    assert outcome.code == 0, outcome.error
    assert convergence("admin", "tenants").code == 0
    assert platform.asked[-1].headers["X-Admin-Key"] == "an-operators-key"
    before = len(platform.asked)
    refused = convergence("quota")
    assert (refused.code, len(platform.asked)) == (3, before)
    assert "takes the other kind" in refused.error


def test_over_http_no_key_goes_to_another_machine(convergence: Convergence, home: Path) -> None:
    outcome = convergence("login", "--url", "http://platform.example", "--key-stdin", given=KEY)
    assert (outcome.code, "everyone on the way" in outcome.error) == (2, True)
    assert not (home / "keyring.json").exists()


@pytest.mark.parametrize(
    "url", ["platform.example", "ftp://platform.example", "https://a:b@platform.example"]
)
def test_what_is_no_address_is_refused(convergence: Convergence, url: str) -> None:
    outcome = convergence("login", "--url", url, "--key-stdin", given=KEY)
    assert (outcome.code, "the platform's address" in outcome.error) == (2, True)


def test_without_a_key_the_next_step_is_told(convergence: Convergence) -> None:
    outcome = convergence("status", "some-run")
    assert outcome.code == 3
    assert outcome.error.splitlines()[-1].startswith("Next: Log in: `convergence login`")


def test_a_broken_file_of_profiles_is_told_in_a_line(convergence: Convergence, home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "profiles.json").write_text("{")
    outcome = convergence("quota")
    assert (outcome.code, "profiles.json cannot be read" in outcome.error) == (1, True)


# Keys that are made


ISSUED = {
    "api_key": OTHER,
    "api_key_id": "k-2",
    "api_key_hash": "0" * 64,
    "tenant_id": "acme",
    "key_prefix": "acme_api_ZyXw",
    "description": None,
    "scopes": ["read"],
    "expires_at": None,
    "created_at": "2024-01-18T09:00:00Z",
    "created_by": "k-1",
}


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_new_key_is_in_its_file_and_nowhere_else(
    convergence: Convergence, here: ScriptedPlatform, home: Path, more: list[str]
) -> None:
    here.answer(201, ISSUED)
    outcome = convergence("keys", "new", "--to", "key.txt", "--scope", "read", *more)
    assert outcome.code == 0, outcome.error
    assert OTHER not in outcome.out + outcome.error
    assert (home / "key.txt").read_text() == f"{OTHER}\n"
    assert stat.S_IMODE((home / "key.txt").stat().st_mode) == 0o600


def test_no_key_is_made_that_nobody_could_take(
    convergence: Convergence, here: ScriptedPlatform, home: Path
) -> None:
    (home / "key.txt").write_text("mine")
    outcome = convergence("keys", "rotate", "k-1", "--to", "key.txt")
    assert (outcome.code, here.asked, (home / "key.txt").read_text()) == (2, [], "mine")


def test_a_key_is_printed_by_choice_alone(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(201, ISSUED)
    outcome = convergence("keys", "new", "--to", "-")
    assert outcome.out == f"{OTHER}\n"
    assert convergence("keys", "new").code == 2


def test_a_credentials_secret_is_sent_and_not_shown(
    convergence: Convergence, here: ScriptedPlatform, home: Path
) -> None:
    (home / "secret.json").write_text('{"access_key_id": "an-id", "secret_access_key": "very-secret"}')
    kept = {
        "credential_id": "c",
        "provider": "AWS",
        "account": None,
        "project_id": None,
        "updated_at": "2024-01-18T09:00:00Z",
    }
    here.answer(201, kept)
    outcome = convergence("credentials", "put", "c", "--provider", "aws", "--file", "secret.json")
    assert outcome.code == 0, outcome.error
    assert here.asked[0].body["credentials"]["secret_access_key"] == "very-secret"
    assert "very-secret" not in outcome.out + outcome.error


@pytest.mark.parametrize(
    "text",
    ['{"secret_access_key": "very-secret"', '{"secret_access_key": "very-secret", "secret_access_key": "b"}'],
)
def test_a_secret_that_cannot_be_read_is_not_repeated(
    convergence: Convergence, here: ScriptedPlatform, home: Path, text: str
) -> None:
    (home / "secret.json").write_text(text)
    outcome = convergence("credentials", "put", "c", "--file", "secret.json")
    assert (outcome.code, here.asked) == (2, [])
    assert "very-secret" not in outcome.error


def test_the_consoles_address_is_printed_where_there_is_no_terminal(
    convergence: Convergence, here: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typer, "launch", lambda _: pytest.fail("a browser is opened for nobody"))
    assert convergence("open").out == f"{here.url}/\n"
    assert json.loads(convergence("open", "--json").out) == {"url": f"{here.url}/"}
    monkeypatch.setenv("CONVERGENCE_URL", "https://{function}.example.com")
    assert convergence("open").out == "https://console.example.com/\n"
    assert here.asked == []


def test_sources_are_told_as_json(
    convergence: Convergence, here: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERGENCE_ADMIN_KEY", "an-operators-key")
    here.answer(200, {"tenant_id": "acme", "sources": ["p.shared"]})
    told = {"tenant_id": "acme", "sources": ["p.shared"]}
    assert json.loads(convergence("admin", "sources", "acme", "p.shared", "--json").out) == told
