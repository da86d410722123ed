"""Use in memory: what a test lays down, a row for each tenant, day, pipeline and step."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from common.costs.prices import price_of
from common.costs.usage import Usage, UsageFilter, UsageRow, Used
from common.times import Clock


@dataclass
class MemoryUsage:
    """`UsageReader` over rows that have a day, a pipeline and a step."""

    rows: list[UsageRow] = field(default_factory=list)

    def report(self, clock: Clock, price: Decimal | None = Decimal("6.25")) -> Usage:
        """Return the service on these rows."""
        return Usage(reader=self, price=replace(price_of("US"), per_tebibyte=price), clock=clock)

    def read_tenants(self, wanted: UsageFilter) -> Sequence[str]:
        return sorted({row.tenant_id for row in self._between(wanted)})

    def read_usage(self, tenant_ids: Sequence[str], wanted: UsageFilter, most: int) -> Sequence[UsageRow]:
        sums: defaultdict[tuple[str, ...], Used] = defaultdict(Used)
        first: dict[tuple[str, ...], UsageRow] = {}
        for row in self._between(wanted):
            if row.tenant_id not in tenant_ids or wanted.config_id not in ("", row.pipeline_id):
                continue
            one = replace(
                row,
                day=row.day if "day" in wanted.by else None,
                pipeline_id=row.pipeline_id if "pipeline" in wanted.by else None,
                step_id=row.step_id if "step" in wanted.by else None,
            )
            key = (one.tenant_id, str(one.day), str(one.pipeline_id), str(one.step_id))
            sums[key] += row.used
            first.setdefault(key, one)
        return [replace(first[key], used=sums[key]) for key in sorted(sums)][:most]

    def _between(self, wanted: UsageFilter) -> list[UsageRow]:
        return [row for row in self.rows if row.day and wanted.first <= row.day <= wanted.last]
