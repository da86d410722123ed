import pytest

from common.tenants.onboarding_checks import form_violation, looks_taken, reservation_violation


@pytest.mark.parametrize(
    "tenant_id", ["customer_name", "gtest_customer_3s323", "abc", "a" * 50, "acme_api_x"]
)
def test_a_plain_name_may_be_taken(tenant_id: str) -> None:
    assert form_violation(tenant_id) is None
    assert reservation_violation(tenant_id, "tenants") is None


@pytest.mark.parametrize(
    "tenant_id",
    [
        "",
        "ab",
        "a" * 51,
        "1acme",
        "_acme",
        "acme-corp",
        "acme corp",
        "acme.corp",
        "acme\n",
        "äcme",
        "\u0430cme",
        "a`b",
    ],
)
def test_a_name_of_another_form_is_refused_with_the_rule(tenant_id: str) -> None:
    assert (
        form_violation(tenant_id)
        == "must be 3 to 50 lower-case letters, digits and underscores, a letter first"
    )


def test_capitals_are_refused_with_the_name_that_would_do() -> None:
    assert form_violation("Acme") == "must be in lower case: acme"


PLATFORM_NAMES = [
    *("tenants", "tenants_backup_20260101", "tenantsclub", "tenants2", "information_schema", "region_us"),
    *("information_schemas", "admin"),
    *("google_ads", "bigquery_x", "bq_audit", "cvg_ticket"),
]


@pytest.mark.parametrize("tenant_id", PLATFORM_NAMES)
def test_names_of_the_platform_are_kept_from_tenants(tenant_id: str) -> None:
    assert reservation_violation(tenant_id, "tenants") == "is reserved for the platform"


@pytest.mark.parametrize("tenant_id", ["state", "state_backup_20260101", "states", "tenants", "tenantsoft"])
def test_the_central_dataset_is_kept_from_tenants_whatever_it_is_called(tenant_id: str) -> None:
    assert reservation_violation(tenant_id, "State") == "is reserved for the platform"


@pytest.mark.parametrize("tenant_id", ["select", "order", "qualify", "within"])
def test_words_of_sql_are_kept_from_tenants(tenant_id: str) -> None:
    assert reservation_violation(tenant_id, "tenants") == "is a reserved word of SQL"


@pytest.mark.parametrize(
    "tenant_id", ["tenant5", "ten_ants", "adm1n", "adrnin", "c0nvergence", "__tenants"[2:]]
)
def test_what_looks_like_a_reserved_name_is_reserved(tenant_id: str) -> None:
    assert "reserved" in (reservation_violation(tenant_id, "tenants") or "")


@pytest.mark.parametrize(
    ("tenant_id", "taken"), [("acrne", "acme"), ("acme_1", "acme_l"), ("ac_me", "acme"), ("acme_5", "ACMES")]
)
def test_a_name_that_reads_like_a_taken_one_looks_taken(tenant_id: str, taken: str) -> None:
    assert looks_taken(tenant_id, ["umbra", taken])


@pytest.mark.parametrize("tenant_id", ["acme", "acme_2", "acne"])
def test_the_name_itself_and_other_ones_do_not_look_taken(tenant_id: str) -> None:
    assert not looks_taken(tenant_id, ["acme", "acme_1", "umbra"])


@pytest.mark.parametrize("tenant_id", ["tenant_a", "acme_1", "acme_l", "minute", "administration"])
def test_what_only_begins_alike_is_free(tenant_id: str) -> None:
    assert reservation_violation(tenant_id, "tenants") is None
