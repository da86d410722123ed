"""Who runs after whom and by when, and what has completed."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.pipelines.followers import after_in
from common.pipelines.lateness import Deadline, lateness_in
from common.pipelines.pipeline import DEFAULT_PRIORITY
from common.schedules.following import Completion, Follower
from common.schedules.lateness import ExpectedPipeline
from common.warehouse.bigquery import Queries
from common.warehouse.run_columns import interval_of
from common.warehouse.unchanged import Memory

CONFIGS_AND_PROFILES = ("tenant_pipeline_configs", "tenant_profiles")
MAX_RUN_TIME = timedelta(days=1, hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What files say of other pipelines, and of the time by which their own are expected."""

    followers: Sequence[Follower] = ()
    expected: Sequence[ExpectedPipeline] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingRows:
    """`FollowingReader` and `LatenessReader`.

    Files are read again where configs or profiles have changed; completions only where anybody waits for any.
    """

    queries: Queries
    memory: Memory[Declared]

    def followers(self, now: datetime) -> Sequence[Follower]:
        """Return the configs of active tenants that run after others."""
        known, stamps = self.memory.recall(now)
        return (known or self.memory.keep(self._read(), stamps)).followers

    def expected(self, now: datetime) -> Sequence[ExpectedPipeline]:
        """Return the configs that say by when they are to have completed.

        The dispatcher has asked for the followers of the same minute just before: this is of the same read.
        """
        if self.memory.answer is None:
            self.followers(now)
        return self.memory.answer.expected if self.memory.answer else ()

    def _read(self) -> Declared:
        rows = self.queries.read("following/followers")
        followers = [
            Follower(
                tenant_id=row["tenant_id"],
                config_id=row["config_id"],
                version=row["version"],
                priority=row["priority"] or DEFAULT_PRIORITY,
                after=after,
                since=row["recorded_at"],
            )
            for row in rows
            if (after := after_in(row["pipeline_yaml"]))
        ]
        expected = [
            ExpectedPipeline(
                tenant_id=row["tenant_id"],
                config_id=row["config_id"],
                version=row["version"],
                since=row["recorded_at"],
                lateness=lateness,
            )
            for row in rows
            if (lateness := lateness_in(row["pipeline_yaml"], f"{row['tenant_id']}/{row['config_id']}"))
        ]
        return Declared(followers=followers, expected=expected)

    def completed(self, keys: Collection[tuple[str, str]], deadline: Deadline) -> Collection[tuple[str, str]]:
        """Return those of some configs (tenant, config) of which a run has completed in time."""
        rows = self.queries.read(
            "following/completed_in_time",
            tenant_ids=sorted({tenant_id for tenant_id, _ in keys}),
            keys=[f"{tenant_id}/{config_id}" for tenant_id, config_id in sorted(keys)],
            since=deadline.since,
            until=deadline.by,
        )
        return {(row["tenant_id"], row["config_id"]) for row in rows}

    def completions(self, keys: Collection[tuple[str, str]], since: datetime) -> Sequence[Completion]:
        """Return the runs of configs that have completed since a moment, oldest first."""
        rows = self.queries.read(
            "following/completions",
            keys=[f"{tenant_id}/{config_id}" for tenant_id, config_id in sorted(keys)],
            since=since,
            started_since=since - MAX_RUN_TIME,
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
