"""Each function may do what its code does and nothing else: grants, compared with what the wiring builds."""

from collections.abc import Callable

from tests.terraform.configuration import local_values
from tests.terraform.wiring import reached

FUNCTIONS = set(local_values()["function_defaults"])


def functions_that(reach: Callable[[frozenset[str]], bool]) -> set[str]:
    return {function for function in FUNCTIONS if reach(reached(function))}


def test_whoever_acts_as_the_executor_may_and_nobody_else() -> None:
    users = functions_that(lambda parts: "cloud.executor_client" in parts)
    assert users == set(local_values()["executor_users"])


def test_whoever_starts_levels_may_publish_them_and_nobody_else() -> None:
    publishers = local_values()["publishers"]
    users = functions_that(lambda parts: "cloud.levels" in parts)
    assert users == {function for function, topics in publishers.items() if "levels" in topics}


def test_whoever_gives_up_on_messages_may_publish_dead_letters_and_nobody_else() -> None:
    publishers = local_values()["publishers"]
    users = functions_that(lambda parts: "wiring.dead_letters" in parts)
    assert users == {function for function, topics in publishers.items() if "dead_letters" in topics}


def test_no_topic_is_published_to_that_nobody_may() -> None:
    granted = {topic for topics in local_values()["publishers"].values() for topic in topics}
    used = {
        part.removeprefix("topic:")
        for function in FUNCTIONS
        for part in reached(function)
        if part.startswith("topic:")
    }
    assert used == granted


def test_whoever_answers_for_its_health_may_see_the_topic_and_nobody_else() -> None:
    users = functions_that(lambda parts: "domain._readiness" in parts)
    assert users == set(local_values()["health_functions"])


def test_the_dispatcher_alone_reads_dead_letters() -> None:
    assert functions_that(lambda parts: "cloud.dead_letter_subscription" in parts) == {"dispatcher"}


def test_whoever_makes_tenants_may_create_datasets_and_authorize_their_views() -> None:
    roles = local_values()["platform_roles"]
    makers = functions_that(lambda parts: "cloud.tenant_datasets" in parts)
    assert makers == {account for account, held in roles.items() if "CreateDatasets" in held}
    assert makers == {
        account for account, held in roles.items() if set(held) & {"AuthorizeViews", "OwnCentral"}
    }


def test_whoever_claims_or_appends_may_and_no_other_account() -> None:
    roles = local_values()["platform_roles"]
    claimers = functions_that(lambda parts: "cloud.claims" in parts)
    assert claimers == {account for account, held in roles.items() if "ClaimJobs" in held}
    assert claimers == {account for account, held in roles.items() if "AppendState" in held}


def test_whoever_checks_the_admin_key_or_the_token_may_read_it() -> None:
    uses = local_values()["secret_uses"]
    assert uses["admin-api-key"]["functions"] == ["admin"]
    door = functions_that(lambda parts: "wiring.tenant_services" in parts)
    assert set(uses["onboarding-token"]["functions"]) == door == {"onboarding"}
