"""Dry run of an onboarding: every check, nothing made, and nothing told that onboarding would not tell."""

from dataclasses import dataclass
from datetime import datetime

from common.errors import Unavailable
from common.tenants.checks import Check, OnboardingRequest, request_checks
from common.tenants.identifiers import looks_taken
from common.tenants.ports import CentralCatalog, TenantDatasets
from common.tenants.prerequisites import missing_tables
from common.times import Clock

_UNKNOWN = "could not be checked: BigQuery does not answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunReport:
    """The verdicts on one request, at one moment."""

    request: OnboardingRequest
    checks: tuple[Check, ...]
    checked_at: datetime

    @property
    def is_ready(self) -> bool:
        """Tell whether an onboarding would go through now."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> int:
        """Count the checks that failed."""
        return sum(not check.passed for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """Checks requests. It reads metadata only, which bills nothing."""

    datasets: TenantDatasets
    catalog: CentralCatalog
    clock: Clock
    central_dataset: str

    def check(self, request: OnboardingRequest) -> DryRunReport:
        """Apply all checks."""
        checks = request_checks(request, self.central_dataset)
        is_well_formed = all(check.passed for check in checks if check.name.startswith("tenant_id"))
        return DryRunReport(
            request=request,
            checks=(*checks, *self._platform_checks(), self._existence(request.tenant_id, is_well_formed)),
            checked_at=self.clock(),
        )

    def _platform_checks(self) -> tuple[Check, Check]:
        try:
            missing = missing_tables(self.catalog)
        except Unavailable:
            return (
                Check(name="bigquery_connectivity", passed=False, message="BigQuery does not answer"),
                Check(name="central_tables", passed=False, message=_UNKNOWN),
            )
        return (
            Check(name="bigquery_connectivity", passed=True, message="BigQuery answers"),
            Check(
                name="central_tables",
                passed=not missing,
                message="the platform is not set up yet" if missing else "the central tables are in place",
            ),
        )

    def _existence(self, tenant_id: str, is_well_formed: bool) -> Check:
        if not is_well_formed:
            return _existence(False, "not looked up: the tenant ID breaks rules")
        try:
            is_taken = self.datasets.find(tenant_id) is not None
            is_confusable = looks_taken(tenant_id, self.datasets.names())
        except Unavailable:
            return _existence(False, _UNKNOWN)
        if is_confusable:
            return _existence(False, "the tenant ID looks like another one that is taken")
        return _existence(not is_taken, "the tenant ID is taken" if is_taken else "the tenant ID is free")


def _existence(passed: bool, message: str) -> Check:
    return Check(name="tenant_existence", passed=passed, message=message)
