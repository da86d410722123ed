import pytest

from common.tenants.tenant import DEFAULT_PLAN, find_plan, plans


@pytest.mark.parametrize(
    ("name", "daily", "monthly", "concurrent", "team"),
    [("STARTER", 6, 180, 3, 2), ("PROFESSIONAL", 25, 750, 5, 6), ("SCALE", 100, 3000, 10, 11)],
)
def test_the_plans_are_those_of_the_deployment_guide(
    name: str, daily: int, monthly: int, concurrent: int, team: int
) -> None:
    plan = plans()[name]
    assert (plan.daily_limit, plan.monthly_limit) == (daily, monthly)
    assert (plan.concurrent_limit, plan.max_team_members) == (concurrent, team)


def test_there_are_three_plans_and_the_default_is_one_of_them() -> None:
    assert list(plans()) == ["STARTER", "PROFESSIONAL", "SCALE"]
    assert find_plan(DEFAULT_PLAN)


def test_a_plan_is_found_in_any_case_and_an_unknown_one_is_not() -> None:
    assert find_plan("scale") == plans()["SCALE"]
    assert find_plan("ENTERPRISE") is None
