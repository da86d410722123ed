"""Access entries of the central dataset: which views of tenants may read it."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from google.cloud import bigquery

from common.errors import NoSuchResource, QueryRefused, Unavailable
from common.warehouse.datasets import Datasets
from common.warehouse.jobs import RETRY, TIMEOUT_SECONDS
from common.warehouse.translation import translated

# All onboardings change one list, which BigQuery takes five times in ten seconds.
_TRIES = 12
_LONGEST_PAUSE_SECONDS = 3.0
_CHANGED_MEANWHILE = "conditionNotMet"

type Entries = list[bigquery.AccessEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizedViews:
    """The views that may read the central dataset in their own right (BigQuery: at most 2,500)."""

    datasets: Datasets
    sleep: Callable[[float], None] = time.sleep

    def authorize(self, dataset: str, view: str) -> None:
        """Let a view read the central dataset."""
        entry = self._entry(dataset, view)
        self._change(lambda entries: entries if entry in entries else [*entries, entry])

    def revoke(self, dataset: str, view: str) -> None:
        """Take that back."""
        entry = self._entry(dataset, view)
        self._change(lambda entries: [other for other in entries if other != entry])

    def _entry(self, dataset: str, view: str) -> bigquery.AccessEntry:
        reference = {"projectId": self.datasets.central.project, "datasetId": dataset, "tableId": view}
        return bigquery.AccessEntry(None, "view", reference)

    def _change(self, change: Callable[[Entries], Entries]) -> None:
        """Read, change, write back unless somebody else wrote meanwhile: then once more."""
        for _ in range(_TRIES):
            try:
                return self._try(change)
            except QueryRefused as error:
                if error.reason != _CHANGED_MEANWHILE:
                    raise
            # Chance parts those who collided.
            self.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - no secret
        raise Unavailable("the access entries of the central dataset change too often")

    def _try(self, change: Callable[[Entries], Entries]) -> None:
        central = self.datasets.central
        dataset = self.datasets.find(central.dataset)
        if dataset is None:
            raise NoSuchResource(f"there is no dataset {central.dataset}")
        before = list(dataset.access_entries)
        after = change(before)
        if after == before:
            return
        dataset.access_entries = after
        with (
            translated()
        ):  # The dataset carries its etag: BigQuery refuses to overwrite what we have not read.
            central.client.update_dataset(dataset, ["access_entries"], retry=RETRY, timeout=TIMEOUT_SECONDS)
