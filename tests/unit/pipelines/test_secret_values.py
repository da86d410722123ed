"""Secret values are sealed before anything else is done with them, and shown to nobody."""

from typing import Any

import pytest

from common.errors import NotConfigured
from common.logs import MASK
from common.pipelines.pipeline import Parameter, Pipeline, SealedValue
from common.pipelines.secret_values import NoSeal, Owner, Unopened, shown, with_secrets_sealed
from tests.fakes.seals import a_seal
from tests.unit.runs.examples import a_pipeline

SECRET = "s3cr3t-s3cr3t"


def pipeline(type_name: str = "STRING", tenant_id: str = "acme") -> Pipeline:
    declared = (
        Parameter(name="region", type="STRING"),
        Parameter(name="token", type=type_name, secret=True),
    )
    return a_pipeline(tenant_id=tenant_id, parameters=declared)


def opened(sealed: SealedValue, tenant_id: str = "acme") -> Any:
    owner = Owner(tenant_id=tenant_id, config_id="daily", parameter="token")
    return a_seal().open(owner, sealed)


@pytest.mark.parametrize(
    ("type_name", "value"),
    [("STRING", SECRET), ("INT64", 7), ("ARRAY<STRING>", [SECRET]), ("ARRAY<INT64>", [])],
)
def test_a_secret_value_is_sealed_and_all_others_stay(type_name: str, value: Any) -> None:
    sealed = with_secrets_sealed(pipeline(type_name), {"region": SECRET, "token": value}, a_seal())
    assert sealed["region"] == SECRET
    assert isinstance(sealed["token"], SealedValue)
    assert opened(sealed["token"]) == value
    assert shown(sealed) == {"region": SECRET, "token": MASK}


def test_a_value_is_sealed_for_its_own_tenant() -> None:
    sealed = with_secrets_sealed(pipeline(tenant_id="globex"), {"token": SECRET}, a_seal())["token"]
    assert isinstance(sealed, SealedValue)
    assert opened(sealed, "globex") == SECRET
    with pytest.raises(Unopened):
        opened(sealed, "acme")


@pytest.mark.parametrize("given", [{"region": "eu"}, {"token": None}, {}])
def test_where_no_secret_is_given_no_key_ring_is_needed(given: dict[str, Any]) -> None:
    assert with_secrets_sealed(pipeline(), given, NoSeal()) == given


def test_a_secret_is_not_taken_where_there_is_no_key_ring() -> None:
    with pytest.raises(NotConfigured, match="CREDENTIALS_KEYRING") as refused:
        with_secrets_sealed(pipeline(), {"token": SECRET}, NoSeal())
    assert SECRET not in str(refused.value)


def test_what_is_sealed_already_and_what_is_none_of_its_type_stay_as_they_are() -> None:
    sealed = SealedValue(key_version="k1", data="AAAA")
    assert with_secrets_sealed(pipeline(), {"token": sealed}, a_seal()) == {"token": sealed}
    assert with_secrets_sealed(pipeline(), {"token": [SECRET]}, a_seal()) == {"token": [SECRET]}
