"""One partition as a step's target, and columns that rows may add."""

from typing import Any

import pytest

from common.pipelines.partitions import NO_PARTITION, at_partition
from common.pipelines.pipeline import BoundParameter, ParameterValue
from common.pipelines.plans import Partitioning, QueryJob, SchemaUpdate
from tests.unit.pipelines.examples import a_document, a_step, compiled

BY_DAY: dict[str, Any] = {"partitioning": {"field": "d"}}


def query_of(target: str = "t", **config: Any) -> QueryJob:
    step = a_step(query="SELECT DATE '2026-01-31' AS d", target=target, config=config)
    (job,) = compiled(a_document(step)).steps[0].jobs
    assert isinstance(job, QueryJob)
    return job


@pytest.mark.parametrize(
    ("target", "config", "partition"),
    [
        ("t", BY_DAY | {"partition": "${date}"}, "${date}"),
        ("t$${date}", BY_DAY, "${date}"),
        ("${tenant_id}.t$20260131", BY_DAY, "20260131"),
        ("t", BY_DAY | {"partition": "2026-01-31"}, "20260131"),
        ("t", {"partitioning": {"field": "d", "type": "MONTH"}, "partition": "2026-01"}, "202601"),
        ("t", BY_DAY, ""),
    ],
)
def test_a_partition_is_named_by_a_field_or_behind_the_table(
    target: str, config: dict[str, Any], partition: str
) -> None:
    query = query_of(target, **config)
    assert (query.destination, query.partition) == ("t", partition)


@pytest.mark.parametrize(
    ("kind", "type_name", "value", "partition"),
    [
        ("DAY", "DATE", "2026-01-31", "20260131"),
        ("MONTH", "DATE", "2026-01-31", "202601"),
        ("YEAR", "DATE", "2026-01-31", "2026"),
        ("DAY", "TIMESTAMP", "2026-01-31T23:30:00-02:00", "20260201"),
        ("HOUR", "TIMESTAMP", "2026-01-31T09:30:00Z", "2026013109"),
        ("HOUR", "DATETIME", "2026-01-31T09:30:00", "2026013109"),
        ("DAY", "DATE", None, NO_PARTITION),
    ],
)
def test_a_run_writes_the_partition_that_its_parameter_falls_in_and_never_the_whole_table(
    kind: str, type_name: str, value: ParameterValue, partition: str
) -> None:
    query = QueryJob(
        sql="", destination="t", partitioning=Partitioning(field="d", type=kind), partition="${date}"
    )
    parameters = {"date": BoundParameter(name="date", type=type_name, value=value)}
    assert at_partition(query, parameters).partition == partition


@pytest.mark.parametrize(
    ("config", "updates"),
    [
        ({"schema_update": "add_columns"}, (SchemaUpdate.ADD_COLUMNS,)),
        ({"schema_update_options": ["ALLOW_FIELD_ADDITION"]}, (SchemaUpdate.ADD_COLUMNS,)),
        (
            {"schema_update": "add_columns", "schema_update_options": ["ALLOW_FIELD_RELAXATION"]},
            (SchemaUpdate.RELAX, SchemaUpdate.ADD_COLUMNS),
        ),
        ({"schema_update": "none"}, ()),
    ],
)
def test_an_append_says_which_columns_may_change(
    config: dict[str, Any], updates: tuple[SchemaUpdate, ...]
) -> None:
    assert query_of(write_disposition="WRITE_APPEND", **config).schema_update == updates


def test_one_partition_too_takes_new_columns() -> None:
    query = query_of(schema_update="add_columns", partition="${date}", **BY_DAY)
    assert query.schema_update == (SchemaUpdate.ADD_COLUMNS,)
