"""Compiling: what a right file becomes, and every rule that a wrong one breaks, at once."""

import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.errors import InvalidInput
from common.pipelines.codec import from_json, to_json
from common.pipelines.pipeline import Parameter, Pipeline, Retry, Step
from common.pipelines.plans import Partitioning, QueryJob, WriteDisposition
from common.pipelines.tables import Policy
from tests.unit.pipelines.examples import (
    POLICY,
    ROOT,
    SOURCES,
    STEP_TYPES,
    a_document,
    a_step,
    compiled,
    violations_of,
)

HERE = Path(__file__).parent


def test_a_small_file_becomes_a_pipeline_with_every_default() -> None:
    assert compiled(a_document()) == Pipeline(
        tenant_id="acme",
        config_id="daily",
        version=1,
        name="Daily",
        parameters=(Parameter(name="date", type="DATE", description="The day that the run is for."),),
        sources=tuple(sorted(SOURCES)),
        levels=(
            (
                Step(
                    id="load",
                    ps_type="bq_etl.query",
                    index=0,
                    level=1,
                    jobs=(QueryJob(sql="SELECT 1 AS a", destination="t"),),
                    target_table="t",
                    timeout_minutes=60,
                    retry=Retry(attempts=3, backoff_seconds=5.0),
                ),
            ),
        ),
    )


BY_DAY = {"partitioning": {"field": "d"}}
CAPPED = replace(POLICY, maximum_bytes_billed=2**40)


@pytest.mark.parametrize(
    ("own", "billed"),
    [
        ({}, 2**40),
        ({"maximum_bytes_billed": 10_485_760}, 10_485_760),
        ({"maximum_bytes_billed": 2**40}, 2**40),
        ({"credential": "mine"}, None),
        ({"credential": "mine", "maximum_bytes_billed": 2**41}, 2**41),
    ],
)
def test_the_platform_pays_for_no_more_of_a_step_than_it_says(
    own: dict[str, Any], billed: int | None
) -> None:
    pipeline = compiled(a_document(a_step(config=own)), policy=CAPPED)
    (query,) = pipeline.steps[0].jobs
    assert isinstance(query, QueryJob)
    assert query.maximum_bytes_billed == billed


def test_a_step_cannot_raise_what_the_platform_pays_for() -> None:
    wanted = a_document(a_step(config={"maximum_bytes_billed": 2**40 + 1}))
    assert violations_of(wanted, policy=CAPPED) == [
        "/steps/0/config/maximum_bytes_billed: must be at most 1099511627776, which is what the platform "
        "lets a step bill"
    ]


def test_all_that_a_step_can_say_is_in_the_pipeline() -> None:
    step = a_step(
        "sum_up",
        "SELECT SUM(a) AS a FROM ${tenant_id}.raw WHERE d = ${date} AND r = @region;\r\n-- done\r\n",
        "`${project_id}.${tenant_id}.sums`",
        timeout_minutes=5,
        retry={"attempts": 1, "backoff_seconds": 1},
        depends_on=["first"],
        config={
            "write_disposition": "WRITE_EMPTY",
            "partitioning": {"field": "d", "type": "MONTH", "expiration_days": 30},
            "clustering": ["r"],
            "maximum_bytes_billed": 10_485_760,
            "labels": {"team": "finance"},
        },
    )
    pipeline = compiled(
        a_document(
            a_step("first", "SELECT 1 AS x", "other"),
            step,
            parameters={"region": {"type": "STRING", "default": "eu"}},
        ),
        version=7,
    )
    assert pipeline.version == 7
    assert pipeline.levels[1] == (
        Step(
            id="sum_up",
            ps_type="bq_etl.query",
            index=1,
            level=2,
            jobs=(
                QueryJob(
                    sql="SELECT SUM(a) AS a FROM `acme`.raw WHERE d = @date AND r = @region;\n-- done",
                    destination="sums",
                    write_disposition=WriteDisposition.EMPTY,
                    parameters=("date", "region"),
                    partitioning=Partitioning(field="d", type="MONTH", expiration_days=30),
                    clustering=("r",),
                    maximum_bytes_billed=10_485_760,
                ),
            ),
            target_table="sums",
            depends_on=("first",),
            timeout_minutes=5,
            labels={"team": "finance"},
            retry=Retry(attempts=1, backoff_seconds=1.0),
        ),
    )
    assert from_json(Pipeline, json.loads(json.dumps(to_json(pipeline)))) == pipeline


def test_the_same_file_compiles_to_the_same_pipeline_in_every_process() -> None:
    program = (
        "from tests.unit.pipelines.examples import *; import json;"
        "from common.pipelines.codec import to_json;"
        "text = (TEMPLATES / 'bq_etl/query/example.yml').read_text();"
        "print(json.dumps(to_json(compiled(text, config_id='daily_sales'))))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_order_is_declared_or_inferred_and_both_agree() -> None:
    steps = (a_step("a", "SELECT 1 AS x", "t"), a_step("b", "SELECT * FROM ${tenant_id}.t", "u"))
    levels = {"level_1": [{"step": "a"}], "level_2": [{"step": "b"}]}
    inferred = compiled(a_document(*steps))
    assert [[step.id for step in level] for level in inferred.levels] == [["a"], ["b"]]
    assert compiled(a_document(*steps, dependencies=levels)) == inferred
    assert compiled(a_document(steps[0], steps[1] | {"depends_on": ["a"]}, dependencies=levels)) == inferred
    swapped = {"level_1": [{"step": "b"}], "level_2": [{"step": "a"}]}
    assert [
        [step.id for step in level] for level in compiled(a_document(*steps, dependencies=swapped)).levels
    ] == [
        ["b"],
        ["a"],
    ]


def test_public_tables_and_own_ones_of_yesterday_need_no_step() -> None:
    query = "SELECT * FROM old JOIN `bigquery-public-data.samples.shakespeare` USING (word)"
    assert compiled(a_document(a_step(query=query))).levels


def test_a_source_is_allowed_by_the_policy_alone() -> None:
    document = a_document(a_step(query="SELECT * FROM partner.sales.orders"))
    assert len(violations_of(document)) == 1
    policy = Policy(
        project_id=POLICY.project_id, dataset="acme", allowed_sources=frozenset({"partner.sales.orders"})
    )
    assert compiled(document, policy=policy).levels


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({}, "/pipeline: is required"),
        ({"pipeline": [], "steps": []}, "/pipeline: must be a mapping"),
        (a_document(pipeline={}), "/pipeline/name: is required"),
        (a_document(steps={}), "/steps: must be a list"),
        (a_document(steps=[]), "/steps: must not be empty"),
        (a_document(step=[]), "/step: is no key here; did you mean steps?"),
        (a_document(pipeline={"name": "x", "id": "other"}), "/pipeline/id: must be daily, the config's ID"),
        (
            a_document(pipeline={"name": "x", "version": 1.0}),
            "/pipeline/version: must be a string: put it in quotes",
        ),
        (
            a_document(a_step(ps_type="bq_etl.qery")),
            "/steps/0/ps_type: is no step type; did you mean bq_etl.query?",
        ),
        (a_document(a_step(ps_type="x.y")), "/steps/0/ps_type: is no step type; Known: bq_etl."),
        (a_document(a_step(dependson=[])), "/steps/0/dependson: is no key here; did you mean depends_on?"),
        (
            a_document(a_step("a"), a_step("b", target="u"), a_step("a", target="v")),
            "/steps/2/id: is the ID of /steps/0",
        ),
        (a_document(a_step("a", depends_on=["b"])), "/steps/0/depends_on/0: no step has the ID b"),
        (
            a_document(a_step("a"), a_step("b")),
            "/steps/1/config/target_table: a writes platform-prod.acme.t in the same",
        ),
        (a_document(a_step(timeout_minutes=361)), "/steps/0/timeout_minutes: must be at most 360"),
        (a_document(a_step(retry={"attempts": 0})), "/steps/0/retry/attempts: must be at least 1"),
        (a_document(dependencies={}), "/dependencies: must not be empty"),
        (
            a_document(dependencies={"level_01": []}),
            "/dependencies/level_01: the name must be level_1, level_2",
        ),
        (a_document(schedule={"cron": "* *"}), "/schedule/cron: must have five fields"),
        (a_document(schedule={"cron": "* * * * *", "start": "soon"}), "/schedule/start: must be a day"),
        (
            a_document(a_step(query="SELECT ${x}")),
            "/steps/0/config/source_query: step load uses ${x} in line 1",
        ),
        (
            a_document(a_step(query="SELECT '")),
            "/steps/0/config/source_query: step load has a string that begins",
        ),
        (
            a_document(a_step(query="UPDATE t SET a = 1")),
            "/steps/0/config/source_query: step load begins with UPDATE",
        ),
        (a_document(a_step(query="SELECT 1;;SELECT 2")), "step load has more than one statement"),
        (
            a_document(a_step(query="SELECT * FROM tenants.k")),
            "step load reads tenants.k: only tables of your own",
        ),
        (
            a_document(a_step(query="SELECT * FROM `${tenant_id}_x.t`")),
            "step load reads acme_x.t: only tables",
        ),
        (
            a_document(a_step(target="victim.t")),
            "/steps/0/config/target_table: must be in your own dataset, acme",
        ),
        (
            a_document(a_step(target="other.acme.t")),
            "/steps/0/config/target_table: must be in your own dataset, acme",
        ),
        (
            a_document(a_step(target="a.b.c.d")),
            "/steps/0/config/target_table: must be in your own dataset, acme",
        ),
        (
            a_document(a_step(target="${date}")),
            "/steps/0/config/target_table: has ${date}: only ${tenant_id} and",
        ),
        (
            a_document(a_step(target="t$20240101")),
            "/steps/0/config/target_table: names a partition: write how",
        ),
        (a_document(a_step(target="t$2024-01")), "/steps/0/config/target_table: must name one table"),
        (a_document(a_step(target="victim.t$20240101")), "/steps/0/config/target_table: must be in your own"),
        (
            a_document(a_step(target="t$20240101", config=BY_DAY | {"partition": "${date}"})),
            "/steps/0/config/target_table: names a partition ($), and so does /partition",
        ),
        (
            a_document(a_step(target="t$202401", config=BY_DAY)),
            "/steps/0/config/target_table: must be a partition of the type DAY, 2026-01-31",
        ),
        (
            a_document(a_step(config=BY_DAY | {"partition": "2026-02-30"})),
            "/steps/0/config/partition: must be a partition of the type DAY, 2026-01-31",
        ),
        (
            a_document(a_step(config=BY_DAY | {"partition": "20260131$20260130"})),
            "/steps/0/config/partition: must be a partition of the type DAY",
        ),
        (
            a_document(a_step(config=BY_DAY | {"partition": "__UNPARTITIONED__"})),
            "/steps/0/config/partition: must be a partition of the type DAY",
        ),
        (
            a_document(a_step(config=BY_DAY | {"partition": "${tenant_id}"})),
            "/steps/0/config/partition: must be a declared parameter of the type DATE",
        ),
        (
            a_document(a_step(config={"partition": "${date}"})),
            "/steps/0/config/partition: names a partition: write how the table is partitioned",
        ),
        (
            a_document(
                a_step(config={"partition": "${date}", "partitioning": {"field": "d", "type": "HOUR"}})
            ),
            "/steps/0/config/partition: must be a declared parameter of the type TIMESTAMP or DATETIME",
        ),
        (
            a_document(a_step(config=BY_DAY | {"partition": "${date}", "credential": "mine"})),
            "/steps/0/config/partition: cannot name a partition beside a credential",
        ),
        (
            a_document(a_step(config={"schema_update": "add_columns"})),
            "/steps/0/config/schema_update: goes with WRITE_APPEND, or with one partition",
        ),
        (
            a_document(
                a_step(
                    config={
                        "schema_update_options": ["ALLOW_FIELD_ADDITION"],
                        "write_disposition": "WRITE_APPEND",
                        "credential": "mine",
                    }
                )
            ),
            "/steps/0/config/schema_update_options: must be left out beside a credential",
        ),
        (a_document(a_step(target="t_*")), "/steps/0/config/target_table: must name one table"),
        (a_document(a_step(target="` a`")), "/steps/0/config/target_table: must name one table"),
        (
            a_document(a_step(target="a`b")),
            "/steps/0/config/target_table: must be table, ${tenant_id}.table or",
        ),
        (
            a_document(a_step(target="tenant_comprehensive_view")),
            "/steps/0/config/target_table: must not be a view of",
        ),
        (
            a_document(a_step(target="Tenant_Comprehensive_x")),
            "/steps/0/config/target_table: must not be a view of",
        ),
        (
            a_document(a_step(config={"write_disposition": "WRITE_MERGE"})),
            "write_disposition: must be one of",
        ),
        (
            a_document(a_step(config={"clustering": ["a", "b", "c", "d", "e"]})),
            "clustering: must have at most 4",
        ),
        (
            a_document(a_step(config={"labels": {"tenant": "x"}})),
            "labels/tenant: the name must be lower-case",
        ),
        (
            a_document(a_step(config={"source_query": "x" * 262_145})),
            "source_query: must have at most 262,144",
        ),
        (
            a_document(parameters={"x": {"type": "JSON"}}),
            "/parameters/x/type: must be one of STRING, INT64",
        ),
        (a_document(parameters={"x": 1}), "/parameters/x: must be a mapping"),
        (a_document(parameters={"X": {"type": "DATE"}}), "/parameters/X: the name must be lower-case"),
        (
            a_document(parameters={"x": {"type": "INT64", "default": "1"}}),
            "/parameters/x/default: must be a whole",
        ),
        (
            a_document(parameters={"project_id": {"type": "STRING"}}),
            "/parameters/project_id: is the platform's own",
        ),
    ],
)
def test_a_broken_rule_is_told_with_its_place(document: dict[str, Any], fault: str) -> None:
    assert any(fault in found for found in violations_of(document)), violations_of(document)


NIGHTLY = {"cron": "0 5 * * *"}


def test_a_schedule_is_refused_beside_a_parameter_that_its_firings_cannot_give() -> None:
    declared = {"region": {"type": "DATE", "required": True}}
    (fault,) = violations_of(a_document(parameters=declared, schedule=NIGHTLY))
    assert fault.startswith("/parameters/region/required: must not be true beside a schedule")


def test_what_every_run_gets_may_be_required_beside_a_schedule() -> None:
    names = ("date", "interval_start", "interval_end")
    declared = {name: {"type": "DATE", "required": True} for name in names}
    assert compiled(a_document(parameters=declared, schedule=NIGHTLY)).parameters


@pytest.mark.parametrize(
    "declared", [{"type": "INT64"}, {"type": "ARRAY<DATE>"}, {"type": "DATE", "secret": True}]
)
def test_a_bound_of_the_interval_is_declared_so_that_every_run_can_get_it(declared: dict[str, Any]) -> None:
    violations = violations_of(a_document(parameters={"interval_end": declared}))
    assert any("must be TIMESTAMP, DATETIME, DATE or STRING, and not secret" in fault for fault in violations)


def test_a_pipelines_zone_is_its_schedules() -> None:
    assert compiled(a_document(schedule=NIGHTLY | {"timezone": "Asia/Tokyo"})).timezone == "Asia/Tokyo"
    assert compiled(a_document()).timezone == "UTC"


def test_a_schedule_that_never_fires_asks_for_no_defaults() -> None:
    declared = {"region": {"type": "STRING", "required": True}}
    assert compiled(a_document(parameters=declared, schedule=NIGHTLY | {"enabled": False})).parameters
    optional = {"region": {"type": "STRING", "default": "EU"}, "days": {"type": "INT64"}}
    assert compiled(a_document(parameters=optional, schedule=NIGHTLY)).parameters


def test_two_hundred_steps_pass_and_one_more_does_not() -> None:
    steps = [a_step(f"s{number}", target=f"t{number}") for number in range(201)]
    assert len(compiled(a_document(*steps[:200])).levels[0]) == 200
    assert violations_of(a_document(*steps)) == ["/steps: must have at most 200 items, it has 201"]


def test_every_fault_of_a_file_is_told_at_once_and_in_order() -> None:
    text = (HERE / "faulty.yml").read_text(encoding="utf-8")
    told = (HERE / "faulty.txt").read_text(encoding="utf-8")
    assert violations_of(text) == told.replace("{types}", ", ".join(STEP_TYPES.by_name)).splitlines()


def test_so_many_violations_that_nobody_reads_them_are_counted() -> None:
    found = violations_of(a_document(**{f"key_{number}": 1 for number in range(300)}))
    assert len(found) == 201
    assert found[-1] == "/: 100 more faults are not listed"


@pytest.mark.parametrize("junk", [None, 1, "x", True, [], {}, [[]], [None], {"a": None}, 1.5])
@pytest.mark.parametrize(
    "place",
    [
        ("pipeline",),
        ("dependencies",),
        ("dependencies", "level_1"),
        ("dependencies", "level_1", 0),
        ("dependencies", "level_1", 0, "step"),
        ("parameters",),
        ("parameters", "x"),
        ("parameters", "x", "type"),
        ("parameters", "x", "allowed"),
        ("schedule",),
        ("steps",),
        ("steps", 0),
        ("steps", 0, "id"),
        ("steps", 0, "ps_type"),
        ("steps", 0, "depends_on"),
        ("steps", 0, "retry"),
        ("steps", 0, "config"),
        ("steps", 0, "config", "source_query"),
        ("steps", 0, "config", "target_table"),
        ("steps", 0, "config", "partitioning"),
        ("steps", 0, "config", "clustering"),
        ("steps", 0, "config", "labels"),
        ("steps", 0, "config", "write_disposition"),
    ],
)
def test_junk_in_any_place_is_a_fault_or_fine_and_never_an_error(place: tuple[Any, ...], junk: Any) -> None:
    document: Any = a_document(
        a_step(depends_on=[], retry={}),
        dependencies={"level_1": [{"step": "load"}]},
        parameters={"x": {"type": "STRING"}},
    )
    part = document
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = junk
    with contextlib.suppress(InvalidInput):
        compiled(document)


def test_a_nul_character_is_refused_wherever_it_is() -> None:
    document = a_document() | {
        "parameters": {"a\0": {"type": "STRING"}, "b": {"type": "STRING", "default": "\0"}}
    }
    told = violations_of(document)
    assert "/parameters: has a key with a NUL character in it" in told
    assert "/parameters/b/default: holds a NUL character" in told


def a_file_with(query: str) -> str:
    """Write a file with a query as YAML writes it."""
    return f"""
pipeline: {{name: Paid}}
steps:
  - id: paid
    ps_type: bq_etl.query
    config:
      target_table: paid
      source_query: {query}
"""


FOLDED = {
    "behind >": ">\n        SELECT * FROM src  -- every order\n        WHERE paid",
    "plain": "SELECT * FROM src  -- every order\n        WHERE paid",
    "in single quotes": "'SELECT * FROM src  # every order\n        WHERE paid'",
    "in double quotes": '"SELECT * FROM src  -- every order\n        WHERE paid"',
    "indented deeper": ">\n        SELECT a,\n          b -- both\n        FROM src",
    "a long string": ">\n        SELECT '''one\n        two''' AS words",
}


@pytest.mark.parametrize("written", FOLDED.values(), ids=FOLDED)
def test_what_a_query_loses_with_its_line_breaks_is_refused(written: str) -> None:
    (told,) = violations_of(a_file_with(written))
    assert told.startswith("/steps/0/config/source_query: step paid has a ")
    assert told.endswith("Write `source_query: |` and the text below it")


@pytest.mark.parametrize(
    "written",
    [
        "|\n        SELECT * FROM src  -- every order\n        WHERE paid",
        ">\n        SELECT * FROM src\n        WHERE paid AND note != '--'",
        ">\n        SELECT * FROM src /* every\n        order */ WHERE paid",
        ">\n        SELECT * FROM src -- every order",
        "SELECT * FROM src\n        WHERE paid",
    ],
)
def test_a_query_that_loses_nothing_may_be_written_as_one_likes(written: str) -> None:
    assert compiled(a_file_with(written)).levels
