"""A subscription holds through its last day, and says from then on why nothing runs."""

from datetime import date

import pytest

from common.tenants.tenant import SubscriptionStatus, why_ended

ACTIVE, TRIAL = SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIAL
LAST = date(2026, 3, 31)
REMEDY = "it cannot run pipelines until the operator of the platform gives it a plan"


@pytest.mark.parametrize(
    ("status", "trial_end", "end", "today", "reason"),
    [
        (ACTIVE, None, None, LAST, ""),
        (ACTIVE, date(2020, 1, 1), None, LAST, ""),
        (TRIAL, None, None, LAST, ""),
        (TRIAL, LAST, None, LAST, ""),
        (TRIAL, LAST, None, date(2026, 4, 1), "the tenant's trial ended with 2026-03-31"),
        (ACTIVE, None, LAST, LAST, ""),
        (ACTIVE, None, LAST, date(2026, 4, 1), "the tenant's subscription ended with 2026-03-31"),
        (SubscriptionStatus.EXPIRED, None, None, LAST, "the tenant's subscription is EXPIRED"),
        (SubscriptionStatus.CANCELLED, None, None, LAST, "the tenant's subscription is CANCELLED"),
    ],
)
def test_a_subscription_says_why_it_is_over(
    status: SubscriptionStatus, trial_end: date | None, end: date | None, today: date, reason: str
) -> None:
    assert why_ended(status, trial_end, end, today) == (f"{reason}: {REMEDY}" if reason else "")
