"""Views, made from the statements of their files."""

from dataclasses import dataclass

from google.api_core import exceptions as google

from common.setup.bootstrap import ViewChange
from common.setup.views import ViewDefinition
from common.warehouse.bigquery import Central, Statement, define
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.translation import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Views over the central tables, in the central dataset or in a tenant's."""

    central: Central

    def put(
        self, view: ViewDefinition, *, dataset: str, is_forced: bool = False, **identifiers: str
    ) -> ViewChange:
        """Create a view in a dataset, or replace one of another text; `is_forced` replaces it in any case."""
        present = self._fingerprint(dataset, view.name)
        if present == view.fingerprint and not is_forced:
            return ViewChange.UNCHANGED
        statement = Statement(name=view.name, text=view.text, parameter_types={})
        define(self.central, statement, definition=view.fingerprint, **identifiers)
        return ViewChange.CREATED if present is None else ViewChange.UPDATED

    def is_outdated(self, view: ViewDefinition, *, dataset: str) -> bool:
        """Tell whether a dataset has the view, made from another text."""
        return self._fingerprint(dataset, view.name) not in (None, view.fingerprint)

    def delete(self, name: str, *, dataset: str) -> None:
        """Delete a view; nothing happens where there is none."""
        with translated():
            self.central.client.delete_table(
                self._full_name(dataset, name), not_found_ok=True, retry=RETRY, timeout=TIMEOUT_SECONDS
            )

    def _fingerprint(self, dataset: str, name: str) -> str | None:
        """Return which text a view was made from, "" where it does not say, None where there is none."""
        with translated():
            try:
                table = self.central.client.get_table(
                    self._full_name(dataset, name), retry=RETRY, timeout=TIMEOUT_SECONDS
                )
            except google.NotFound:
                return None
        return str(table.labels.get("definition", ""))

    def _full_name(self, dataset: str, name: str) -> str:
        return f"{self.central.project}.{dataset}.{name}"
