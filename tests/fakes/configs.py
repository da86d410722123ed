"""Rows of configs, in memory."""

import threading
from collections.abc import Callable, Sequence

from common.pipelines.configs import StoredConfig


def nothing(config: StoredConfig) -> None:
    """Do nothing."""


class MemoryConfigs:
    """`ConfigStore`. A version is claimed before its row is there; `between` comes in between."""

    def __init__(self, between: Callable[[StoredConfig], None] = nothing) -> None:
        self.rows: list[StoredConfig] = []
        self.claims: set[tuple[str, str, int]] = set()
        self.between = between
        self._lock = threading.Lock()

    def append(self, config: StoredConfig) -> bool:
        with self._lock:
            claim = (config.tenant_id, config.config_id, config.version)
            if claim in self.claims:
                return False
            self.claims.add(claim)
        self.between(config)
        with self._lock:
            self.rows.append(config)
        return True

    def latest(self, tenant_id: str, config_id: str) -> StoredConfig | None:
        return next(iter(self.versions(tenant_id, config_id)), None)

    def version(self, tenant_id: str, config_id: str, version: int) -> StoredConfig | None:
        return next((row for row in self.versions(tenant_id, config_id) if row.version == version), None)

    def versions(self, tenant_id: str, config_id: str) -> Sequence[StoredConfig]:
        rows = [row for row in self.rows if (row.tenant_id, row.config_id) == (tenant_id, config_id)]
        return sorted(rows, key=lambda row: row.version, reverse=True)

    def current(self, tenant_id: str) -> Sequence[StoredConfig]:
        ids = {row.config_id for row in self.rows if row.tenant_id == tenant_id}
        return [row for config_id in sorted(ids) if (row := self.latest(tenant_id, config_id))]
