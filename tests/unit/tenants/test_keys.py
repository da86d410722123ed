import hashlib
import re

import pytest

from common.tenants.keys import is_key_hash, mint_key, read_key


def test_a_new_key_names_its_tenant_and_ends_in_16_random_characters() -> None:
    key = mint_key("acme")
    assert re.fullmatch(r"acme_api_[A-Za-z0-9]{16}", key.text)
    assert mint_key("acme").text != key.text


@pytest.mark.parametrize("given", [" {}", "{}\n", "\t{} ", "\r\n{}\r\n"])
def test_blanks_around_a_key_are_none_of_it(given: str) -> None:
    assert read_key(given.format("acme_api_CYQQO8EL1kCjKfMG")) == read_key("acme_api_CYQQO8EL1kCjKfMG")


def test_a_key_is_stored_as_its_sha_256_and_shown_by_its_first_characters() -> None:
    key = read_key("gtest_customer_3s323_api_CYQQO8EL1kCjKfMG")
    assert key
    assert key.tenant_id == "gtest_customer_3s323"
    assert key.prefix == "gtest_customer_3s323_api_CYQQ"
    assert key.api_key_hash == hashlib.sha256(key.text.encode()).hexdigest()
    assert is_key_hash(key.api_key_hash)


def test_a_tenant_id_that_looks_like_a_key_is_read_from_the_right() -> None:
    key = read_key(mint_key("acme_api_x").text)
    assert key
    assert key.tenant_id == "acme_api_x"


@pytest.mark.parametrize(
    "text",
    ["", "acme", "acme_api_short", "acme_api_CYQQO8EL1kCjKfM!", "Acme_api_CYQQO8EL1kCjKfMG", "a" * 9999],
)
def test_what_has_not_a_keys_form_is_no_key(text: str) -> None:
    assert read_key(text) is None


def test_a_key_does_not_show_itself() -> None:
    key = mint_key("acme")
    assert key.text not in f"{key!r} {key}"


@pytest.mark.parametrize("text", ["", "0" * 63, "G" * 64, "A" * 64])
def test_what_has_not_a_hashs_form_is_no_hash(text: str) -> None:
    assert not is_key_hash(text)
