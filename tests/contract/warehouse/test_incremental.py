"""`bq_etl.incremental` on the local BigQuery: by each strategy, first runs, repeats and what comes late.

What is true of several strategies is tried side by side: from one source, each keeps a table of its own.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest

from common.errors import InvalidInput
from common.pipelines.intervals import Interval
from common.runs.attempts import Outcome
from common.runs.run import StepStatus
from common.warehouse.bigquery import Central
from common.warehouse.jobs import ExecutorJobs
from tests.contract.warehouse.step_runs import StepRuns

FIRST, SECOND, THIRD = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)
QUERY = (
    "SELECT id, d, v FROM src WHERE ${is_first_run} "
    "OR (d >= DATE(${interval_start}) AND d < DATE(${interval_end}))"
)
BY_DAY = {"partition": {"field": "d"}}
STRATEGIES: dict[str, dict[str, Any]] = {
    "merge": {"unique_key": ["id"]},
    "merge by window": {"unique_key": ["id"], "lookback": 1} | BY_DAY,
    "delete_insert": {"unique_key": ["id"]},
    "delete_insert by window": {"unique_key": ["id"], "lookback": 1} | BY_DAY,
    "partition_overwrite": BY_DAY,
}
WRONG: dict[str, tuple[list[str], list[tuple[int | None, date, str]]]] = {
    "NULL in unique_key": (
        [strategy for strategy in STRATEGIES if "unique_key" in STRATEGIES[strategy]],
        [(1, SECOND, "A"), (None, SECOND, "b")],
    ),
    "have the same unique_key": (["merge", "merge by window"], [(5, SECOND, "x"), (5, SECOND, "y")]),
    "not within the interval": (["partition_overwrite"], [(1, SECOND, "A"), (2, FIRST, "b")]),
}
"""By what is said of it: rows that would make a table wrong, and the strategies that look for them."""
type Rows = list[tuple[Any, ...]]


@pytest.fixture
def steps(bootstrapped: Central) -> StepRuns:
    return StepRuns(central=bootstrapped)


def source(*rows: tuple[int | None, date, str]) -> str:
    """Write rows as a query."""
    values = (
        f"SELECT {'CAST(NULL AS INT64)' if key is None else key} AS id, DATE '{day}' AS d, '{value}' AS v"
        for key, day, value in rows
    )
    return " UNION ALL ".join(values)


def keep(steps: StepRuns, strategy: str, day: date = SECOND, run_id: str = "", **changes: Any) -> Outcome:
    config = {"source_query": QUERY, "strategy": strategy.split(maxsplit=1)[0]} | STRATEGIES.get(strategy, {})
    return steps.run("bq_etl.incremental", day, run_id, **config | changes)


def completed(outcome: Outcome) -> int | None:
    assert outcome.status is StepStatus.COMPLETED, outcome.error
    return outcome.rows[-1].rows


def keep_all(
    steps: StepRuns, strategies: Iterable[str], day: date = SECOND, **changes: Any
) -> dict[str, Outcome]:
    """Keep a table by each of the strategies."""
    return {
        strategy: keep(steps, strategy, day, target_table=table_of(strategy), **changes)
        for strategy in strategies
    }


def completed_all(outcomes: dict[str, Outcome]) -> dict[str, int | None]:
    """Return how many rows each strategy has written."""
    assert {strategy: outcome.error for strategy, outcome in outcomes.items() if outcome.error} == {}
    return {strategy: completed(outcome) for strategy, outcome in outcomes.items()}


def table_of(strategy: str) -> str:
    return strategy.replace(" ", "_")


def rows_of_all(steps: StepRuns, strategies: Iterable[str]) -> dict[str, Rows]:
    """Read the tables of the strategies."""
    found: dict[str, Rows] = {strategy: [] for strategy in strategies}
    selects = (f"SELECT '{strategy}' AS strategy, * FROM {table_of(strategy)}" for strategy in found)
    for strategy, *row in steps.rows(f"{' UNION ALL '.join(selects)} ORDER BY id, d"):
        found[strategy].append(tuple(row))
    return found


def in_each(strategies: Iterable[str], *rows: tuple[Any, ...]) -> dict[str, Rows]:
    """Expect the same rows of the tables of all strategies."""
    return {strategy: list(rows) for strategy in strategies}


def make_all(steps: StepRuns, strategies: Iterable[str], *rows: tuple[int | None, date, str]) -> None:
    """Make the tables of the strategies, and let the source have the same rows."""
    steps.make("src", source(*rows))
    for strategy in strategies:
        by_day = " PARTITION BY d" if "partition" in STRATEGIES[strategy] else ""
        steps.rows(f"CREATE TABLE {table_of(strategy)}{by_day} AS SELECT * FROM src")


def test_the_first_run_makes_the_table_and_later_ones_keep_it(steps: StepRuns) -> None:
    steps.make("src", source((1, FIRST, "a"), (2, SECOND, "b")))
    assert completed_all(keep_all(steps, STRATEGIES)) == dict.fromkeys(STRATEGIES, 2)
    for strategy, config in STRATEGIES.items():
        table = steps.central.client.get_table(f"{steps.tenant_id}.{table_of(strategy)}")
        assert bool(table.time_partitioning) is ("partition" in config), strategy
    # A row of the interval has changed, one is new; what is older stays as it is.
    steps.make("src", source((2, SECOND, "B"), (3, SECOND, "c")))
    assert completed_all(keep_all(steps, STRATEGIES)) == {
        "merge": 2,
        "merge by window": 2,
        "delete_insert": 3,
        "delete_insert by window": 3,
        "partition_overwrite": 3,
    }
    expected = in_each(STRATEGIES, (1, FIRST, "a"), (2, SECOND, "B"), (3, SECOND, "c"))
    assert rows_of_all(steps, STRATEGIES) == expected
    completed_all(keep_all(steps, STRATEGIES))
    assert rows_of_all(steps, STRATEGIES) == expected


def test_append_adds_what_the_query_returns(steps: StepRuns) -> None:
    steps.make("src", source((1, FIRST, "a"), (2, SECOND, "b")))
    assert completed(keep(steps, "append", FIRST)) == 2
    steps.make("src", source((3, THIRD, "c")))
    assert completed(keep(steps, "append", THIRD)) == 1
    assert [row[0] for row in steps.rows()] == [1, 2, 3]


def test_a_message_that_comes_again_writes_nothing_again(steps: StepRuns) -> None:
    steps.make("src", source((1, FIRST, "a")))
    for run_id in ("delivered", "and-once-more"):
        for _ in range(2):
            completed(keep(steps, "append", FIRST, run_id))
    assert [row[0] for row in steps.rows()] == [1, 1]


def test_lookback_takes_rows_that_come_late(steps: StepRuns) -> None:
    strategies = ("merge by window", "delete_insert by window", "partition_overwrite")
    steps.make("src", source((1, FIRST, "a")))
    completed_all(keep_all(steps, strategies, FIRST, lookback=1))
    steps.make("src", source((1, FIRST, "late"), (2, SECOND, "b")))
    completed_all(keep_all(steps, strategies, SECOND, lookback=1))
    expected = [(1, FIRST, "late"), (2, SECOND, "b")]
    assert rows_of_all(steps, strategies) == dict.fromkeys(strategies, expected)


def test_an_hour_of_a_table_by_days_writes_the_whole_day(steps: StepRuns) -> None:
    steps.make("src", source((1, SECOND, "a"), (2, SECOND, "b")))
    hour = Interval(start=datetime(2026, 3, 2, 9, tzinfo=UTC), end=datetime(2026, 3, 2, 10, tzinfo=UTC))
    for _ in range(2):
        completed(keep(steps, "partition_overwrite", SECOND, interval=hour))
        assert [row[0] for row in steps.rows()] == [1, 2]


def test_rows_that_would_make_the_table_wrong_fail_the_step_whole(steps: StepRuns) -> None:
    make_all(steps, STRATEGIES, (1, SECOND, "a"))
    for sentence, (strategies, rows) in WRONG.items():
        steps.make("src", source(*rows))
        outcomes = keep_all(steps, strategies, source_query="SELECT id, d, v FROM src")
        for strategy, outcome in outcomes.items():
            told = (strategy, outcome.error)
            assert (outcome.status, sentence in outcome.error) == (StepStatus.FAILED, True), told
        assert rows_of_all(steps, STRATEGIES) == in_each(STRATEGIES, (1, SECOND, "a")), sentence


def test_a_first_run_with_doubled_keys_makes_no_table(steps: StepRuns) -> None:
    steps.make("src", source((5, SECOND, "x"), (5, SECOND, "y")))
    assert "have the same unique_key" in keep(steps, "merge").error
    assert steps.jobs.columns_of(steps.tenant_id, "t") is None


def test_changed_columns_fail_are_left_out_or_are_added(steps: StepRuns) -> None:
    strategies = ("merge", "delete_insert", "partition_overwrite")
    make_all(steps, strategies, (1, SECOND, "a"))
    more: dict[str, Any] = {"source_query": QUERY.replace("v FROM", "UPPER(v) AS v, 7 AS n FROM")}
    for strategy, refused in keep_all(steps, strategies, **more).items():
        told = (strategy, refused.error)
        assert (refused.status, refused.rows[-1].error_reason) == (StepStatus.FAILED, "schemaChanged"), told
        assert f"the query has n, which {table_of(strategy)} has not" in refused.error
    completed_all(keep_all(steps, strategies, on_schema_change="ignore", **more))
    assert rows_of_all(steps, strategies) == in_each(strategies, (1, SECOND, "A"))
    completed_all(keep_all(steps, strategies, on_schema_change="append_columns", **more))
    assert rows_of_all(steps, strategies) == in_each(strategies, (1, SECOND, "A", 7))
    for strategy, refused in keep_all(steps, strategies).items():
        assert f"{table_of(strategy)} has n, which the query has not" in refused.error
    steps.make("src", source((1, SECOND, "b")))
    completed_all(keep_all(steps, strategies, on_schema_change="append_columns"))
    found = {strategy: [row[:3] for row in rows] for strategy, rows in rows_of_all(steps, strategies).items()}
    assert found == in_each(strategies, (1, SECOND, "b"))


def test_a_full_refresh_makes_the_table_anew_unless_it_is_protected(steps: StepRuns) -> None:
    steps.make("src", source((1, FIRST, "a"), (2, SECOND, "b")))
    completed(keep(steps, "merge"))
    steps.make("src", source((3, FIRST, "c")))
    completed(keep(steps, "merge", given={"full_refresh": True}))
    assert [row[0] for row in steps.rows()] == [3]
    with pytest.raises(InvalidInput, match="protected"):
        keep(steps, "merge", protected=True, given={"full_refresh": True})


class Death(Exception):
    """The end of a process."""


def dying(steps: StepRuns, call: str, *, before: bool) -> ExecutorJobs:
    """Make the executor's jobs, of which one call is the process's last."""
    jobs, found = steps.jobs, getattr(ExecutorJobs, call)

    def last(self: ExecutorJobs, *given: Any) -> Any:
        if not before:
            found(self, *given)
        raise Death

    made = type("Dying", (ExecutorJobs,), {"__slots__": (), call: last})
    result: ExecutorJobs = made(client=jobs.client, location=jobs.location, project=jobs.project)
    return result


@pytest.mark.parametrize(
    ("strategy", "call"),
    [
        ("append", "add_columns"),
        ("append", "submit"),
        ("merge", "add_columns"),
    ],
)
def test_a_process_may_die_while_columns_are_added(steps: StepRuns, strategy: str, call: str) -> None:
    steps.make("src", source((1, SECOND, "a")))
    completed(keep(steps, strategy))
    steps.make("src", source((1, SECOND, "b"), (2, SECOND, "c")))
    config: dict[str, Any] = {
        "source_query": QUERY.replace("v FROM", "v, 7 AS n FROM"),
        "on_schema_change": "append_columns",
    }
    config |= {"strategy": strategy.split(maxsplit=1)[0]} | STRATEGIES.get(strategy, {})
    message = steps.message("bq_etl.incremental", SECOND, f"dies-{steps.tenant_id}", **config)
    for before in (True, False):
        with suppress(Death):
            steps.deliver(message, dying(steps, call, before=before))
    assert steps.deliver(message).status is StepStatus.COMPLETED
    kept = [(1, SECOND, "b", 7), (2, SECOND, "c", 7)]
    assert steps.rows() == ([(1, SECOND, "a", None)] if strategy == "append" else []) + kept
