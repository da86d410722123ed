"""What the bench shows: counts against their promises, ratios, answers, what is read, limits and bursts."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.wiring import DISPATCH_BUDGET
from tests.bench.bursts import LEVEL_MINUTES, LEVELS, Burst
from tests.bench.limits import RUNS_OF_A_DAY, TENANTS, Load
from tests.bench.minutes import Call
from tests.bench.ratios import Ratio
from tests.bench.throughput import Answered
from tests.bench.years import ROWS_OF_A_YEAR, Reading
from tests.functional.costs import Counted

WIDTH_OF_NO_TERMINAL = 120


class Report:
    """Writes to one console, each part when it is known."""

    def __init__(self) -> None:
        console = Console(highlight=False)
        self._console = (
            console if console.is_terminal else Console(highlight=False, width=WIDTH_OF_NO_TERMINAL)
        )

    def costs(self, title: str, columns: Mapping[str, Sequence[Counted]]) -> None:
        """Show a table of promises, and what was counted in each case."""
        table = _table(f"{title} (exact)", "promised", *columns)
        for row in zip(*columns.values(), strict=True):
            table.add_row(row[0].promise.what, row[0].promise.how_many, *map(_count, row))
        self._console.print(table)

    def call(self, call: Call) -> None:
        """Show what the dispatcher's call took."""
        whole = "one call began them all" if call.is_whole else f"one call began {call.begun:,} of them"
        title = (
            f"{call.firings:,} firings: {whole}" if call.firings else "The call after it, with nothing due"
        )
        budget = f"{'within' if call.is_in_time else 'past'} its {DISPATCH_BUDGET.total_seconds():g} s"
        self._console.print(
            f"  {title}, in {call.tick.seconds:.1f} s, {budget}:\n"
            f"  {call.tick.cpu_seconds:.1f} s of a core in the dispatcher, "
            f"{call.server_cpu_seconds:.1f} s in the local BigQuery and Pub/Sub"
        )

    def ratios(self, ratios: Sequence[Ratio]) -> None:
        """Show the ratios of times."""
        table = _table("Ratios of times (not exact)", "times as long")
        for ratio in ratios:
            table.add_row(ratio.what, f"{ratio.value:.2f}")
        self._console.print(table)

    def answered(self, answered: Sequence[Answered]) -> None:
        """Show how much was answered in a second, and how long one of them took."""
        title = "Answers of one process, its BigQuery among them (not exact)"
        table = _table(title, "clients", "a second", "half within", "99 of 100 within")
        for one in answered:
            middle, late = (f"{one.percentile(percent) * 1000:.0f} ms" for percent in (50, 99))
            table.add_row(one.what, str(one.clients), f"{one.per_second:.1f}", middle, late)
        self._console.print(table)

    def readings(self, readings: Sequence[Reading]) -> None:
        """Show what queries read of a year of logs."""
        title = f"Of {ROWS_OF_A_YEAR:,} rows of a year, each table of logs (a model)"
        table = _table(title, "days of 365", "rows of these", "of one tenant", "clusters named")
        for one in readings:
            table.add_row(
                f"{one.query}: {one.table}",
                str(one.days),
                f"{one.rows_of_days:,}",
                f"{one.rows_of_tenant:,}" if "tenant_id" in one.clusters else "all tenants",
                ", ".join(one.clusters) or "-",
            )
        self._console.print(table)

    def loads(self, loads: Sequence[Load]) -> None:
        """Show what many runs ask of BigQuery's limits, the one first that is reached first."""
        title = f"{TENANTS:,} tenants, {RUNS_OF_A_DAY:,} runs a day (a model)"
        table = _table(title, "limit", "evenly", "at midnight", "headroom")
        for one in loads:
            table.add_row(
                one.limit,
                f"{one.most:,.0f}",
                f"{one.evenly:,.1f}",
                f"{one.at_midnight:,.1f}",
                f"{one.headroom:,.1f} times",
            )
        self._console.print(table)

    def bursts(self, bursts: Sequence[Burst]) -> None:
        """Show how soon the last of many long levels begins, by the length of calls."""
        title = f"{LEVELS:,} levels of {LEVEL_MINUTES} minutes at once (virtual time)"
        table = _table(title, "the last begins after", "hand-overs a level", "most deliveries")
        for one in bursts:
            table.add_row(
                f"LEVEL_SECONDS={one.call_seconds:g}",
                f"{one.last_begun_seconds / 60:.1f} min",
                f"{one.handovers_per_level:.1f}",
                str(one.most_deliveries),
            )
        self._console.print(table)

    def cold_starts(self, counted: Mapping[str, Counter[str]], budget: Mapping[str, int]) -> None:
        """Show what each function loads, and the packages that add most."""
        table = _table("Modules that a new instance loads (exact)", "of a budget of", "most of them")
        for function, modules in counted.items():
            most = ", ".join(f"{package} {count}" for package, count in modules.most_common(6))
            table.add_row(f"{function}: {modules.total():,}", f"{budget[function]:,}", most)
        self._console.print(table)

    def verdict(self, broken: int) -> None:
        """Say whether all counts are what docs/exactly-once.md promises."""
        right = "All counts are as docs/exactly-once.md promises."
        wrong = f"{broken} counts are not what docs/exactly-once.md promises."
        self._console.print(Text(wrong, style="bold red") if broken else Text(right, style="green"))


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE)
    for column in columns:
        table.add_column(column, justify="left" if column is columns[0] else "right")
    return table


def _count(counted: Counted) -> Text:
    return (
        Text(f"{counted.count:,}", style="") if counted.is_kept else Text(f"{counted.count:,} ✗", "bold red")
    )
