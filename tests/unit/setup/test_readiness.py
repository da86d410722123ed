"""Rows wait until BigQuery's streaming knows the tables that bootstrap has made, remade or changed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.setup.readiness import LOOK_AGAIN, MAX_HOLD, PATIENCE, STREAMED_TABLES
from common.setup.tables import Column, TableDefinition, central_tables
from tests.unit.setup.test_bootstrap import Platform

RUNS = "tenant_pipeline_runs"


@pytest.fixture
def platform() -> Platform:
    return Platform()


def bootstrap(platform: Platform, **options: Any) -> Any:
    return platform.bootstrap(central_tables(), **options)


def test_rows_are_let_into_new_tables_once_probes_have_arrived(platform: Platform) -> None:
    report = bootstrap(platform)
    assert platform.warehouse.holds == {}
    assert report.streaming_held == []
    assert {probe.split("-")[1] for probe in platform.warehouse.probes} == STREAMED_TABLES


def test_a_bootstrap_that_changes_nothing_streams_nothing(platform: Platform) -> None:
    bootstrap(platform)
    platform.warehouse.probes.clear()
    bootstrap(platform)
    assert not platform.warehouse.probes


@pytest.mark.parametrize("trouble", ["losing", "unknown"])
def test_a_table_whose_rows_are_lost_or_refused_stays_held_and_the_answer_says_so(
    platform: Platform, trouble: str
) -> None:
    getattr(platform.warehouse, trouble).add(RUNS)
    began = platform.clock()
    report = bootstrap(platform)
    assert [held.table for held in report.streaming_held] == [RUNS]
    assert began + MAX_HOLD < report.streaming_held[0].until <= platform.clock() + MAX_HOLD
    assert "repeat the call" in report.message
    assert platform.clock() - began <= PATIENCE + timedelta(seconds=1)
    assert set(platform.warehouse.holds) == {RUNS}


def test_a_repeat_looks_again_at_what_was_held(platform: Platform) -> None:
    platform.warehouse.losing.add(RUNS)
    bootstrap(platform)
    platform.warehouse.losing.clear()
    assert bootstrap(platform).streaming_held == []
    assert platform.warehouse.holds == {}


def test_rows_arrive_while_bootstrap_waits(platform: Platform) -> None:
    platform.warehouse.unknown.add(RUNS)
    begun = platform.clock()
    original = platform.warehouse.stream_probe

    def stream_probe(definition: TableDefinition, probe_id: str, columns: Any) -> bool:
        if platform.clock() - begun > timedelta(seconds=30):
            platform.warehouse.unknown.clear()
        return original(definition, probe_id, columns)

    platform.warehouse.stream_probe = stream_probe  # type: ignore[method-assign]
    assert bootstrap(platform).streaming_held == []
    assert timedelta(seconds=30) < platform.clock() - begun < PATIENCE


@pytest.mark.parametrize(
    "options",
    [{"force_recreate_tables": True}, {"force_recreate_dataset": True, "confirm": "project.tenants"}],
)
def test_everybody_knows_that_a_table_is_held_before_it_is_remade(
    platform: Platform, options: dict[str, Any]
) -> None:
    bootstrap(platform)
    platform.points.clear()
    remade = "before restore" if "confirm" not in options else "before drop"
    held_at = platform.clock()
    seen: list[tuple[set[str], timedelta]] = []

    def look(point: str) -> None:
        if point.startswith(remade):
            seen.append((set(platform.warehouse.holds), platform.clock() - held_at))

    platform.trouble = look
    bootstrap(platform, **options)
    held, waited = seen[0]
    assert held == STREAMED_TABLES
    assert waited >= LOOK_AGAIN
    assert platform.warehouse.holds == {}


def test_a_new_column_is_tried_before_rows_with_it_are_let_in(platform: Platform) -> None:
    bootstrap(platform)
    tried: list[tuple[str, tuple[str, ...]]] = []
    original = platform.warehouse.stream_probe

    def stream_probe(definition: TableDefinition, probe_id: str, columns: Any) -> bool:
        tried.append((definition.name, tuple(columns)))
        return original(definition, probe_id, columns)

    platform.warehouse.stream_probe = stream_probe  # type: ignore[method-assign]
    platform.bootstrap(tuple(map(_wider, central_tables())))
    assert set(tried) == {(RUNS, ("colour",))}


def _wider(definition: TableDefinition) -> TableDefinition:
    if definition.name != RUNS:
        return definition
    colour = Column(name="colour", type="STRING", mode="NULLABLE")
    shape = replace(definition.shape, columns=(*definition.shape.columns, colour))
    return replace(definition, shape=shape)


def test_streamed_tables_are_defined_and_told_apart_by_their_first_column() -> None:
    known = {definition.name: definition.shape for definition in central_tables()}
    for table in STREAMED_TABLES:
        key = known[table].columns[0]
        assert (key.type, key.mode) == ("STRING", "REQUIRED")
        assert known[table].partition
