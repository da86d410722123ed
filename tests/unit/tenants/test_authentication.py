from datetime import UTC, datetime, timedelta

import pytest

from common.errors import Forbidden, Unauthenticated, Unavailable
from common.tenants.authentication import Authenticator, KnownKey
from common.tenants.keys import ALL_SCOPES, KeyRecord, Scope, mint_key
from common.tenants.tenant import TenantStatus

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY = mint_key("acme")


class CountingStore:
    def __init__(self, *known: KnownKey) -> None:
        self.known = {key.record.api_key_hash: key for key in known}
        self.questions: list[str] = []

    def find_key(self, api_key_hash: str) -> KnownKey | None:
        self.questions.append(api_key_hash)
        return self.known.get(api_key_hash)


class BrokenStore:
    def find_key(self, api_key_hash: str) -> KnownKey | None:
        raise Unavailable("BigQuery did not answer")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def known(
    *,
    status: TenantStatus = TenantStatus.ACTIVE,
    is_active: bool = True,
    expires_at: datetime | None = None,
    scopes: frozenset[Scope] = ALL_SCOPES,
) -> KnownKey:
    record = KeyRecord(
        api_key_id="key-1",
        api_key_hash=KEY.api_key_hash,
        tenant_id="acme",
        key_prefix=KEY.prefix,
        scopes=scopes,
        is_active=is_active,
        expires_at=expires_at,
        created_at=NOON,
        created_by="onboarding",
    )
    return KnownKey(record=record, tenant_status=status)


def test_a_key_tells_its_tenant_and_scopes() -> None:
    caller = Authenticator(store=CountingStore(known()), clock=Clock()).authenticate(KEY.text)
    assert (caller.tenant_id, caller.api_key_id, caller.scopes) == ("acme", "key-1", ALL_SCOPES)


@pytest.mark.parametrize("given", [None, "", "nonsense", "acme_api_CYQQO8EL1kCjKfMG"])
def test_a_missing_malformed_or_unknown_key_is_nobodys(given: str | None) -> None:
    with pytest.raises(Unauthenticated):
        Authenticator(store=CountingStore(known()), clock=Clock()).authenticate(given)


def test_a_revoked_key_is_nobodys() -> None:
    with pytest.raises(Unauthenticated, match="not valid"):
        Authenticator(store=CountingStore(known(is_active=False)), clock=Clock()).authenticate(KEY.text)


def test_a_key_expires_to_the_second_even_when_it_is_remembered() -> None:
    clock = Clock()
    store = CountingStore(known(expires_at=NOON + timedelta(seconds=5)))
    authenticator = Authenticator(store=store, clock=clock)
    authenticator.authenticate(KEY.text)
    clock.now += timedelta(seconds=5)
    with pytest.raises(Unauthenticated, match="expired at 2026-01-31T12:00:05"):
        authenticator.authenticate(KEY.text)


def test_a_suspended_tenant_is_told_so_and_a_deleted_one_is_nobody() -> None:
    with pytest.raises(Forbidden, match="suspended"):
        Authenticator(store=CountingStore(known(status=TenantStatus.SUSPENDED)), clock=Clock()).authenticate(
            KEY.text
        )
    with pytest.raises(Unauthenticated):
        Authenticator(store=CountingStore(known(status=TenantStatus.DELETED)), clock=Clock()).authenticate(
            KEY.text
        )


def test_the_store_is_asked_once_a_minute_and_then_sees_a_revocation() -> None:
    clock, store = Clock(), CountingStore(known())
    authenticator = Authenticator(store=store, clock=clock)
    authenticator.authenticate(KEY.text)
    store.known[KEY.api_key_hash] = known(is_active=False)
    clock.now += timedelta(seconds=59)
    authenticator.authenticate(KEY.text)
    assert len(store.questions) == 1
    clock.now += timedelta(seconds=1)
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(KEY.text)


def test_an_unknown_key_is_remembered_as_such_for_ten_seconds() -> None:
    clock, store = Clock(), CountingStore()
    authenticator = Authenticator(store=store, clock=clock)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            authenticator.authenticate(KEY.text)
    assert len(store.questions) == 1
    store.known[KEY.api_key_hash] = known()
    clock.now += timedelta(seconds=10)
    assert authenticator.authenticate(KEY.text).tenant_id == "acme"


def test_guessed_keys_do_not_push_out_real_ones() -> None:
    store = CountingStore(known())
    authenticator = Authenticator(store=store, clock=Clock())
    authenticator.authenticate(KEY.text)
    for _ in range(1_100):
        with pytest.raises(Unauthenticated):
            authenticator.authenticate(mint_key("acme").text)
    authenticator.authenticate(KEY.text)
    assert store.questions.count(KEY.api_key_hash) == 1


def test_the_store_is_never_told_a_key_in_clear() -> None:
    store = CountingStore()
    authenticator = Authenticator(store=store, clock=Clock())
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(KEY.text)
    assert store.questions == [KEY.api_key_hash]
    assert KEY.text not in repr(authenticator)


def test_a_store_that_cannot_answer_is_no_verdict_on_the_key() -> None:
    with pytest.raises(Unavailable):
        Authenticator(store=BrokenStore(), clock=Clock()).authenticate(KEY.text)


def test_a_scope_that_a_key_lacks_is_forbidden() -> None:
    store = CountingStore(known(scopes=frozenset({Scope.READ})))
    caller = Authenticator(store=store, clock=Clock()).authenticate(KEY.text)
    caller.require(Scope.READ)
    with pytest.raises(Forbidden, match="lacks the scope run"):
        caller.require(Scope.RUN)
