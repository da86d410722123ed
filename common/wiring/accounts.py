"""Whose accounts tenants' SQL runs under, the credentials that tenants keep, and the ring that seals them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

from common.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.cloud import bigquery

    from common.pipelines.secret_values import ParameterSeal
    from common.runs.files import Buckets
    from common.tenants.credential_access import CredentialAccess, CredentialOpener
    from common.tenants.credentials import Credentials
    from common.tenants.encryption import Keyring
    from common.tenants.own_tables import OwnTables
    from common.tenants.service_accounts import ServiceAccountKey
    from common.warehouse.credentials import CredentialRows
    from common.warehouse.identities import StepIdentities
    from common.warehouse.sql_tests import LiteralQueryJobs
    from common.wiring.adapters import Adapters


class Accounts:
    """Each property is made when it is first asked for, and kept for the life of the instance."""

    def __init__(self, adapters: Adapters) -> None:
        self.adapters = adapters

    @cached_property
    def keyring(self) -> Keyring:
        from common.tenants.encryption import Keyring

        read = self.adapters.settings
        return Keyring.read(read.credentials_keyring or read.credentials_public_keys)

    @cached_property
    def parameter_seal(self) -> ParameterSeal:
        from common.pipelines.secret_values import NoSeal

        if not self.keyring.active:
            return NoSeal()
        from common.tenants.encryption import KeyringSeal

        return KeyringSeal(keyring=self.keyring)

    @cached_property
    def executor_client(self) -> bigquery.Client:
        """Make the client that runs tenants' SQL: an identity which the central dataset does not know."""
        return self._client_as(self.adapters.settings.executor_service_account)

    @cached_property
    def tenant_client(self) -> Callable[[str], bigquery.Client]:
        """Make the client that runs an isolated tenant's SQL, under its own account."""

        @lru_cache(maxsize=64)
        def made(tenant_id: str) -> bigquery.Client:
            return self._client_as(self.adapters.executor_accounts.account_of(tenant_id, is_isolated=True))

        return made

    def _client_as(self, account: str) -> bigquery.Client:
        from common.warehouse.clients import make_client

        read = self.adapters.settings
        return make_client(
            project=read.project,
            location=read.location,
            emulator_host=read.bigquery_emulator_host,
            acting_as=account,
        )

    @cached_property
    def own_tables(self) -> OwnTables:
        """Show tenants their tables as that identity sees them."""
        from common.tenants.own_tables import OwnTables
        from common.warehouse.own_tables import TableRows, WriteRows

        return OwnTables(
            store=TableRows(client=self.executor_client, project=self.adapters.settings.project),
            writes=WriteRows(queries=self.adapters.queries),
            clock=utc_now,
        )

    @cached_property
    def literal_queries(self) -> LiteralQueryJobs:
        """Ask tests of tenants' SQL, which read no table, under that identity too."""
        from common.warehouse.sql_tests import LiteralQueryJobs

        read = self.adapters.settings
        return LiteralQueryJobs(client=self.executor_client, location=read.location, project=read.project)

    @cached_property
    def shared_identities(self) -> StepIdentities:
        """Return `step_identities`, where no tenant's own account is acted for: in what is public."""
        from common.warehouse.identities import StepIdentities
        from common.warehouse.jobs import ExecutorJobs

        read = self.adapters.settings
        return StepIdentities(
            shared=ExecutorJobs(client=self.executor_client, location=read.location, project=read.project),
            client_with=self.account_client,
            acts_for_isolated=False,
        )

    @cached_property
    def step_identities(self) -> StepIdentities:
        """Return under whose names tenants' steps run, where no credential is opened."""
        client_of = self.tenant_client if self.adapters.settings.dedicated_service_accounts else None
        return replace(self.shared_identities, client_of=client_of, acts_for_isolated=True)

    @cached_property
    def opening_identities(self) -> StepIdentities:
        """Return the same where credentials are opened, and files listed: where steps are carried out."""
        identities = self.step_identities
        account = self.adapters.settings.executor_service_account
        return replace(
            identities,
            shared=replace(identities.shared, buckets=partial(self.buckets_as, account)),
            key_of=self.credential_opener.key_for_step,
            buckets_of=self.tenant_buckets,
            buckets_with=self.account_buckets,
        )

    @cached_property
    def buckets_as(self) -> Callable[[str], Buckets]:
        """See Cloud Storage as an account of the platform's does."""

        @lru_cache(maxsize=64)
        def made(account: str) -> Buckets:
            from common.warehouse.buckets import buckets_of_platform

            return buckets_of_platform(
                acting_as=account, emulator_host=self.adapters.settings.storage_emulator_host
            )

        return made

    def tenant_buckets(self, tenant_id: str) -> Buckets:
        """See Cloud Storage as an isolated tenant's account does."""
        return self.buckets_as(self.adapters.executor_accounts.account_of(tenant_id, is_isolated=True))

    @cached_property
    def account_buckets(self) -> Callable[[ServiceAccountKey], Buckets]:
        """See Cloud Storage as the account of a tenant's credential does."""

        @lru_cache(maxsize=64)
        def made(key: ServiceAccountKey) -> Buckets:
            from common.warehouse.buckets import buckets_of_account

            return buckets_of_account(key, emulator_host=self.adapters.settings.storage_emulator_host)

        return made

    @cached_property
    def account_client(self) -> Callable[[ServiceAccountKey], bigquery.Client]:
        """Make the client that runs steps with a tenant's credential: in its project, under its account."""

        @lru_cache(maxsize=64)
        def made(key: ServiceAccountKey) -> bigquery.Client:
            from common.warehouse.clients import make_account_client

            read = self.adapters.settings
            return make_account_client(key, location=read.location, emulator_host=read.bigquery_emulator_host)

        return made

    @cached_property
    def credential_rows(self) -> CredentialRows:
        from common.warehouse.credentials import CredentialRows

        return CredentialRows(queries=self.adapters.queries)

    @cached_property
    def credential_opener(self) -> CredentialOpener:
        from common.tenants.credential_access import CredentialOpener

        return CredentialOpener(
            store=self.credential_rows, keyring=self.keyring, project=self.adapters.settings.project
        )

    @cached_property
    def credentials(self) -> Credentials:
        from common.tenants.credentials import Credentials

        return Credentials(
            store=self.credential_rows,
            keyring=self.keyring,
            clock=utc_now,
            access=self.credential_access,
            project=self.adapters.settings.project,
        )

    @cached_property
    def credential_access(self) -> CredentialAccess:
        from common.tenants.credential_access import CredentialAccess

        return CredentialAccess(
            store=self.credential_rows,
            profiles=self.adapters.tenant_rows,
            datasets=self.adapters.tenant_datasets,
        )
