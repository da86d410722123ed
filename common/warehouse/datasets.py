"""Datasets: made, found by name or label, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.api_core import exceptions as google
from google.cloud import bigquery

from common.warehouse.bigquery import Central
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.translation import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Datasets:
    """All datasets of the platform's project; new ones are made in the central dataset's location."""

    central: Central

    def create(
        self,
        name: str,
        *,
        labels: Mapping[str, str],
        description: str,
        access: Sequence[bigquery.AccessEntry] | None = None,
    ) -> None:
        """Create a dataset, with BigQuery's own access entries where none are given; AlreadyExists."""
        dataset = bigquery.Dataset(self._reference(name))
        dataset.location = self.central.location
        dataset.labels = dict(labels)
        dataset.description = description
        if access is not None:
            dataset.access_entries = list(access)
        with translated():
            self.central.client.create_dataset(dataset, retry=RETRY, timeout=TIMEOUT_SECONDS)

    def find(self, name: str) -> bigquery.Dataset | None:
        """Return a dataset, None where there is none of that name."""
        with translated():
            try:
                return self.central.client.get_dataset(
                    self._reference(name), retry=RETRY, timeout=TIMEOUT_SECONDS
                )
            except google.NotFound:
                return None

    def labelled(self, labels: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        """List the datasets that carry all of these labels: their names, and all labels of each."""
        wanted = " ".join(f"labels.{name}:{value}" for name, value in labels.items())
        with translated():
            found = self.central.client.list_datasets(
                filter=wanted or None, retry=RETRY, timeout=TIMEOUT_SECONDS
            )
            return {str(dataset.dataset_id): dataset.labels for dataset in found}

    def contents(self, name: str) -> dict[str, str]:
        """List what is in a dataset: names, and of which type (TABLE, VIEW, ...); NoSuchResource."""
        with translated():
            found = self.central.client.list_tables(
                self._reference(name), retry=RETRY, timeout=TIMEOUT_SECONDS
            )
            return {str(table.table_id): str(table.table_type) for table in found}

    def delete(self, name: str, *, with_contents: bool = False) -> None:
        """Delete a dataset, empty unless `with_contents`; nothing happens where there is none."""
        with translated():
            self.central.client.delete_dataset(
                self._reference(name),
                delete_contents=with_contents,
                not_found_ok=True,
                retry=RETRY,
                timeout=TIMEOUT_SECONDS,
            )

    def _reference(self, name: str) -> bigquery.DatasetReference:
        return bigquery.DatasetReference(self.central.project, name)
