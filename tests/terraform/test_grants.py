"""Each function may do what its code does and nothing else: grants, compared with what the wiring builds."""

from collections.abc import Callable

from local.bigquery.dataset_roles import CUSTOM_ROLES
from tests.terraform.configuration import ROOT, function_defaults, local_values
from tests.terraform.documents import documented_writers
from tests.terraform.test_hostile_functions import permissions
from tests.terraform.wiring import reached

FUNCTIONS = set(function_defaults())


def functions_that(reach: Callable[[frozenset[str]], bool]) -> set[str]:
    return {function for function in FUNCTIONS if reach(reached(function))}


def test_whoever_acts_as_the_executor_may_and_nobody_else() -> None:
    users = functions_that(lambda parts: "accounts.executor_client" in parts)
    assert users == set(local_values()["executor_users"])


def test_whoever_acts_as_a_dedicated_tenants_account_may_and_nobody_else() -> None:
    users = functions_that(lambda parts: "accounts.tenant_client" in parts)
    assert users == set(local_values()["dedicated_users"]) == {"dispatcher", "run_level"}


def test_whoever_publishes_to_a_topic_may_and_nobody_else() -> None:
    # To answer for one's health is to look at the levels' topic, not to publish to it.
    publishers = {
        function: {
            topic
            for topic in local_values()["topics"]
            if f"topic:{topic}" in reached(function, but_not="wiring._levels_topic_exists")
        }
        for function in FUNCTIONS
    }
    granted = {function: set(topics) for function, topics in local_values()["publishers"].items()}
    assert {function: topics for function, topics in publishers.items() if topics} == granted


def test_whoever_answers_for_its_health_may_see_the_topic_and_nobody_else() -> None:
    users = functions_that(lambda parts: "wiring._levels_topic_exists" in parts)
    assert users == set(local_values()["health_functions"])


def test_the_dispatcher_alone_reads_dead_letters() -> None:
    assert functions_that(lambda parts: "adapters.dead_letter_subscription" in parts) == {"dispatcher"}


def test_whoever_makes_tenants_may_create_datasets_and_authorize_their_views() -> None:
    roles = local_values()["platform_roles"]
    makers = functions_that(lambda parts: "adapters.tenant_datasets" in parts)
    assert makers == {account for account, held in roles.items() if "CreateDatasets" in held}
    assert makers == {
        account for account, held in roles.items() if set(held) & {"AuthorizeViews", "OwnCentral"}
    }


def test_whoever_lets_accounts_of_credentials_into_datasets_may_change_access_lists() -> None:
    roles = local_values()["platform_roles"]
    users = functions_that(lambda parts: "accounts.credential_access" in parts)
    granted = {account for account, held in roles.items() if {"ShareTenants", "OwnTenants"} & held.keys()}
    assert users == granted == {"admin", "onboarding"}


def test_the_role_of_credentials_accounts_is_what_the_local_bigquery_takes_it_for() -> None:
    permissions = local_values()["roles"]["FillTables"]["permissions"]
    assert set(permissions) == CUSTOM_ROLES["convergenceFillTables"]
    assert not {"tables.create", "tables.update", "tables.delete"} & {
        permission.removeprefix("bigquery.") for permission in permissions
    }


def test_the_role_that_runs_tenants_sql_is_what_the_local_bigquery_takes_it_for() -> None:
    assert permissions("WriteTenants") == CUSTOM_ROLES["convergenceWriteTenants"]


def test_who_deletes_datasets_may_delete_the_snapshots_in_them() -> None:
    for role in ("OwnTenants", "RemoveTenants", "WriteTenants"):
        assert {"bigquery.tables.delete", "bigquery.tables.deleteSnapshot"} <= permissions(role)


def test_whoever_pauses_the_dispatcher_may_and_nobody_else() -> None:
    roles = local_values()["platform_roles"]
    users = functions_that(lambda parts: "adapters.scheduler_job" in parts)
    assert users == {account for account, held in roles.items() if "OperateSchedule" in held}


def test_whoever_removes_tenants_may_delete_their_datasets_and_nobody_else() -> None:
    roles = local_values()["platform_roles"]
    assert {account for account, held in roles.items() if "RemoveTenants" in held} == {"dispatcher"}


def test_whoever_claims_or_appends_may_and_no_other_account() -> None:
    roles = local_values()["platform_roles"]
    claimers = functions_that(lambda parts: "adapters.claims" in parts)
    assert claimers == {account for account, held in roles.items() if "ClaimJobs" in held}
    writers = {account: held["AppendRows"] for account, held in roles.items() if "AppendRows" in held}
    # What tells people of runs claims what it sends, and writes nothing down.
    assert writers == {function: f"written:{function}" for function in claimers - {"notify"}}


# Central table => the parts of the wiring that append to it.
WRITERS = {
    "platform_audit_log": {"services.auditor"},
    "tenant_api_keys": {"services.administration", "services.onboarding"},
    "tenant_cloud_credentials": {"accounts.credentials"},
    "tenant_pipeline_configs": {"wiring.pipeline_services"},
    "tenant_pipeline_execution_queue": {"services.queue"},
    "tenant_pipeline_runs": {"adapters.announcing_runs", "adapters.lane_rows"},
    "tenant_profiles": {"services.onboarding", "adapters.tenant_records"},
    "tenant_scheduled_pipeline_runs": {"adapters.firing_rows"},
    "tenant_step_logs": {"services.worker", "services.stopping_worker"},
    "tenant_subscriptions": {"services.onboarding", "adapters.tenant_records"},
    "tenant_usage_quotas": {"services.onboarding", "wiring.dispatcher"},
}
# Written by the checks of steps, which run where the steps do.
OF_STEPS = {"tenant_dq_results": ["run_level"]}


def test_whoever_appends_to_a_table_may_and_nobody_else() -> None:
    written = {
        table: sorted(functions_that(lambda parts, ways=frozenset(ways): bool(parts & ways)))  # type: ignore[misc]
        for table, ways in WRITERS.items()
    }
    assert local_values()["table_writers"] == written | OF_STEPS


def test_every_central_table_has_its_writers() -> None:
    tables = {path.stem for path in (ROOT / "ps_templates/setup/initial/schemas").glob("*.json")}
    assert set(local_values()["table_writers"]) == tables


def test_the_page_of_permissions_says_who_writes_which_table() -> None:
    assert documented_writers() == local_values()["table_writers"]


def test_whoever_keeps_lets_in_or_opens_credentials_may_read_them_and_nobody_else() -> None:
    roles = local_values()["platform_roles"]
    ways = {"accounts.credentials", "accounts.credential_access", "accounts.credential_opener"}
    readers = functions_that(lambda parts: bool(parts & ways))
    assert readers == {account for account, held in roles.items() if held.get("ReadState") == "central"}


def test_whoever_checks_the_admin_key_or_the_token_may_read_it() -> None:
    uses = local_values()["secret_uses"]
    assert uses["admin-api-key"]["functions"] == ["admin"]
    door = functions_that(lambda parts: "wiring.tenant_services" in parts)
    assert set(uses["onboarding-token"]["functions"]) == door == {"onboarding"}


def test_whoever_opens_secrets_for_steps_may_read_the_key_ring_and_nobody_else() -> None:
    # To take secrets takes the public half; to end the run of a dead letter, as the dispatcher does, none.
    openers = functions_that(lambda parts: "accounts.credential_opener" in parts)
    readers = set(local_values()["secret_uses"]["credentials-keyring"]["functions"])
    assert openers == readers == {"notify", "run_level"}
