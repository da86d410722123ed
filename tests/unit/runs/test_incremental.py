"""What an incremental step comes to right before it runs, and what Google's analyzer says of it."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from common.errors import InvalidInput, QueryRefused
from common.pipelines.intervals import Interval, in_whole_days, looking_back
from common.pipelines.parameters import bind_parameters
from common.pipelines.pipeline import Pipeline
from common.pipelines.plans import QueryJob, StatementType, WriteDisposition
from common.runs.ports import StepJob
from local.googlesql import Analyzer
from tests.unit.pipelines.examples import PROJECT, a_document, compiled, violations_of
from tests.unit.runs.resolved_jobs import resolved_job

GOLDEN = Path(__file__).with_name("incremental.golden.json")
SOURCE = {"id": "INT64", "d": "DATE", "v": "STRING"}
STRATEGIES: dict[str, dict[str, Any]] = {
    "append": {},
    "merge": {"unique_key": ["id"]},
    "merge by window": {"unique_key": ["id", "v"], "partition": {"field": "d"}, "lookback": 2},
    "delete_insert": {"unique_key": ["id"]},
    "delete_insert by window": {"unique_key": ["id", "v"], "partition": {"field": "d"}, "lookback": 0},
    "partition_overwrite": {"partition": {"field": "d", "type": "MONTH"}},
}
QUERY = "SELECT id, d, v FROM src WHERE ${is_first_run} OR d >= DATE(${interval_start})"


def a_pipeline(strategy: str = "merge", **changes: Any) -> Pipeline:
    return compiled(a_file(strategy, **changes))


def a_file(
    strategy: str = "merge", parameters: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    config = {"source_query": QUERY, "target_table": "t", "strategy": strategy.split(maxsplit=1)[0]}
    step = {
        "id": "keep",
        "ps_type": "bq_etl.incremental",
        "config": config | STRATEGIES.get(strategy, {}) | changes,
    }
    return a_document(step) | ({"parameters": parameters} if parameters else {})


def job_of(strategy: str, *, is_there: bool, rows: dict[str, str] | None = None, **changes: Any) -> StepJob:
    pipeline = a_pipeline(strategy, **changes)
    return resolved_job(pipeline, pipeline.steps[0], rows or SOURCE, is_there=is_there)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("is_there", [True, False])
def test_each_statement_is_the_golden_one_and_what_bigquery_accepts(strategy: str, is_there: bool) -> None:
    job = job_of(strategy, is_there=is_there)
    assert isinstance(job.work, QueryJob)
    told = {one.name: [one.type, one.value] for one in job.parameters}
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    case = f"{strategy}, {'later' if is_there else 'first'}"
    assert {"sql": job.work.sql.split("\n"), "parameters": told} == golden[case]
    source = {f"{PROJECT}.acme.{name}": SOURCE for name in ("src", "t")}
    analyzer = Analyzer(source, default_dataset=f"{PROJECT}.acme")
    analysis = analyzer.analyze(job.work.sql, {one.name: one.type for one in job.parameters})
    assert analysis.kind == (job.work.statement_type.value if is_there else "QUERY")


def test_the_first_run_makes_the_table_and_never_writes_over_one() -> None:
    job = job_of("merge", is_there=False)
    assert isinstance(job.work, QueryJob)
    assert (job.work.statement_type, job.work.write_disposition) == (
        StatementType.SELECT,
        WriteDisposition.EMPTY,
    )
    assert {one.name: one.value for one in job.parameters}["is_first_run"] is True


def test_a_statement_gets_no_parameter_that_it_does_not_name() -> None:
    job = job_of("partition_overwrite", is_there=False)
    assert [one.name for one in job.parameters] == ["interval_start", "is_first_run"]
    assert job.work.parameters == ("interval_start", "is_first_run")


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("DATE", "2026-02-28", "2026-03-03"),
        ("TIMESTAMP", "2026-02-28T00:00:00.000000Z", "2026-03-03T00:00:00.000000Z"),
        ("DATETIME", "2026-02-28T00:00:00", "2026-03-03T00:00:00"),
    ],
)
def test_the_window_is_of_the_type_of_the_partitions_column(kind: str, start: str, end: str) -> None:
    job = job_of("merge by window", is_there=True, rows=SOURCE | {"d": kind})
    values = {one.name: (one.type, one.value) for one in job.parameters}
    assert (values["window_start"], values["window_end"]) == ((kind, start), (kind, end))


def test_what_a_query_says_is_no_place_of_a_statement() -> None:
    query = "SELECT 1 AS id, '@@columns' AS v -- @@keys_match\n"
    job = job_of("merge", is_there=True, source_query=query)
    assert "'@@columns' AS v -- @@keys_match" in job.work.sql
    assert "target.`id` = source.entry.`id`" in job.work.sql


def test_a_file_may_declare_the_bounds_and_no_other_name_that_the_step_gives() -> None:
    declared = compiled(a_file(parameters={"interval_start": {"type": "DATE"}}))
    job = resolved_job(declared, declared.steps[0], SOURCE)
    assert {one.name: one.type for one in job.parameters}["interval_start"] == "DATE"
    taken = {name: {"type": "BOOL"} for name in ("is_first_run", "full_refresh", "window_start")}
    found = violations_of(a_file(parameters=taken))
    assert [told.split(":")[0] for told in found] == [f"/parameters/{name}" for name in sorted(taken)]


def test_full_refresh_is_a_parameter_of_pipelines_with_incremental_steps() -> None:
    free, protected = a_pipeline(), a_pipeline(protected=True)
    (bound,) = (one for one in bind(free, full_refresh=True) if one.name == "full_refresh")
    assert bound.value is True
    with pytest.raises(
        InvalidInput, match="/full_refresh: must be false: a step of the pipeline is protected"
    ):
        bind(protected, full_refresh=True)
    assert bind(protected, full_refresh=False)
    plain = compiled(a_document())
    with pytest.raises(InvalidInput, match="is no parameter of this pipeline"):
        bind(plain, full_refresh=True)


def bind(pipeline: Pipeline, **given: Any) -> Any:
    return bind_parameters(pipeline.parameters, given, date(2026, 3, 2))


@pytest.mark.parametrize(
    ("strategy", "changes", "fault"),
    [
        ("merge", {"unique_key": None}, "/steps/0/config/unique_key: is required"),
        ("partition_overwrite", {"partition": None}, "/steps/0/config/partition: is required"),
        ("append", {"unique_key": ["id"]}, "/steps/0/config/unique_key: is for merge and delete_insert"),
        ("merge", {"lookback": 1}, "/steps/0/config/lookback: is a number of partitions"),
        (
            "append",
            {"lookback": 1, "partition": {"field": "d"}},
            "/steps/0/config/lookback: would add the rows of earlier intervals again",
        ),
        ("merge", {"target_table": "victim.t"}, "/steps/0/config/target_table: must be in your own dataset"),
        ("merge", {"target_table": "t$20260301"}, "/steps/0/config/target_table: "),
        ("merge", {"target_table": "t` USING x"}, "/steps/0/config/target_table: "),
        ("merge", {"unique_key": ["id` = 1 OR `id"]}, "/steps/0/config/unique_key/0: must be a column"),
        ("merge", {"partition": {"field": "d` OR TRUE --"}}, "/steps/0/config/partition/field: must be"),
        (
            "merge",
            {"source_query": "SELECT * FROM victim.t"},
            "/steps/0/config/source_query: step keep reads",
        ),
        ("merge", {"source_query": "SELECT 1) AS x, (SELECT 2"}, "/steps/0/config/source_query: step keep"),
        ("merge", {"source_query": "DELETE FROM t WHERE TRUE"}, "/steps/0/config/source_query: step keep"),
        (
            "merge",
            {"source_query": "SELECT @@columns"},
            "/steps/0/config/source_query: step keep uses the sys",
        ),
        ("merge", {"source_query": "SELECT ${window_start}"}, "/steps/0/config/source_query: step keep uses"),
        ("merge", {"credential": "my-gcp"}, "/steps/0/config/credential: is no key here"),
    ],
)
def test_what_breaks_a_rule_is_told_where_it_stands(
    strategy: str, changes: dict[str, Any], fault: str
) -> None:
    file = a_file(strategy, **changes)
    config = file["steps"][0]["config"]
    for name in [name for name, value in config.items() if value is None]:
        del config[name]
    (told, *more) = violations_of(file)
    assert told.startswith(fault)
    assert not more


def test_changed_columns_are_named_before_anything_runs() -> None:
    pipeline = a_pipeline("merge")
    with pytest.raises(QueryRefused, match="the query has n, which t has not"):
        _changed(pipeline, SOURCE | {"n": "INT64"}, SOURCE)
    with pytest.raises(QueryRefused, match="t has n, which the query has not"):
        _changed(pipeline, SOURCE, SOURCE | {"n": "INT64"})
    assert _changed(pipeline, {"ID": "INT64", "d": "DATE", "V": "STRING"}, SOURCE)


def _changed(pipeline: Pipeline, rows: dict[str, str], table: dict[str, str]) -> StepJob:
    return resolved_job(pipeline, pipeline.steps[0], rows, table=table)


def test_windows_follow_the_clock_of_the_zone() -> None:
    interval = Interval(
        start=datetime(2026, 3, 29, 22, tzinfo=UTC), end=datetime(2026, 3, 30, 22, tzinfo=UTC)
    )
    days = looking_back(interval, "Europe/Berlin", "DAY", 2)
    assert days.start == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert looking_back(interval, "UTC", "HOUR", 3).start == datetime(2026, 3, 29, 19, tzinfo=UTC)
    end_of_month = Interval(start=datetime(2026, 3, 31, tzinfo=UTC), end=datetime(2026, 4, 1, tzinfo=UTC))
    assert looking_back(end_of_month, "UTC", "MONTH", 1).start == datetime(2026, 2, 28, tzinfo=UTC)
    assert looking_back(end_of_month, "UTC", "YEAR", 2).start == datetime(2024, 3, 31, tzinfo=UTC)
    hour = Interval(start=datetime(2026, 3, 2, 9, tzinfo=UTC), end=datetime(2026, 3, 2, 10, tzinfo=UTC))
    assert in_whole_days(hour, "UTC") == Interval(
        start=datetime(2026, 3, 2, tzinfo=UTC), end=datetime(2026, 3, 3, tzinfo=UTC)
    )
    assert in_whole_days(interval, "Europe/Berlin") == interval
