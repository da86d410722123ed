"""The key ring's two halves: one seals, the other opens as well."""

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import NotConfigured
from common.tenants.encryption import BrokenSeal, Keyring, Kind, Sealed
from tests.fakes.seals import a_ring

OWNER = ("acme", "aws")


def sealed_before_there_were_two_halves(secret: bytes, *owner: str) -> Sealed:
    """Seal as version 1 did: under the ring's own key."""
    key, nonce = b"k1" * 16, b"n" * 12
    bound_to = "\0".join((Kind.CREDENTIAL, *owner)).encode()
    return Sealed(key_version="k1", data=b"\x01" + nonce + AESGCM(key).encrypt(nonce, secret, bound_to))


def test_who_has_the_public_half_seals_what_the_ring_opens() -> None:
    ring = a_ring("k1")
    sealed = Keyring.read(ring.public()).seal(b"secret", *OWNER)
    assert ring.open(sealed, *OWNER) == b"secret"


def test_who_has_the_public_half_opens_nothing_its_own_seals_included() -> None:
    ring = a_ring("k1")
    half = Keyring.read(ring.public())
    before = sealed_before_there_were_two_halves(b"secret", *OWNER)
    for sealed in (half.seal(b"secret", *OWNER), ring.seal(b"secret", *OWNER), before):
        with pytest.raises(BrokenSeal):
            half.open(sealed, *OWNER)


def test_the_public_half_tells_no_key_of_the_ring() -> None:
    ring = a_ring("k1", "k2")
    assert base64.b64encode(b"k1" * 16).decode() not in ring.public()
    assert "k2" not in ring.public()
    assert a_ring("k1").public() == ring.public()


def test_what_is_sealed_with_the_public_half_is_opened_for_its_owner_and_kind_alone() -> None:
    ring = a_ring("k1")
    sealed = Keyring.read(ring.public()).seal(b"secret", *OWNER)
    for owner, kind in (
        (("other", "aws"), Kind.CREDENTIAL),
        (OWNER, Kind.PARAMETER),
        (("acme",), Kind.CREDENTIAL),
    ):
        with pytest.raises(BrokenSeal):
            ring.open(sealed, *owner, kind=kind)


def test_what_was_sealed_before_is_still_opened_and_for_its_owner_alone() -> None:
    before = sealed_before_there_were_two_halves(b"secret", *OWNER)
    assert a_ring("k1").open(before, *OWNER) == b"secret"
    assert a_ring("k2", "k1").open(before, *OWNER) == b"secret"
    with pytest.raises(BrokenSeal):
        a_ring("k1").open(before, "other", "aws")


def test_a_text_of_one_version_does_not_open_as_the_other() -> None:
    ring = a_ring("k1")
    before = sealed_before_there_were_two_halves(b"secret", *OWNER)
    now = ring.seal(b"secret", *OWNER)
    for data in (
        b"\x02" + before.data[1:],
        b"\x01" + now.data[1:],
        b"\x03" + now.data[1:],
        b"",
        b"\x02",
        b"\x02" + bytes(60),
    ):
        with pytest.raises(BrokenSeal):
            ring.open(Sealed(key_version="k1", data=data), *OWNER)


@pytest.mark.parametrize(
    "text",
    [
        '{"active": "k1", "public_keys": {}}',
        '{"active": "k1", "public_keys": {"k1": "c2hvcnQ="}}',
        '{"public_keys": {}}',
    ],
)
def test_a_public_half_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="CREDENTIALS_"):
        Keyring.read(text)


def test_a_ring_without_a_key_has_no_public_half() -> None:
    with pytest.raises(NotConfigured, match="CREDENTIALS_KEYRING"):
        Keyring.read("").public()
