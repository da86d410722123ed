import base64
from urllib.parse import quote

import pytest

from common.logs import MASK, redact, redaction, register_secrets
from common.logs.redaction import redact_all

KEY = "customer_name_api_CYQQO8EL1kCjKfMG"


@pytest.fixture(autouse=True)
def nothing_known_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"key={KEY}.",
        f'{{"api_key": "{KEY}"}}',
        f"/api/v1/x?key={KEY}&a=1",
        f"X-API-Key: {KEY}",
        f"a {KEY} b {KEY}",
    ],
)
def test_a_tenants_key_is_masked_wherever_it_is(text: str) -> None:
    assert "CYQQO8EL1kCjKfMG" not in redact(text)


def test_whose_key_it_was_stays_readable() -> None:
    assert redact(f"revoked {KEY}") == f"revoked customer_name_api_{MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "X-Admin-Key: hunter2hunter2",
        "x-admin-key=hunter2hunter2",
        "{'X-Admin-Key': 'hunter2hunter2'}",
        '{"x-api-key":"hunter2hunter2"}',
        "('X-Admin-Key', 'hunter2hunter2')",
        "HTTP_X_ADMIN_KEY=hunter2hunter2",
        "Authorization: Bearer hunter2hunter2",
        "authorization=bearer hunter2hunter2==",
    ],
)
def test_a_keys_header_and_a_bearer_token_are_masked(text: str) -> None:
    assert "hunter2" not in redact(text)


def test_what_is_registered_is_masked_in_every_spelling() -> None:
    secret = "pa ss/wörd+&=ü"
    register_secrets([secret, ""])
    spellings = [secret, quote(secret), quote(secret, safe=""), base64.b64encode(secret.encode()).decode()]
    for spelling in spellings[:1] + spellings[2:]:
        assert redact(f"<{spelling}>").replace("=", "") == f"<{MASK}>"


def test_ordinary_words_stay() -> None:
    text = "step claimed: api key of acme, tenant_api_keys, bearer of good news, X-API-Key missing"
    assert redact(text) == text


def test_structures_are_masked_to_the_last_leaf() -> None:
    class Thing:
        def __str__(self) -> str:
            return KEY

    masked = redact_all({"list": [KEY, (KEY, {KEY: KEY})], "thing": Thing(), "number": 7, "none": None})
    assert "CYQQO8EL1kCjKfMG" not in str(masked)
    assert redact_all({"headers": {"X-Admin-Key": "hunter2"}}) == {"headers": {"X-Admin-Key": MASK}}
    assert (masked["number"], masked["none"]) == (7, None)
