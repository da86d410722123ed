"""Whose accounts tenants' SQL runs under, and the credentials that tenants keep for accounts of their own."""

from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from common.times import utc_now
from common.wiring import cloud, sealing

if TYPE_CHECKING:
    from google.cloud import bigquery

    from common.tenants.credential_access import CredentialAccess, CredentialOpener
    from common.tenants.credentials import Credentials
    from common.tenants.service_accounts import ServiceAccountKey
    from common.warehouse.credentials import CredentialRows
    from common.warehouse.identities import StepIdentities


@cache
def executor_client() -> "bigquery.Client":
    """Make the client that runs tenants' SQL: another identity, which the central dataset does not know."""
    return _client_as(cloud.settings().executor_service_account)


@lru_cache(maxsize=64)
def tenant_client(tenant_id: str) -> "bigquery.Client":
    """Make the client that runs an isolated tenant's SQL, under its own account."""
    return _client_as(cloud.executor_accounts().account_of(tenant_id, is_isolated=True))


def _client_as(account: str) -> "bigquery.Client":
    from common.warehouse.clients import make_client

    read = cloud.settings()
    return make_client(
        project=read.project,
        location=read.location,
        emulator_host=read.bigquery_emulator_host,
        acting_as=account,
    )


@cache
def shared_identities() -> "StepIdentities":
    """Return the same as `step_identities` where no tenant's own account is acted for: in what is public."""
    from common.warehouse.identities import StepIdentities
    from common.warehouse.jobs import ExecutorJobs

    read = cloud.settings()
    return StepIdentities(
        shared=ExecutorJobs(client=executor_client(), location=read.location, project=read.project),
        client_with=account_client,
        acts_for_isolated=False,
    )


@cache
def step_identities() -> "StepIdentities":
    """Return under whose names tenants' steps run, where no credential is opened."""
    client_of = tenant_client if cloud.settings().dedicated_service_accounts else None
    return replace(shared_identities(), client_of=client_of, acts_for_isolated=True)


@cache
def opening_identities() -> "StepIdentities":
    """Return the same where credentials are opened: in the function that carries out steps."""
    return replace(step_identities(), key_of=credential_opener().key_for_step)


@lru_cache(maxsize=64)
def account_client(key: "ServiceAccountKey") -> "bigquery.Client":
    """Make the client that runs steps with a tenant's credential, in its project and under its account."""
    from common.warehouse.clients import make_account_client

    read = cloud.settings()
    return make_account_client(key, location=read.location, emulator_host=read.bigquery_emulator_host)


@cache
def credential_rows() -> "CredentialRows":
    """Return the rows of credentials."""
    from common.warehouse.credentials import CredentialRows

    return CredentialRows(queries=cloud.queries())


@cache
def credential_opener() -> "CredentialOpener":
    """Return what opens credentials, for steps."""
    from common.tenants.credential_access import CredentialOpener

    return CredentialOpener(
        store=credential_rows(), keyring=sealing.keyring(), project=cloud.settings().project
    )


@cache
def credentials() -> "Credentials":
    """Return what keeps credentials."""
    from common.tenants.credentials import Credentials

    return Credentials(
        store=credential_rows(),
        keyring=sealing.keyring(),
        clock=utc_now,
        access=credential_access(),
        project=cloud.settings().project,
    )


@cache
def credential_access() -> "CredentialAccess":
    """Return what lets accounts of credentials into tenants' datasets."""
    from common.tenants.credential_access import CredentialAccess

    return CredentialAccess(
        store=credential_rows(), profiles=cloud.tenant_rows(), datasets=cloud.tenant_datasets()
    )
