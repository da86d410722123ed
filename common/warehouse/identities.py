"""Under whose name a step runs (`common.runs.ports.Identities`): an executor's, or a tenant's account."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from google.cloud import bigquery

from common.errors import NotConfigured, QueryRefused
from common.pipelines.pipeline import Pipeline, Step
from common.runs.ports import JobsOf
from common.tenants.credential_access import REASON
from common.tenants.service_accounts import ServiceAccountKey
from common.warehouse.account_jobs import AccountJobs
from common.warehouse.jobs import ExecutorJobs

ISOLATED = "isolated"
"""The reason of a step that is refused where its tenant's own account is not acted for."""

type KeyOf = Callable[[str, str], ServiceAccountKey]
"""Opens a tenant's credential: QueryRefused where it is of no use to a step."""


def opens_nothing(_tenant_id: str, credential_id: str) -> ServiceAccountKey:
    """Open no credential: what the functions do that carry out no step."""
    raise QueryRefused(f"the credential {credential_id} is opened to run steps alone", REASON)


def _refused_of_isolated(tenant_id: str, _step: Step) -> ExecutorJobs:
    raise QueryRefused(f"the account of {tenant_id} is acted for to run its steps alone", ISOLATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepIdentities:
    """The identities of tenants' steps."""

    shared: ExecutorJobs
    client_of: Callable[[str], bigquery.Client] | None = None
    """Makes the client of an isolated tenant's own account; None where no tenant has one."""
    client_with: Callable[[ServiceAccountKey], bigquery.Client]
    key_of: KeyOf = opens_nothing
    acts_for_isolated: bool = True
    """Whether isolated tenants' own accounts are acted for: where steps run, and where runs are ended."""

    def acting_for(self, pipeline: Pipeline) -> JobsOf:
        """Return the jobs of each step of a pipeline; each credential is opened once, when it is needed.

        NotConfigured where the tenant is isolated and nobody has said under which account. Where no isolated
        tenant's account is acted for, its steps are refused.
        """
        if pipeline.is_isolated and not self.acts_for_isolated:
            return partial(_refused_of_isolated, pipeline.tenant_id)
        executor = self._executor(pipeline)
        opened = _Opened(lambda credential: self._account(pipeline.tenant_id, credential, executor))
        return lambda step: opened.jobs(step.credential) if step.credential else executor

    def _executor(self, pipeline: Pipeline) -> ExecutorJobs:
        if not pipeline.is_isolated:
            return self.shared
        if self.client_of is None:
            raise NotConfigured(f"no account is configured for the isolated tenant {pipeline.tenant_id}")
        return replace(self.shared, client=self.client_of(pipeline.tenant_id))

    def _account(self, tenant_id: str, credential: str, executor: ExecutorJobs) -> AccountJobs:
        return AccountJobs(
            client=self.client_with(self.key_of(tenant_id, credential)),
            location=executor.location,
            project=executor.project,
            maker=executor.client,
        )


@dataclass(slots=True)
class _Opened:
    """What credentials came to, by their IDs: a level's steps ask at once."""

    open: Callable[[str], AccountJobs]
    _found: dict[str, AccountJobs | QueryRefused] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def jobs(self, credential: str) -> AccountJobs:
        """Return the jobs under a credential; QueryRefused."""
        with self._lock:
            if credential not in self._found:
                self._found[credential] = self._result(credential)
        found = self._found[credential]
        if isinstance(found, QueryRefused):
            raise QueryRefused(str(found), found.reason)
        return found

    def _result(self, credential: str) -> AccountJobs | QueryRefused:
        try:
            return self.open(credential)
        except QueryRefused as refused:
            return refused
