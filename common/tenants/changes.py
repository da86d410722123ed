"""What the operator changes about a tenant: its state, its plan, its sources, whose account runs its SQL.

A change is a row more. Work that is under way when a tenant is suspended is stopped by the dispatcher, which
finds it by the tenant's state: so it is stopped whatever becomes of the request that suspended the tenant.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from common.errors import Conflict, InvalidInput, NotFound, Violation
from common.tenants.credential_access import CredentialAccess
from common.tenants.ports import TenantDatasets, TenantReads
from common.tenants.tenant import (
    Isolation,
    Profile,
    Subscription,
    SubscriptionStatus,
    TenantStatus,
    find_plan,
    plans,
)
from common.times import Clock

_FORM = re.compile(
    r"(?P<project>[a-z][a-z0-9-]{4,28}[a-z0-9])"
    r"(?:\.(?P<dataset>[A-Za-z0-9_]{1,1024})(?:\.(?P<table>[A-Za-z0-9_-]{1,1024}))?)?"
)
_FILES = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](?P<path>(?:/[^/\x00-\x1f*?#\[\]${}]+)*)/?")
_FILES_RULE = (
    "must be gs://bucket or gs://bucket/path, without wildcards and variables, and no . or .. in the path"
)
_RULE = (
    "must be project, project.dataset or project.dataset.table, without backticks and wildcards; for files "
    "gs://bucket or gs://bucket/path"
)


def checked_sources(sources: Sequence[str], *, project: str, central_dataset: str) -> tuple[str, ...]:
    """Return sources, sorted, each once; InvalidInput, with all violations, where one opens the platform."""
    violations = [
        Violation(f"/sources/{index}", rule)
        for index, source in enumerate(sources)
        if (rule := _violation(source, project, central_dataset))
    ]
    if violations:
        raise InvalidInput(violations, "the sources break rules")
    return tuple(sorted(set(sources)))


def _violation(source: str, project: str, central_dataset: str) -> str:
    if source.startswith("gs://"):
        return _files_violation(source)
    form = _FORM.fullmatch(source)
    if form is None:
        return _RULE
    if form["project"] != project:
        return ""
    if form["dataset"] is None:
        return "must not be the whole project of the platform, where every tenant is: name a dataset"
    # Copies and backups have names that begin like the central dataset's.
    if form["dataset"].lower().startswith(central_dataset.lower()):
        return "must not be in the central dataset"
    return ""


def _files_violation(source: str) -> str:
    form = _FILES.fullmatch(source)
    if form is None or {".", ".."} & {*form["path"].split("/")}:
        return _FILES_RULE
    return ""


class TenantRecords(TenantReads, Protocol):
    """Rows of tenants that exist."""

    def replace_profile(self, old: Profile, new: Profile, *, recorded_at: datetime) -> bool:
        """Append a profile in the place of another; False where somebody else has replaced that one."""

    def append_subscription(self, subscription: Subscription, *, recorded_at: datetime) -> None:
        """Append a subscription's state; it can be read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be other than it is; None stays."""

    status: TenantStatus | None = None
    plan: str | None = None
    isolation: Isolation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChanges:
    """Changes tenants; a repeat changes nothing."""

    records: TenantRecords
    datasets: TenantDatasets
    access: CredentialAccess
    clock: Clock
    new_id: Callable[[], str]
    project: str
    central_dataset: str

    def change(self, tenant_id: str, change: Change) -> None:
        """Change a tenant; NotFound, InvalidInput (no such plan), Conflict (changed at the same time)."""
        profile = self._profile(tenant_id)
        if change.plan is not None:
            self._change_plan(tenant_id, change.plan)
        if change.isolation is not None:
            # Before the row: what dies in between is made up for by a repeat.
            is_isolated = change.isolation is Isolation.DEDICATED
            self.datasets.admit_executor(tenant_id, is_isolated=is_isolated)
        wanted = replace(
            profile,
            status=change.status or profile.status,
            isolation=change.isolation or profile.isolation,
        )
        self._replace(profile, wanted)
        if change.status is not None:
            self.access.sync(tenant_id)

    def set_sources(self, tenant_id: str, sources: Sequence[str]) -> tuple[str, ...]:
        """Let a tenant read these sources and no others beyond those of every tenant."""
        profile = self._profile(tenant_id)
        checked = checked_sources(sources, project=self.project, central_dataset=self.central_dataset)
        self._replace(profile, replace(profile, sources=checked))
        return checked

    def _replace(self, profile: Profile, wanted: Profile) -> None:
        if wanted != profile and not self.records.replace_profile(profile, wanted, recorded_at=self.clock()):
            raise Conflict(
                f"the tenant {profile.tenant_id} was changed at the same time; look, then try again"
            )

    def _change_plan(self, tenant_id: str, name: str) -> None:
        plan, old = find_plan(name), self.records.find_subscription(tenant_id)
        if plan is None:
            raise InvalidInput([Violation("/subscription_plan", f"must be one of {', '.join(plans())}")])
        now = self.clock()
        new = Subscription(
            subscription_id=old.subscription_id if old else self.new_id(),
            tenant_id=tenant_id,
            plan_name=plan.name,
            status=SubscriptionStatus.ACTIVE,
            daily_limit=plan.daily_limit,
            monthly_limit=plan.monthly_limit,
            concurrent_limit=plan.concurrent_limit,
            max_team_members=plan.max_team_members,
            created_at=old.created_at if old else now,
        )
        if new != old:
            self.records.append_subscription(new, recorded_at=now)

    def _profile(self, tenant_id: str) -> Profile:
        profile = self.records.find_profile(tenant_id)
        if profile is None or profile.status is TenantStatus.DELETED:
            raise NotFound(f"there is no tenant {tenant_id}")
        return profile
