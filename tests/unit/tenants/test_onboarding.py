"""Onboarding, whole and cut off at every point where a call can fail or a process can die."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from common.errors import Conflict, InvalidInput, NotConfigured, QueryRefused, Unavailable
from common.setup.views import TENANT_VIEW
from common.tenants.keys import ALL_SCOPES
from common.tenants.ports import CommitState
from tests.fakes.onboarding import OnboardingPlatform as Platform

LATER = timedelta(minutes=11)
POINTS = 13
"""How many points an undisturbed onboarding passes; a test below holds this number."""


class Death(BaseException):
    """The end of a process: nothing that catches errors catches it."""


def assert_whole(platform: Platform) -> None:
    """Check that each tenant has all of its parts, and each part a tenant."""
    assert set(platform.tenants.profiles) == set(platform.datasets.datasets) == platform.datasets.authorized
    assert all(dataset.contents == {TENANT_VIEW} for dataset in platform.datasets.datasets.values())
    assert {key.tenant_id for key in platform.tenants.key_rows} == set(platform.tenants.profiles)
    assert len(platform.tenants.key_rows) == len(platform.tenants.profiles)


def assert_no_half_tenant(platform: Platform) -> None:
    """Check what holds even when a process has just died: a profile has all other parts."""
    for tenant_id in platform.tenants.profiles:
        assert platform.datasets.datasets[tenant_id].contents == {TENANT_VIEW}
        assert tenant_id in platform.datasets.authorized


def fail_at(number: int, error: BaseException, *, then: int = 0) -> Callable[[str], None]:
    """Return trouble that raises at the numbered point, and at `then` points after it."""
    passed = 0

    def trouble(_point: str) -> None:
        nonlocal passed
        passed += 1
        if number <= passed <= number + then:
            raise error

    return trouble


def test_a_new_tenant_has_all_its_parts(platform: Platform) -> None:
    onboarded = platform.onboard(plan="professional")
    assert_whole(platform)
    assert onboarded.dataset_created
    assert onboarded.tables_created == (TENANT_VIEW,)
    subscription = platform.tenants.subscriptions["acme"]
    assert (subscription.plan_name, subscription.daily_limit) == ("PROFESSIONAL", 25)
    (key,) = platform.tenants.key_rows
    assert (key.api_key_hash, key.scopes) == (onboarded.key.api_key_hash, ALL_SCOPES)


def test_the_key_is_in_the_answer_and_in_no_row(platform: Platform) -> None:
    onboarded = platform.onboard()
    rows = [platform.tenants.profiles, platform.tenants.subscriptions, platform.tenants.key_rows, onboarded]
    assert onboarded.key.text not in repr(rows)


def test_bad_requests_touch_nothing(platform: Platform) -> None:
    with pytest.raises(InvalidInput):
        platform.onboard("Acme")
    assert platform.points == []


@pytest.mark.parametrize("tables", [None, (), ("tenant_profiles",)])
def test_nobody_is_onboarded_before_the_bootstrap(platform: Platform, tables: tuple[str, ...] | None) -> None:
    platform.catalog.tables = tables
    with pytest.raises(NotConfigured, match="bootstrap"):
        platform.onboard()
    assert platform.datasets.datasets == {}


def test_an_existing_tenant_is_a_conflict_and_stays_untouched(platform: Platform) -> None:
    platform.onboard()
    before = (dict(platform.tenants.profiles), list(platform.tenants.key_rows))
    with pytest.raises(Conflict, match="acme exists already"):
        platform.onboard(plan="SCALE")
    assert (dict(platform.tenants.profiles), list(platform.tenants.key_rows)) == before
    assert_whole(platform)


def test_a_dataset_of_somebody_else_is_a_conflict_and_stays_untouched(platform: Platform) -> None:
    platform.datasets.create("acme", owner="")
    platform.clock.advance(LATER)
    with pytest.raises(Conflict, match="the name acme is taken"):
        platform.onboard()
    assert list(platform.datasets.datasets) == ["acme"]
    assert platform.tenants.profiles == {}


def test_a_dataset_that_holds_tables_is_never_taken_over(platform: Platform) -> None:
    platform.datasets.create("acme", owner="id-of-a-dead-process")
    platform.datasets.datasets["acme"].contents.add("precious")
    platform.clock.advance(LATER)
    with pytest.raises(Conflict, match="taken"):
        platform.onboard()
    assert platform.datasets.datasets["acme"].contents == {"precious"}


def test_two_at_once_are_one_tenant_and_one_conflict(platform: Platform) -> None:
    outcomes: list[Exception] = []

    def second_comes(point: str) -> None:
        if point == "after create":
            platform.trouble = lambda _point: None
            with pytest.raises(Conflict, match="under way; try again") as caught:
                platform.onboard()
            outcomes.append(caught.value)

    platform.trouble = second_comes
    platform.onboard()
    assert len(outcomes) == 1
    assert_whole(platform)


@pytest.mark.parametrize("taken", ["acme", "Acme", "ac_me"])
def test_a_name_that_people_confuse_with_a_taken_one_is_a_conflict(platform: Platform, taken: str) -> None:
    platform.datasets.create(taken, owner="")
    with pytest.raises(Conflict, match="acrne looks like another one that is taken"):
        platform.onboard("acrne")
    assert list(platform.datasets.datasets) == [taken]


def test_of_two_at_once_whose_names_look_alike_one_is_made(platform: Platform) -> None:
    def other_comes(point: str) -> None:
        if point == "before create":
            platform.trouble = lambda _point: None
            platform.onboard("acrne")

    platform.trouble = other_comes
    with pytest.raises(Unavailable, match="looks like another one"):
        platform.onboard("acme")
    assert_whole(platform)
    assert list(platform.tenants.profiles) == ["acrne"]


def test_an_undisturbed_onboarding_passes_as_many_points_as_are_tried(platform: Platform) -> None:
    platform.onboard()
    assert len(platform.points) == POINTS, platform.points


@pytest.mark.parametrize("number", range(1, POINTS + 1))
def test_a_call_that_fails_leaves_a_whole_tenant_or_none_and_a_repeat_succeeds(
    platform: Platform, number: int
) -> None:
    platform.trouble = fail_at(number, Unavailable("no answer"))
    try:
        platform.onboard()
    except Unavailable:
        assert_whole(platform)
        assert platform.tenants.profiles == {}
        platform.onboard()
    assert_whole(platform)
    assert list(platform.tenants.profiles) == ["acme"]


@pytest.mark.parametrize("then", [1, 2, 100])
@pytest.mark.parametrize("number", range(1, POINTS + 1))
def test_calls_that_go_on_failing_leave_nothing_half_that_a_later_repeat_does_not_mend(
    platform: Platform, number: int, then: int
) -> None:
    platform.trouble = fail_at(number, Unavailable("no answer"), then=then)
    try:
        platform.onboard()
    except Unavailable:
        assert_no_half_tenant(platform)
    assert_made_by_a_later_repeat(platform)


@pytest.mark.parametrize("number", range(1, POINTS + 1))
def test_a_process_that_dies_leaves_nothing_half_that_a_later_repeat_does_not_mend(
    platform: Platform, number: int
) -> None:
    platform.trouble = fail_at(number, Death())
    with pytest.raises(Death):
        platform.onboard()
    assert_no_half_tenant(platform)
    assert_made_by_a_later_repeat(platform)


@pytest.mark.parametrize("second", range(1, 20))
@pytest.mark.parametrize("first", range(1, POINTS + 1))
def test_the_successor_of_a_dead_process_may_die_too(platform: Platform, first: int, second: int) -> None:
    for number in (first, second):
        platform.trouble = fail_at(number, Death())
        try:
            platform.onboard()
        except (Death, Conflict):
            assert_no_half_tenant(platform)
        platform.clock.advance(LATER)
    assert_made_by_a_later_repeat(platform)


def test_attempts_whose_jobs_are_forgotten_are_passed(platform: Platform) -> None:
    platform.datasets.create("acme", owner="long-dead")
    platform.jobs.forgotten = {f"cvg-onboard-acme-long-dead-{number}" for number in (1, 2)}
    assert_made_by_a_later_repeat(platform)


def assert_made_by_a_later_repeat(platform: Platform) -> None:
    """Repeat once everything works again and the dead have been given up."""
    platform.trouble = lambda _point: None
    platform.clock.advance(LATER)
    if "acme" in platform.tenants.profiles:
        with pytest.raises(Conflict, match="exists already"):
            platform.onboard()
    else:
        platform.onboard()
    assert_whole(platform)
    assert list(platform.tenants.profiles) == ["acme"]


@pytest.mark.parametrize("point", ["before view", "after view", "before authorize", "before commit"])
def test_a_process_that_was_only_slow_cannot_commit_after_its_successor(
    platform: Platform, point: str
) -> None:
    def successor_comes(here: str) -> None:
        if here == point:
            platform.trouble = lambda _point: None
            platform.clock.advance(LATER)
            platform.onboard()

    platform.trouble = successor_comes
    with pytest.raises(Conflict, match="under way in another request"):
        platform.onboard()
    assert_whole(platform)


def test_a_slow_process_that_fails_removes_nothing_of_its_successors(platform: Platform) -> None:
    def successor_comes(here: str) -> None:
        if here == "before revoke":
            platform.trouble = lambda _point: None
            platform.clock.advance(LATER)
            platform.onboard()

    def fail(here: str) -> None:
        if here == "before authorize":
            platform.trouble = successor_comes
            raise Unavailable("no answer")

    platform.trouble = fail
    with pytest.raises(Unavailable):
        platform.onboard()
    assert "acme" in platform.tenants.profiles
    assert "acme" in platform.datasets.datasets


def test_a_transaction_that_is_refused_leaves_nothing(platform: Platform) -> None:
    platform.tenants.refusal = QueryRefused("a column is missing")
    with pytest.raises(Unavailable):
        platform.onboard()
    assert_whole(platform)
    platform.tenants.refusal = None
    platform.onboard()
    assert_whole(platform)


def test_a_transaction_that_may_yet_go_through_is_left_alone(platform: Platform) -> None:
    def lose_the_answer(point: str) -> None:
        if point == "in commit":
            (job_id,) = platform.tenants.commits
            platform.tenants.commits[job_id] = CommitState.RUNNING
            raise Unavailable("no answer")

    platform.trouble = lose_the_answer
    with pytest.raises(Unavailable):
        platform.onboard()
    assert platform.datasets.datasets["acme"].contents == {TENANT_VIEW}
    platform.trouble = lambda _point: None
    platform.clock.advance(LATER)
    with pytest.raises(Conflict, match="being made at this moment"):
        platform.onboard()


def test_a_lost_answer_to_the_creation_of_the_dataset_is_recognized_as_ours(platform: Platform) -> None:
    platform.trouble = fail_at(3, Unavailable("no answer"))
    assert platform.onboard().dataset_created
    assert_whole(platform)


def test_tenants_do_not_stand_in_each_others_way(platform: Platform) -> None:
    platform.onboard("acme")
    platform.onboard("umbra")
    assert_whole(platform)
    assert sorted(platform.tenants.profiles) == ["acme", "umbra"]
