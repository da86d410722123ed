"""A tenant's own keys: listed, made, expired, revoked, and rotated with an overlap.

A key can give no more than it has: what it makes, rotates, revokes or gives another end has no scope that it
lacks, and what it makes or prolongs ends no later than itself. What a key has is read anew for each gift: the
authenticator may remember it from before it was revoked or given an end.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated, Violation
from common.tenants.administration import Administration, IssuedKey, TenantDirectory
from common.tenants.audit import AuditLog
from common.tenants.authentication import Caller
from common.tenants.keys import KeyRecord, Scope
from common.times import Clock, to_rfc3339

MAX_KEYS = 50
# How far back the use of a key is looked for.
MEMORY_OF_USE = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUse:
    """A key, and when it was last seen (to the hour), None where that was long ago or never."""

    record: KeyRecord
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """What a tenant does with its keys. Other tenants' keys are not there: NotFound."""

    administration: Administration
    uses: AuditLog
    clock: Clock

    def list(self, caller: Caller) -> tuple[KnownUse, ...]:
        """List the caller's tenant's keys, revoked and expired ones too, oldest first."""
        uses = self.uses.last_uses(caller.tenant_id, self.clock() - MEMORY_OF_USE)
        return tuple(
            KnownUse(record=record, last_used_at=uses.get(record.api_key_id))
            for record in self._directory.keys_of(caller.tenant_id)
        )

    def issue(
        self,
        caller: Caller,
        *,
        scopes: Collection[Scope],
        description: str | None = None,
        expires_in_days: int | None = None,
    ) -> IssuedKey:
        """Make a key, which ends with the caller's where no earlier end is asked for.

        Forbidden for scopes that the caller lacks or a later end, Conflict where there are too many keys.
        """
        _refuse_more_than(caller, scopes)
        giver = self._giver(caller)
        ends_at = self.administration.end_in(expires_in_days)
        _refuse_later_than(giver, ends_at)
        return self._issue(caller, scopes, description, ends_at or giver.expires_at)

    def revoke(self, caller: Caller, api_key_id: str) -> KeyRecord:
        """Revoke a key, the caller's own too; Forbidden where it has scopes that the caller lacks.

        Revoking it again answers the same.
        """
        record = self._find(caller, api_key_id)
        _refuse_more_than(caller, record.scopes)
        return self.administration.revoke_key(record.api_key_hash)

    def expire(self, caller: Caller, api_key_id: str, expires_at: datetime) -> KeyRecord:
        """Give a living key another end; InvalidInput where it is past, Forbidden after the caller's own."""
        record = self._find_alive(caller, api_key_id)
        _refuse_later_than(self._giver(caller), expires_at)
        if expires_at <= self.clock():
            raise InvalidInput(
                [Violation("/expires_at", "must be in the future: to end a key now, revoke it")]
            )
        changed = replace(record, expires_at=expires_at)
        self._directory.append_key(changed, recorded_at=self.clock())
        return changed

    def rotate(self, caller: Caller, api_key_id: str, overlap: timedelta) -> IssuedKey:
        """Make a key that does what another does; the old one lives on for the overlap.

        The new one has the end of the old one, or the caller's where that is sooner.
        """
        old = self._find_alive(caller, api_key_id)
        ends = [end for end in (old.expires_at, self._giver(caller).expires_at) if end]
        issued = self._issue(caller, old.scopes, old.description, min(ends, default=None))
        ends_at = self.clock() + overlap
        if old.expires_at is None or ends_at < old.expires_at:
            self._directory.append_key(replace(old, expires_at=ends_at), recorded_at=self.clock())
        return issued

    def _issue(
        self,
        caller: Caller,
        scopes: Collection[Scope],
        description: str | None,
        expires_at: datetime | None,
    ) -> IssuedKey:
        if sum(map(self._is_alive, self._directory.keys_of(caller.tenant_id))) >= MAX_KEYS:
            raise Conflict(f"a tenant has {MAX_KEYS} keys at most: revoke one first")
        return self.administration.issue_key(
            caller.tenant_id,
            by=caller.api_key_id,
            description=description,
            scopes=scopes,
            expires_at=expires_at,
        )

    def _giver(self, caller: Caller) -> KeyRecord:
        """Read the caller's own key anew; Unauthenticated where it has ended meanwhile."""
        for record in self._directory.keys_of(caller.tenant_id):
            if record.api_key_id == caller.api_key_id and self._is_alive(record):
                return record
        raise Unauthenticated("the API key is revoked or has expired")

    def _find_alive(self, caller: Caller, api_key_id: str) -> KeyRecord:
        record = self._find(caller, api_key_id)
        _refuse_more_than(caller, record.scopes)
        if not self._is_alive(record):
            raise Conflict("the key is revoked or has expired")
        return record

    def _find(self, caller: Caller, api_key_id: str) -> KeyRecord:
        for record in self._directory.keys_of(caller.tenant_id):
            if record.api_key_id == api_key_id:
                return record
        raise NotFound("there is no API key with this ID")

    def _is_alive(self, record: KeyRecord) -> bool:
        return record.is_active and (record.expires_at is None or self.clock() < record.expires_at)

    @property
    def _directory(self) -> TenantDirectory:
        return self.administration.directory


def _refuse_more_than(caller: Caller, scopes: Collection[Scope]) -> None:
    if missing := sorted(set(scopes) - caller.scopes):
        raise Forbidden(f"this API key lacks the scope {missing[0]}, so it cannot give it")


def _refuse_later_than(giver: KeyRecord, ends_at: datetime | None) -> None:
    if giver.expires_at and ends_at and ends_at > giver.expires_at:
        end = to_rfc3339(giver.expires_at)
        raise Forbidden(f"this API key ends at {end}, so it cannot give a later end")
