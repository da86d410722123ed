"""Configs in the central dataset (`common.pipelines.configs.ConfigStore`)."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from common.claims import ClaimJobs, as_label
from common.errors import AlreadyExists
from common.pipelines.configs import StoredConfig
from common.warehouse.bigquery import Queries, Row

EVERY_VERSION = 0
MAX_VERSIONS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRows:
    """Appends a version by an INSERT whose job ID is the claim on it, so that it can be read at once."""

    queries: Queries
    claims: ClaimJobs

    def append(self, config: StoredConfig) -> bool:
        """Append a row once its version is claimed; False where another upload has claimed that version."""
        job_id = f"cvg-config-{config.tenant_id}-{config.config_id}-{config.version}"
        # A repeat of our own insert, whose answer got lost, is told from another's by this.
        labels = {"tenant": as_label(config.tenant_id), "upload": uuid.uuid4().hex}
        values = asdict(config) | {"schedule": json.dumps(config.schedule) if config.schedule else None}
        try:
            self.queries.write("configs/append", job_id=job_id, labels=labels, **values)
        except AlreadyExists:
            holder = self.claims.find_claim(job_id)
            return holder is not None and holder.is_held_by(labels)
        return True

    def latest(self, tenant_id: str, config_id: str) -> StoredConfig | None:
        """Return the row of the highest version, None where there never was one."""
        return next(iter(self._rows(tenant_id, config_id, EVERY_VERSION, 1)), None)

    def version(self, tenant_id: str, config_id: str, version: int) -> StoredConfig | None:
        """Return the row of one version, None where there is none."""
        return next(iter(self._rows(tenant_id, config_id, version, 1)), None)

    def versions(self, tenant_id: str, config_id: str) -> Sequence[StoredConfig]:
        """List the rows of a config, the newest first."""
        return self._rows(tenant_id, config_id, EVERY_VERSION, MAX_VERSIONS)

    def current(self, tenant_id: str) -> Sequence[StoredConfig]:
        """List the latest row of each config of a tenant."""
        return [_stored(row) for row in self.queries.read("configs/current", tenant_id=tenant_id)]

    def _rows(self, tenant_id: str, config_id: str, version: int, most: int) -> list[StoredConfig]:
        rows = self.queries.read(
            "configs/versions", tenant_id=tenant_id, config_id=config_id, version=version, most=most
        )
        return [_stored(row) for row in rows]


def _stored(row: Row) -> StoredConfig:
    return StoredConfig(**row | {"schedule": json.loads(row["schedule"]) if row["schedule"] else None})
