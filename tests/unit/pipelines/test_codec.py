"""The codec: a pipeline comes back from JSON as it was, and nothing else comes back at all."""

import json
from typing import Any

import pytest

from common.errors import MalformedInput
from common.pipelines.codec import from_json, to_json
from common.pipelines.pipeline import Parameter, Pipeline, Retry, Step
from common.pipelines.plans import Partitioning, QueryJob, WriteDisposition


def _step(step_id: str, index: int, level: int, query: QueryJob) -> Step:
    return Step(
        id=step_id,
        ps_type="bq_etl.query",
        index=index,
        level=level,
        jobs=(query,),
        target_table=query.destination,
    )


PLAIN = Pipeline(
    tenant_id="acme",
    config_id="daily",
    version=3,
    name="Daily",
    levels=((_step("a", 0, 1, QueryJob(sql="SELECT 1", destination="t")),),),
)
FULL = Pipeline(
    tenant_id="acme",
    config_id="daily",
    version=3,
    name="Täglich 🚀",
    timeout_minutes=60,
    parameters=(
        Parameter(name="date", type="DATE", default="2024-01-01"),
        Parameter(name="a", type="ARRAY<INT64>", default=[1, 2], allowed=(1, 2, 3), description="Some."),
        Parameter(name="b", type="FLOAT64", default=1.0, required=False),
        Parameter(name="c", type="BOOL", default=False),
        Parameter(name="d", type="ARRAY<FLOAT64>", default=[1.0, 2.5]),
        Parameter(name="e", type="ARRAY<BOOL>", default=[True]),
        Parameter(name="f", type="STRING", required=True, allowed=("x", "y")),
        Parameter(name="g", type="ARRAY<STRING>", default=[]),
    ),
    levels=(
        (
            Step(
                id="a",
                ps_type="bq_etl.query",
                index=1,
                level=1,
                jobs=(
                    QueryJob(
                        sql="SELECT @a",
                        destination="t",
                        write_disposition=WriteDisposition.EMPTY,
                        parameters=("a", "date"),
                        partitioning=Partitioning(field="day", type="MONTH", expiration_days=3),
                        clustering=("k", "l"),
                        maximum_bytes_billed=10**12,
                    ),
                    QueryJob(name="publish", sql="SELECT 1", destination="t"),
                ),
                target_table="t",
                depends_on=("x", "y"),
                timeout_minutes=5,
                labels={"team": "a"},
                retry=Retry(attempts=1, backoff_seconds=0.5),
            ),
            _step("b", 0, 1, QueryJob(sql="SELECT 2", destination="u")),
        ),
        (_step("c", 2, 2, QueryJob(sql="SELECT 3", destination="v", name="publish")),),
    ),
)


@pytest.mark.parametrize("pipeline", [PLAIN, FULL])
def test_a_pipeline_comes_back_as_it_was(pipeline: Pipeline) -> None:
    text = json.dumps(to_json(pipeline))
    back = from_json(Pipeline, json.loads(text))
    assert back == pipeline
    assert repr(back) == repr(pipeline)
    assert json.dumps(to_json(back)) == text


def test_what_has_its_default_is_not_sent() -> None:
    assert to_json(PLAIN) == {
        "tenant_id": "acme",
        "config_id": "daily",
        "version": 3,
        "name": "Daily",
        "levels": [
            [
                {
                    "id": "a",
                    "ps_type": "bq_etl.query",
                    "index": 0,
                    "level": 1,
                    "jobs": [{"kind": "query", "sql": "SELECT 1", "destination": "t"}],
                    "target_table": "t",
                }
            ]
        ],
    }


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return the full pipeline in JSON with one value set (or, as None, left out)."""
    body: Any = json.loads(json.dumps(to_json(FULL)))
    place = body
    for part in path[:-1]:
        place = place[part]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    result: dict[str, Any] = body
    return result


KINDS = "must be one of query, load, files_loaded, extract, copy, check"


@pytest.mark.parametrize(
    ("path", "value", "pointer", "rule"),
    [
        (("extra",), 1, "/extra", "is no key here"),
        (("levels", 0, 0, "a/b"), 1, "/levels/0/0/a~1b", "is no key here"),
        (("levels", 0, 0, "retry", "pause"), 1, "/levels/0/0/retry/pause", "is no key here"),
        (("tenant_id",), None, "/tenant_id", "is required"),
        (("levels", 0, 0, "jobs"), None, "/levels/0/0/jobs", "is required"),
        (("levels", 0, 0, "jobs", 1, "sql"), None, "/levels/0/0/jobs/1/sql", "is required"),
        (("levels", 0, 0, "jobs", 1, "kind"), None, "/levels/0/0/jobs/1/kind", KINDS),
        (("levels", 0, 0, "jobs", 1, "kind"), "rm", "/levels/0/0/jobs/1/kind", KINDS),
        (("version",), "3", "/version", "is of another type"),
        (("version",), True, "/version", "is of another type"),
        (("levels",), {}, "/levels", "is of another type"),
        (("levels", 0, 1), "b", "/levels/0/1", "must be an object"),
        (
            ("levels", 0, 0, "jobs", 0, "write_disposition"),
            "WRITE_MERGE",
            "/levels/0/0/jobs/0/write_disposition",
            "is of another type",
        ),
        (("levels", 0, 0, "labels"), {"a": 1}, "/levels/0/0/labels/a", "is of another type"),
        (
            ("levels", 0, 0, "jobs", 0, "partitioning"),
            [1],
            "/levels/0/0/jobs/0/partitioning",
            "is of another type",
        ),
        (("parameters", 1, "default"), {"a": 1}, "/parameters/1/default", "is of another type"),
        (("parameters", 1, "allowed"), [[{}]], "/parameters/1/allowed/0", "is of another type"),
    ],
)
def test_anything_else_is_refused_with_its_place(
    path: tuple[Any, ...], value: Any, pointer: str, rule: str
) -> None:
    with pytest.raises(MalformedInput) as refused:
        from_json(Pipeline, changed(path, value))
    assert (refused.value.violations[0].pointer, refused.value.violations[0].rule) == (pointer, rule)


@pytest.mark.parametrize("body", [None, [], "x", 1])
def test_what_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(MalformedInput, match="must be an object"):
        from_json(Pipeline, body)
