"""Access entries of datasets: which views may read the central one, and who works in a tenant's own."""

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from google.cloud import bigquery

from common.errors import NoSuchResource, QueryRefused, Unavailable
from common.warehouse.bigquery import Central
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.datasets import Datasets
from common.warehouse.translation import translated

# All onboardings change one list, which BigQuery takes five times in ten seconds.
_TRIES = 12
_MAX_PAUSE_SECONDS = 3.0
_CHANGED_MEANWHILE = "conditionNotMet"

type Entries = list[bigquery.AccessEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLists:
    """The access entries of datasets, changed one by one, whatever other instances change meanwhile."""

    datasets: Datasets
    sleep: Callable[[float], None] = time.sleep

    def change(self, name: str, change: Callable[[Entries], Entries]) -> None:
        """Read, change, write back unless somebody else wrote meanwhile: then once more."""
        for _ in range(_TRIES):
            try:
                return self._try(name, change)
            except QueryRefused as error:
                if error.reason != _CHANGED_MEANWHILE:
                    raise
            # Chance parts those who collided.
            self.sleep(random.uniform(0, _MAX_PAUSE_SECONDS))  # noqa: S311 - no secret
        raise Unavailable(f"the access entries of {name} change too often")

    def _try(self, name: str, change: Callable[[Entries], Entries]) -> None:
        dataset = self.datasets.find(name)
        if dataset is None:
            raise NoSuchResource(f"there is no dataset {name}")
        before = list(dataset.access_entries)
        after = change(before)
        if after == before:
            return
        dataset.access_entries = after
        # The dataset carries its etag: BigQuery refuses to overwrite what we have not read.
        with translated():
            self.datasets.central.client.update_dataset(
                dataset, ["access_entries"], retry=RETRY, timeout=TIMEOUT_SECONDS
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Executors:
    """The accounts that run tenants' SQL, as writers of tenants' datasets."""

    lists: AccessLists

    def admit(self, dataset: str, account: str, others: Collection[str]) -> None:
        """Let an account write a dataset, and the other executors no longer."""
        entry = _writer(account)
        unwanted = [_writer(other) for other in others if other != account]
        self.lists.change(
            dataset, lambda entries: [*(old for old in entries if old not in (entry, *unwanted)), entry]
        )


def _writer(account: str) -> bigquery.AccessEntry:
    return bigquery.AccessEntry("WRITER", "userByEmail", account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fillers:
    """The accounts of tenants' own credentials, in a role that fills tables and can make or change none.

    A writer could replace the authorized view in the dataset, and read the central one through it.
    """

    lists: AccessLists
    role: str

    def admit(self, dataset: str, accounts: Callable[[], Collection[str]]) -> None:
        """Let these accounts fill the tables of a dataset, and nobody else in this role."""

        def change(entries: Entries) -> Entries:
            wanted = [self._filler(account) for account in sorted(accounts())]
            kept = [entry for entry in entries if entry.role != self.role or entry in wanted]
            return [*kept, *(entry for entry in wanted if entry not in kept)]

        self.lists.change(dataset, change)

    def _filler(self, account: str) -> bigquery.AccessEntry:
        return bigquery.AccessEntry(self.role, "userByEmail", account)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizedViews:
    """The views that may read the central dataset in their own right (BigQuery: at most 2,500)."""

    lists: AccessLists

    def authorize(self, dataset: str, view: str) -> None:
        """Let a view read the central dataset."""
        entry = self._entry(dataset, view)
        self._change(lambda entries: entries if entry in entries else [*entries, entry])

    def revoke(self, dataset: str, view: str) -> None:
        """Take that back."""
        entry = self._entry(dataset, view)
        self._change(lambda entries: [other for other in entries if other != entry])

    def _change(self, change: Callable[[Entries], Entries]) -> None:
        self.lists.change(self._central.dataset, change)

    @property
    def _central(self) -> Central:
        return self.lists.datasets.central

    def _entry(self, dataset: str, view: str) -> bigquery.AccessEntry:
        reference = {"projectId": self._central.project, "datasetId": dataset, "tableId": view}
        return bigquery.AccessEntry(None, "view", reference)
