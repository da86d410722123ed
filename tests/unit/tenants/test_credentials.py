"""Credentials: sealed for one tenant and one ID, and for nobody else's eyes."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from common.errors import Conflict, NotConfigured, NotFound
from common.tenants.credential_access import CredentialOpener
from common.tenants.credentials import Credentials, Provider
from common.tenants.encryption import BrokenSeal, Keyring, Sealed
from tests.fakes.credentials import MemoryCredentials, a_key_file, credentials_on
from tests.fakes.onboarding import OnboardingPlatform
from tests.fakes.seals import a_ring

KEY = base64.b64encode(b"k1" * 16).decode()
SECRET = {"secret_access_key": "wJalrXUtnFEMI"}


def credentials(keyring: Keyring, store: MemoryCredentials | None = None) -> Credentials:
    platform = OnboardingPlatform()
    return credentials_on(
        store or MemoryCredentials(), keyring, platform.clock, platform.datasets, platform.tenants
    )


def opened(kept: Credentials, tenant_id: str, credential_id: str) -> Mapping[str, str]:
    """Open a credential as a step of the tenant's own would."""
    opener = CredentialOpener(store=kept.store, keyring=kept.keyring, project=kept.project)
    return opener.open(kept.get(tenant_id, credential_id))


def test_what_is_put_can_be_opened_by_its_tenant_alone() -> None:
    kept = credentials(a_ring("k1"))
    row, is_new = kept.put("acme", "aws", Provider.AWS, SECRET, "key")
    assert is_new
    assert opened(kept, "acme", "aws") == SECRET
    assert SECRET["secret_access_key"].encode() not in row.encrypted_credentials
    assert "wJalr" not in repr(row)
    with pytest.raises(NotFound):
        opened(kept, "other", "aws")


@pytest.mark.parametrize("place", [("other", "aws"), ("acme", "gcp")])
def test_a_sealed_text_that_is_moved_does_not_open(place: tuple[str, str]) -> None:
    kept = credentials(a_ring("k1"))
    row, _ = kept.put("acme", "aws", Provider.AWS, SECRET, "key")
    moved = replace(row, tenant_id=place[0], credential_id=place[1])
    assert kept.store.replace(None, moved)
    with pytest.raises(BrokenSeal):
        opened(kept, *place)


@pytest.mark.parametrize("position", [0, 1, 13, -1])
def test_a_sealed_text_that_is_changed_does_not_open(position: int) -> None:
    keyring = a_ring("k1")
    sealed = keyring.seal(b"secret", "acme", "aws")
    changed = bytearray(sealed.data)
    changed[position] ^= 1
    with pytest.raises(BrokenSeal):
        keyring.open(Sealed(key_version="k1", data=bytes(changed)), "acme", "aws")


def test_the_same_secret_is_never_sealed_the_same_way() -> None:
    keyring = a_ring("k1")
    assert len({keyring.seal(b"secret", "acme", "aws").data for _ in range(100)}) == 100


def test_after_a_rotation_the_old_key_is_needed_for_nothing() -> None:
    store = MemoryCredentials()
    old = credentials(a_ring("k1"), store)
    for tenant_id in ("acme", "other"):
        old.put(tenant_id, "aws", Provider.AWS, SECRET, "key")
    old.put("acme", "gone", Provider.AWS, SECRET, "key")
    old.delete("acme", "gone", "key")
    both = credentials(a_ring("k2", "k1"), store)
    assert (both.rotate(), both.rotate()) == (2, 0)
    assert opened(credentials(a_ring("k2"), store), "acme", "aws") == SECRET
    with pytest.raises(BrokenSeal):
        opened(old, "acme", "aws")


def test_what_cannot_be_opened_keeps_nothing_else_from_being_rotated() -> None:
    store = MemoryCredentials()
    credentials(a_ring("k1"), store).put("acme", "aws", Provider.AWS, SECRET, "key")
    assert credentials(a_ring("k2"), store).rotate() == 0


def test_a_deleted_credential_holds_no_secret_and_can_be_put_again() -> None:
    kept = credentials(a_ring("k1"))
    kept.put("acme", "aws", Provider.AWS, SECRET, "key")
    kept.delete("acme", "aws", "key")
    assert kept.store.list("acme")[0].encrypted_credentials == b""
    assert kept.list("acme") == []
    with pytest.raises(NotFound):
        kept.get("acme", "aws")
    assert kept.put("acme", "aws", Provider.AWS, SECRET, "key")[1]


def test_a_tenant_has_a_hundred_credentials_at_most() -> None:
    kept = credentials(a_ring("k1"))
    for number in range(100):
        kept.put("acme", f"c{number}", Provider.AWS, SECRET, "key")
    with pytest.raises(Conflict):
        kept.put("acme", "one-more", Provider.AWS, SECRET, "key")
    assert not kept.put("acme", "c0", Provider.GCP, a_key_file(), "key")[1]


def test_without_a_key_ring_nothing_is_kept() -> None:
    with pytest.raises(NotConfigured):
        credentials(Keyring.read("")).put("acme", "aws", Provider.AWS, SECRET, "key")


@pytest.mark.parametrize(
    "text",
    [
        "secret-that-is-no-json",
        "[]",
        '{"active": "k1"}',
        json.dumps({"active": "k1", "keys": {"k2": base64.b64encode(b"k2" * 16).decode()}}),
        '{"active": "k1", "keys": {"k1": "c2hvcnQ="}}',
        '{"active": "k1", "keys": {"k1": "no base64"}}',
        json.dumps({"active": "k1", "keys": {"k1": KEY}})[:-2] + f', "k1": "{KEY}"}}}}',
    ],
)
def test_a_broken_key_ring_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="CREDENTIALS_KEYRING") as refused:
        Keyring.read(text)
    assert text not in str(refused.value)
    assert refused.value.__cause__ is None
