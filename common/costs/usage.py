"""What tenants used in a span of days: runs, failures, jobs, bytes, and what the bytes cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol

from common.costs.prices import Price
from common.errors import InvalidInput, Violation
from common.times import Clock

MAX_DAYS = 400
MAX_ROWS = 10_000
GROUPS = ("day", "pipeline", "step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Figures of some runs and jobs.

    A job in the tenant's own project is billed there. `jobs_of_unknown_bytes` have ended and BigQuery did not
    say what they are billed for: their bytes are in no sum.
    """

    runs: int = 0
    failures: int = 0
    jobs: int = 0
    jobs_of_unknown_bytes: int = 0
    bytes_processed: int = 0
    bytes_billed: int = 0
    own_project_bytes_billed: int = 0

    def __add__(self, other: "Used") -> "Used":
        sums = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return Used(**sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What a tenant used on a day, by a pipeline, by a step; None where rows are not told apart so."""

    tenant_id: str
    day: date | None
    pipeline_id: str | None
    step_id: str | None
    used: Used


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilter:
    """Which use is wanted: of the days from `first` to `last`, told apart by the words of `by`."""

    first: date
    last: date
    by: frozenset[str]
    config_id: str = ""

    @property
    def since(self) -> datetime:
        """The UTC midnight that opens the first day."""
        return datetime.combine(self.first, time.min, UTC)

    @property
    def until(self) -> datetime:
        """The UTC midnight that ends the last day."""
        return datetime.combine(self.last + timedelta(days=1), time.min, UTC)


class UsageReader(Protocol):
    """Where use is read."""

    def read_tenants(self, wanted: UsageFilter) -> Sequence[str]:
        """Return the tenants that had runs or jobs in those days."""

    def read_usage(self, tenant_ids: Sequence[str], wanted: UsageFilter, most: int) -> Sequence[UsageRow]:
        """Return these tenants' use, by tenant, day, pipeline and step; `most` rows at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """Use in a span of days, and its price."""

    wanted: UsageFilter
    price: Price
    rows: Sequence[UsageRow]

    @property
    def total(self) -> Used:
        """All rows together."""
        return sum((row.used for row in self.rows), Used())

    def cost(self, used: Used) -> Decimal | None:
        """Return what the platform's project pays for; None where the price is unknown."""
        return self.price.cost(used.bytes_billed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Reports what tenants used."""

    reader: UsageReader
    price: Price
    clock: Clock

    def of_tenant(self, tenant_id: str, asked: Mapping[str, Any], config_id: str = "") -> UsageReport:
        """Report a tenant's use. `asked`: days `from` and `to`, `by`; InvalidInput where they break rules."""
        return self._report([tenant_id], self._filter(asked, config_id))

    def of_all(self, asked: Mapping[str, Any], tenant_id: str = "") -> UsageReport:
        """Report every tenant's use, those too that are no more, or one's alone."""
        wanted = self._filter(asked)
        return self._report([tenant_id] if tenant_id else self.reader.read_tenants(wanted), wanted)

    def _report(self, tenant_ids: Sequence[str], wanted: UsageFilter) -> UsageReport:
        rows = self.reader.read_usage(tenant_ids, wanted, MAX_ROWS + 1) if tenant_ids else []
        if len(rows) > MAX_ROWS:
            rule = f"comes to more than {MAX_ROWS} rows: ask for fewer days, or leave a word out"
            raise InvalidInput([Violation("/query/by", rule)])
        return UsageReport(wanted=wanted, price=self.price, rows=rows)

    def _filter(self, asked: Mapping[str, Any], config_id: str = "") -> UsageFilter:
        """Read the days, this month's so far where none are named, and how rows are told apart."""
        today = self.clock().date()
        last = date.fromisoformat(asked["to"]) if "to" in asked else today
        first = date.fromisoformat(asked["from"]) if "from" in asked else last.replace(day=1)
        if first > last:
            raise InvalidInput([Violation("/query/to", "must not be before `from`")])
        if last - first >= timedelta(days=MAX_DAYS):
            raise InvalidInput([Violation("/query/from", f"must be less than {MAX_DAYS} days before `to`")])
        by = frozenset(word for word in asked.get("by", "").split(",") if word)
        # A step's name says something in its pipeline alone.
        by |= {"pipeline"} if "step" in by else set()
        return UsageFilter(first=first, last=last, by=by, config_id=config_id)
