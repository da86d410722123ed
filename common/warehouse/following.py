"""Who runs after whom, and what has completed (`common.schedules.following.FollowingReader`)."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.pipelines.followers import after_in
from common.pipelines.pipeline import DEFAULT_PRIORITY
from common.schedules.following import Completion, Follower
from common.warehouse.bigquery import Queries
from common.warehouse.run_columns import interval_of
from common.warehouse.unchanged import Memory

CONFIGS_AND_PROFILES = ("tenant_pipeline_configs", "tenant_profiles")
LONGEST_RUN = timedelta(days=1, hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingRows:
    """Followers are read again where configs or profiles have changed; completions only where any follow."""

    queries: Queries
    memory: Memory[Sequence[Follower]]

    def followers(self, now: datetime) -> Sequence[Follower]:
        """Return the configs of active tenants that run after others."""
        known, stamps = self.memory.recall(now)
        if known is not None:
            return known
        found = [
            Follower(
                tenant_id=row["tenant_id"],
                config_id=row["config_id"],
                version=row["version"],
                priority=row["priority"] or DEFAULT_PRIORITY,
                after=after,
                since=row["recorded_at"],
            )
            for row in self.queries.read("following/followers")
            if (after := after_in(row["pipeline_yaml"]))
        ]
        return self.memory.keep(found, stamps)

    def completions(self, keys: Collection[tuple[str, str]], since: datetime) -> Sequence[Completion]:
        """Return the runs of configs that have completed since a moment, oldest first."""
        rows = self.queries.read(
            "following/completions",
            keys=[f"{tenant_id}/{config_id}" for tenant_id, config_id in sorted(keys)],
            since=since,
            started_since=since - LONGEST_RUN,
        )
        return [
            Completion(
                tenant_id=row["tenant_id"],
                config_id=row["config_id"],
                run_id=row["run_id"],
                run_date=row["run_date"],
                interval=interval_of(json.loads(row["run_metadata"] or "{}")),
                ended_at=row["end_time"],
                followed_by=frozenset(row["followed_by"] or ()),
            )
            for row in rows
        ]
