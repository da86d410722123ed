"""`bq_etl.incremental` on the local BigQuery: by each strategy, first runs, repeats and what comes late."""

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


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_first_run_makes_the_table_and_later_ones_keep_it(steps: StepRuns, strategy: str) -> None:
    steps.make("src", source((1, FIRST, "a"), (2, SECOND, "b")))
    assert completed(keep(steps, strategy, SECOND)) == 2
    table = steps.central.client.get_table(f"{steps.tenant_id}.t")
    assert bool(table.time_partitioning) is ("partition" in STRATEGIES[strategy])
    # A row of the interval has changed, one is new; what is older stays as it is.
    steps.make("src", source((2, SECOND, "B"), (3, SECOND, "c")))
    affected = completed(keep(steps, strategy, SECOND))
    expected = [(1, FIRST, "a"), (2, SECOND, "B"), (3, SECOND, "c")]
    assert steps.rows() == expected
    assert affected == (2 if strategy.startswith("merge") else 3)
    completed(keep(steps, strategy, SECOND))
    assert steps.rows() == expected


def test_append_adds_what_the_query_returns(steps: StepRuns) -> None:
    steps.make("src", source((1, FIRST, "a"), (2, SECOND, "b")))
    assert completed(keep(steps, "append", FIRST)) == 2
    steps.make("src", source((3, THIRD, "c")))
    assert completed(keep(steps, "append", THIRD)) == 1
    assert [row[0] for row in steps.rows()] == [1, 2, 3]


def test_a_message_that_comes_again_writes_nothing_again(steps: StepRuns) -> None:
    steps.make("src", source((1, FIRST, "a")))
    for _ in range(3):
        completed(keep(steps, "append", FIRST, "delivered"))
    for _ in range(3):
        completed(keep(steps, "append", FIRST, "and-once-more"))
    assert [row[0] for row in steps.rows()] == [1, 1]


def test_lookback_takes_rows_that_come_late(steps: StepRuns) -> None:
    for strategy in ("merge by window", "delete_insert by window", "partition_overwrite"):
        steps.make("src", source((1, FIRST, "a")))
        completed(keep(steps, strategy, FIRST, target_table=strategy.replace(" ", "_"), lookback=1))
        steps.make("src", source((1, FIRST, "late"), (2, SECOND, "b")))
        completed(keep(steps, strategy, SECOND, target_table=strategy.replace(" ", "_"), lookback=1))
        rows = steps.rows(f"SELECT * FROM {strategy.replace(' ', '_')} ORDER BY 1")
        assert rows == [(1, FIRST, "late"), (2, SECOND, "b")]


def test_an_hour_of_a_table_by_days_writes_the_whole_day(steps: StepRuns) -> None:
    steps.make("src", source((1, SECOND, "a"), (2, SECOND, "b")))
    hour = Interval(start=datetime(2026, 3, 2, 9, tzinfo=UTC), end=datetime(2026, 3, 2, 10, tzinfo=UTC))
    for _ in range(2):
        completed(keep(steps, "partition_overwrite", SECOND, interval=hour))
        assert [row[0] for row in steps.rows()] == [1, 2]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_that_would_make_the_table_wrong_fail_the_step_whole(steps: StepRuns, strategy: str) -> None:
    steps.make("src", source((1, SECOND, "a")))
    completed(keep(steps, strategy, SECOND))
    outside, doubled = source((1, SECOND, "A"), (2, FIRST, "b")), source((5, SECOND, "x"), (5, SECOND, "y"))
    unfiltered: dict[str, Any] = {"source_query": "SELECT id, d, v FROM src"}
    cases = {
        "NULL in unique_key": ("unique_key", source((1, SECOND, "A"), (None, SECOND, "b")), True),
        "have the same unique_key": ("unique_key", doubled, strategy.startswith("merge")),
        "not within the interval": ("partition", outside, "lookback" not in STRATEGIES[strategy]),
    }
    for sentence, (field, rows, holds) in cases.items():
        if field not in STRATEGIES[strategy] or not holds:
            continue
        steps.make("src", rows)
        outcome = keep(steps, strategy, SECOND, **unfiltered)
        assert (outcome.status, sentence in outcome.error) == (StepStatus.FAILED, True), outcome.error
        assert steps.rows() == [(1, SECOND, "a")]


def test_a_first_run_with_doubled_keys_makes_no_table(steps: StepRuns) -> None:
    steps.make("src", source((5, SECOND, "x"), (5, SECOND, "y")))
    assert "have the same unique_key" in keep(steps, "merge").error
    assert steps.jobs.columns_of(steps.tenant_id, "t") is None


@pytest.mark.parametrize("strategy", ["merge", "delete_insert", "partition_overwrite"])
def test_changed_columns_fail_are_left_out_or_are_added(steps: StepRuns, strategy: str) -> None:
    steps.make("src", source((1, SECOND, "a")))
    completed(keep(steps, strategy))
    more: dict[str, Any] = {"source_query": QUERY.replace("v FROM", "UPPER(v) AS v, 7 AS n FROM")}
    refused = keep(steps, strategy, **more)
    assert (refused.status, refused.rows[-1].error_reason) == (StepStatus.FAILED, "schemaChanged")
    assert "the query has n, which t has not" in refused.error
    completed(keep(steps, strategy, on_schema_change="ignore", **more))
    assert steps.rows() == [(1, SECOND, "A")]
    completed(keep(steps, strategy, on_schema_change="append_columns", **more))
    assert steps.rows() == [(1, SECOND, "A", 7)]
    fewer = keep(steps, strategy)
    assert "t has n, which the query has not" in fewer.error
    steps.make("src", source((1, SECOND, "b")))
    completed(keep(steps, strategy, on_schema_change="append_columns"))
    assert steps.rows()[0][:3] == (1, SECOND, "b")


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
        ("append", "dry_run"),
        ("append", "columns_of"),
        ("append", "add_columns"),
        ("append", "submit"),
        ("append", "find"),
        ("merge", "add_columns"),
    ],
)
def test_a_process_may_die_at_any_call(steps: StepRuns, strategy: str, call: str) -> None:
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
