import pytest

from common.errors import InvalidInput
from common.tenants.onboarding_checks import OnboardingRequest, checked_plan, request_checks


def request(
    tenant_id: str = "acme",
    company_name: str = "Acme Inc",
    admin_email: str = "a@acme.com",
    plan: str = "SCALE",
) -> OnboardingRequest:
    return OnboardingRequest(
        tenant_id=tenant_id, company_name=company_name, admin_email=admin_email, subscription_plan=plan
    )


def test_a_good_request_passes_every_check_and_gets_its_plan() -> None:
    assert all(check.passed for check in request_checks(request(), "tenants"))
    assert checked_plan(request(plan="professional"), "tenants").name == "PROFESSIONAL"


def test_all_violations_of_a_request_are_told_at_once_each_with_its_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_plan(request("tenants", " ", "nobody", "FREE"), "tenants")
    assert [(fault.pointer, fault.rule) for fault in caught.value.violations] == [
        ("/tenant_id", "is reserved for the platform"),
        ("/company_name", "must be 1 to 200 printable characters"),
        ("/admin_email", "must be an e-mail address, such as admin@example.com"),
        ("/subscription_plan", "must be one of STARTER, PROFESSIONAL, SCALE"),
    ]


@pytest.mark.parametrize("name", ["", "   ", "a" * 201, "line\nbreak", "null\x00byte", "a\u202eb"])
def test_a_company_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="/company_name"):
        checked_plan(request(company_name=name), "tenants")


@pytest.mark.parametrize("address", ["admin@customer.com", "a.b+c@x-y.example.co.uk", "1@2.de"])
def test_common_addresses_pass(address: str) -> None:
    assert checked_plan(request(admin_email=address), "tenants")


BAD_ADDRESSES = [
    *("", "a", "a@", "@b.com", "a@b", "a b@c.com", "a@b..com", ".a@b.com", "a..b@c.com", "a@-b.com", "a@b.c"),
    *("a@b.com\n", "a@b.com, c@d.com", "<a@b.com>", "a" * 65 + "@b.com", "a@" + "b." * 130 + "com"),
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="/admin_email"):
        checked_plan(request(admin_email=address), "tenants")
