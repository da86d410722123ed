import pytest

from common.errors import Unavailable
from common.tenants.onboarding_checks import DryRun, DryRunReport, OnboardingRequest
from tests.fakes.onboarding import OnboardingPlatform


def check(platform: OnboardingPlatform, tenant_id: str = "acme") -> DryRunReport:
    """Check a request that is right but for its tenant ID, perhaps."""
    dry_run = DryRun(
        datasets=platform.datasets,
        catalog=platform.catalog,
        clock=platform.clock,
        central_dataset="tenants",
    )
    return dry_run.check(
        OnboardingRequest(tenant_id=tenant_id, company_name="Acme", admin_email="a@acme.com")
    )


def messages(report: DryRunReport) -> dict[str, str]:
    """Return what the failed checks say."""
    return {check.name: check.message for check in report.checks if not check.passed}


def test_a_request_that_would_go_through_passes_all_eight_checks(platform: OnboardingPlatform) -> None:
    report = check(platform)
    assert report.is_ready
    assert len(report.checks) == 8


def test_a_tenant_and_any_other_dataset_are_taken_alike(platform: OnboardingPlatform) -> None:
    platform.onboard("acme")
    platform.datasets.create("warehouse", owner="")
    taken = {"tenant_existence": "the tenant ID is taken"}
    assert messages(check(platform, "acme")) == messages(check(platform, "warehouse")) == taken


def test_a_name_that_looks_like_a_taken_one_is_told(platform: OnboardingPlatform) -> None:
    platform.onboard("acme")
    told = messages(check(platform, "acrne"))
    assert told == {"tenant_existence": "the tenant ID looks like another one that is taken"}


@pytest.mark.parametrize("tenant_id", ["tenants", "Acme", "x"])
def test_no_dataset_is_looked_up_by_a_name_that_breaks_rules(
    platform: OnboardingPlatform, tenant_id: str
) -> None:
    report = check(platform, tenant_id)
    assert messages(report)["tenant_existence"] == "not looked up: the tenant ID breaks rules"
    assert platform.points == []


@pytest.mark.parametrize("tables", [None, ("tenant_profiles",)])
def test_a_platform_without_its_tables_is_not_ready(
    platform: OnboardingPlatform, tables: tuple[str, ...] | None
) -> None:
    platform.catalog.tables = tables
    assert messages(check(platform)) == {"central_tables": "the platform is not set up yet"}


def test_a_bigquery_that_does_not_answer_fails_the_checks_that_ask_it(platform: OnboardingPlatform) -> None:
    def fail(_point: str) -> None:
        raise Unavailable("no answer")

    platform.trouble = platform.catalog.at = fail
    assert set(messages(check(platform))) == {"bigquery_connectivity", "central_tables", "tenant_existence"}
