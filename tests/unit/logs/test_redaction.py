import base64
from urllib.parse import quote

import pytest

from common.logs import MASK, mask, redact, redaction, register_secrets
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


SECRET = 's3cr3t/of "acme"+é'


@pytest.mark.parametrize(
    "quoted",
    [
        SECRET,
        quote(SECRET, safe=""),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        's3cr3t/of \\"acme\\"+\\u00e9',
    ],
)
def test_a_secret_is_masked_in_each_way_in_which_a_message_may_quote_it(quoted: str) -> None:
    assert mask(f"Bad int64 value: {quoted}", [SECRET]) == f"Bad int64 value: {MASK}"


@pytest.mark.parametrize("before", ["", "u", "u:", "user:"])
def test_a_secret_in_the_middle_of_base64_is_masked(before: str) -> None:
    text = base64.b64encode(f"{before}{SECRET} and more".encode()).decode()
    start, _, end = mask(text, [SECRET]).partition(MASK)
    # All but the characters at both ends, which the neighbours have a part in.
    assert len(text) - len(start) - len(end) >= len(SECRET.encode()) * 8 // 6 - 1
    assert text.startswith(start)
    assert text.endswith(end)


def test_a_secret_that_a_message_cuts_off_is_masked_as_far_as_it_goes() -> None:
    assert (
        mask("Could not cast 0123456789… to INT64", ["0123456789abcdef"])
        == f"Could not cast {MASK}… to INT64"
    )
    assert mask("near 89abcdef", ["0123456789abcdef"]) == f"near {MASK}"


def test_what_is_common_by_chance_is_not_masked() -> None:
    assert mask("the table of values", ["the table-top"]) == f"{MASK} of values"
    assert mask("the tables", ["the tab"]) == f"{MASK}les"
    assert mask("no such table", ["the tables", ""]) == "no such table"


def test_a_message_that_holds_a_very_short_secret_is_masked_as_a_whole() -> None:
    assert mask("Bad int64 value: 7", ["7"]) == MASK
    assert mask("Bad int64 value: x", ["7"]) == "Bad int64 value: x"


def test_of_many_secrets_each_is_masked() -> None:
    assert mask("between 1234567 and 7654321.", ["1234567", "7654321"]) == f"between {MASK} and {MASK}."


def test_a_secret_of_one_letter_leaves_words_readable() -> None:
    register_secrets(["k"])
    assert redact("Traceback of task: key=k, (k)") == f"Traceback of task: key={MASK}, ({MASK})"
