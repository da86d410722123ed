"""Secret parameters under the key ring: opened for their owner alone, and never as something else."""

from dataclasses import replace

import pytest

from common.errors import NotConfigured
from common.pipelines.pipeline import SealedValue
from common.pipelines.secret_values import Owner, Unopened
from common.tenants.encryption import BrokenSeal, Keyring, KeyringSeal, Kind
from tests.fakes.seals import a_ring, a_seal

OWNER = Owner(tenant_id="acme", config_id="daily", parameter="token")


@pytest.mark.parametrize("value", ["s3cr3t", "größe 🚀", "", 2**63 - 1, ["a", "b"], [1, 2], []])
def test_what_is_sealed_is_opened_as_it_was(value: str | int | list[str] | list[int]) -> None:
    seal = a_seal()
    sealed = seal.seal(OWNER, value)
    opened = seal.open(OWNER, sealed)
    assert (opened, type(opened)) == (value, type(value))


def test_a_sealed_value_shows_nothing_of_what_it_holds() -> None:
    sealed = a_seal().seal(OWNER, "s3cr3t-s3cr3t")
    assert "s3cr3t" not in sealed.data
    assert sealed.data not in repr(sealed)
    assert a_seal().seal(OWNER, "s3cr3t-s3cr3t") != sealed


@pytest.mark.parametrize("other", [{"tenant_id": "globex"}, {"config_id": "weekly"}, {"parameter": "region"}])
def test_what_is_sealed_for_one_owner_is_opened_for_no_other(other: dict[str, str]) -> None:
    seal = a_seal()
    sealed = seal.seal(OWNER, "s3cr3t")
    with pytest.raises(Unopened):
        seal.open(replace(OWNER, **other), sealed)


def test_a_parameter_never_opens_as_a_credential_nor_a_credential_as_a_parameter() -> None:
    ring = a_ring("k1")
    names = ("acme", "daily", "token")
    for sealed_as, opened_as in ((Kind.CREDENTIAL, Kind.PARAMETER), (Kind.PARAMETER, Kind.CREDENTIAL)):
        sealed = ring.seal(b'"s3cr3t"', *names, kind=sealed_as)
        assert ring.open(sealed, *names, kind=sealed_as) == b'"s3cr3t"'
        with pytest.raises(BrokenSeal):
            ring.open(sealed, *names, kind=opened_as)


def test_an_older_key_of_the_ring_opens_and_a_ring_without_it_does_not() -> None:
    sealed = a_seal("k1").seal(OWNER, "s3cr3t")
    assert a_seal("k2", "k1").open(OWNER, sealed) == "s3cr3t"
    with pytest.raises(Unopened, match="no key 'k1'"):
        a_seal("k2").open(OWNER, sealed)


@pytest.mark.parametrize("data", ["", "no base64!", "AA==", "QUJD" * 20])
def test_what_was_never_sealed_is_not_opened(data: str) -> None:
    with pytest.raises(Unopened):
        a_seal().open(OWNER, SealedValue(key_version="k1", data=data))


def test_without_a_key_ring_nothing_is_sealed_and_the_missing_variable_is_named() -> None:
    with pytest.raises(NotConfigured, match="CREDENTIALS_KEYRING"):
        KeyringSeal(keyring=Keyring.read("")).seal(OWNER, "s3cr3t")
