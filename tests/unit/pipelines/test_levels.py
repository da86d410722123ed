"""Levels: three ways to say the order of steps, and every way to contradict oneself."""

from dataclasses import replace
from typing import Any

import pytest

from common.pipelines.levels import Node, arrange
from common.pipelines.tables import TableName


def table(name: str) -> TableName:
    return TableName(project="p", dataset="acme", table=name)


def node(step_id: str, *depends_on: str, reads: str = "", writes: str = "", **more: Any) -> Node:
    """Make a step at /<id>; `reads` are names of tables with blanks between."""
    return Node(
        id=step_id,
        pointer=f"/{step_id}",
        depends_on=depends_on,
        reads=frozenset(table(name) for name in reads.split()),
        reads_at=f"/{step_id}/sql",
        writes=table(writes) if writes else None,
        **more,
    )


def levels(*nodes: Node, declared: dict[str, list[str]] | None = None) -> dict[str, int]:
    arrangement, violations = arrange(nodes, declared)
    assert violations == []
    return dict(arrangement.level_of)


def violations_of(*nodes: Node, declared: dict[str, list[str]] | None = None) -> list[str]:
    return [str(fault) for fault in arrange(nodes, declared)[1]]


def test_steps_without_any_order_run_at_once() -> None:
    assert levels(node("a"), node("b"), node("c")) == {"a": 1, "b": 1, "c": 1}


def test_levels_are_as_declared() -> None:
    assert levels(node("a"), node("b"), node("c"), declared={"level_1": ["c", "a"], "level_2": ["b"]}) == {
        "a": 1,
        "b": 2,
        "c": 1,
    }


def test_levels_follow_the_longest_way_through_depends_on() -> None:
    assert levels(node("d", "b", "c"), node("c", "b"), node("b", "a"), node("a"), node("e", "a")) == {
        "a": 1,
        "b": 2,
        "c": 3,
        "d": 4,
        "e": 2,
    }


def test_levels_follow_the_tables_that_steps_read_and_write() -> None:
    steps = (
        node("report", reads="clean other", writes="report"),
        node("clean", reads="raw", writes="clean"),
        node("load", reads="outside", writes="raw"),
    )
    arrangement, violations = arrange(steps, None)
    assert violations == []
    assert arrangement.level_of == {"load": 1, "clean": 2, "report": 3}
    assert arrangement.depends_on == {"load": (), "clean": ("load",), "report": ("clean",)}


def test_depends_on_and_tables_add_up() -> None:
    steps = (node("a", writes="t"), node("b", reads="t"), node("c", "b"))
    arrangement, _ = arrange(steps, None)
    assert arrangement.level_of == {"a": 1, "b": 2, "c": 3}
    assert arrangement.depends_on == {"a": (), "b": ("a",), "c": ("b",)}


def test_a_wildcard_reads_every_table_that_it_covers() -> None:
    steps = (node("all", reads="events_*"), node("a", writes="events_2024"), node("b", writes="event"))
    assert levels(*steps) == {"a": 1, "b": 1, "all": 2}


def test_a_step_may_read_the_table_that_it_writes() -> None:
    assert levels(node("a", reads="t", writes="t")) == {"a": 1}


def test_a_table_of_the_same_name_elsewhere_is_another_table() -> None:
    elsewhere = TableName(project="p", dataset="shared", table="t")
    reader = Node(id="b", pointer="/b", reads=frozenset({elsewhere}))
    assert levels(node("a", writes="t"), reader) == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("nodes", "cycle"),
    [
        ((node("a", "b"), node("b", "a")), {"a", "b"}),
        ((node("a", "c"), node("b", "a"), node("c", "b"), node("d", "c")), {"a", "b", "c"}),
        ((node("a", reads="y", writes="x"), node("b", reads="x", writes="y")), {"a", "b"}),
        (
            (node("a", reads="z", writes="x"), node("b", "c", writes="z"), node("c", reads="x")),
            {"a", "b", "c"},
        ),
    ],
)
def test_a_circle_is_told_with_its_path(nodes: tuple[Node, ...], cycle: set[str]) -> None:
    declarations: list[dict[str, list[str]] | None] = [None, {"level_1": [step.id for step in nodes]}]
    for declared in declarations:
        told = violations_of(*nodes, declared=declared)
        rule, _, path = told[0].rpartition(": ")
        assert rule == "/steps: steps wait for each other in a circle"
        assert len(told) == 1
        steps = path.split(" → ")
        assert (steps[0], set(steps), len(steps)) == (steps[-1], cycle, len(cycle) + 1)


def warnings_of(*nodes: Node, declared: dict[str, list[str]] | None = None) -> list[str]:
    return [str(warning) for warning in arrange(nodes, declared)[0].warnings]


KEEP, REBUILD = node("keep", reads="prices", writes="before"), node("rebuild", "keep", writes="prices")
COMPARE = node("compare", "rebuild", reads="prices before")


def test_an_order_that_is_written_holds_against_what_the_sql_suggests() -> None:
    written = {"keep": 1, "rebuild": 2, "compare": 3}
    assert levels(KEEP, REBUILD, COMPARE) == written
    assert levels(COMPARE, REBUILD, KEEP) == written
    arrangement, _ = arrange([KEEP, REBUILD, COMPARE], None)
    assert arrangement.depends_on == {"keep": (), "rebuild": ("keep",), "compare": ("keep", "rebuild")}
    declared = {"level_1": ["keep"], "level_2": ["rebuild"], "level_3": ["compare"]}
    assert levels(KEEP, REBUILD, COMPARE, declared=declared) == written
    assert levels(KEEP, replace(REBUILD, depends_on=()), COMPARE, declared=declared) == written
    assert warnings_of(KEEP, REBUILD, COMPARE) == [
        "/keep/sql: keep reads p.acme.prices before rebuild writes it: what is there before the run"
    ]


def test_an_order_that_is_written_over_several_steps_holds_too() -> None:
    between = node("between", "keep")
    rebuild = replace(REBUILD, depends_on=("between",))
    assert levels(rebuild, between, KEEP) == {"keep": 1, "between": 2, "rebuild": 3}


def test_what_only_a_step_that_is_listed_later_writes_is_waited_for_and_told() -> None:
    reader, writer = node("report", reads="t"), node("load", writes="t")
    assert levels(reader, writer) == {"load": 1, "report": 2}
    assert warnings_of(reader, writer) == [
        "/report/sql: report reads p.acme.t, which only load, listed later, writes: it waits for it. To read "
        "what is there before the run, write depends_on: [report] in load"
    ]
    assert warnings_of(writer, reader) == []
    assert warnings_of(replace(reader, depends_on=("load",)), writer) == []
    assert warnings_of(writer, reader, node("more", writes="t")) == []


def test_two_circles_are_both_told() -> None:
    assert len(violations_of(node("a", "b"), node("b", "a"), node("c", "d"), node("d", "c"))) == 2


def test_depends_on_names_steps_that_exist() -> None:
    assert violations_of(node("extract"), node("b", "extrakt", "b", "zzz")) == [
        "/b/depends_on/0: no step has the ID extrakt; did you mean extract?",
        "/b/depends_on/1: is the step itself",
        "/b/depends_on/2: no step has the ID zzz",
    ]


def test_levels_name_every_step_once_and_have_no_gaps() -> None:
    declared = {"level_1": ["a", "nobody"], "level_3": ["b", "a"], "level_5": ["b"]}
    assert violations_of(node("a"), node("b"), node("left_out"), declared=declared) == [
        "/dependencies: levels have no gaps, missing: level_2, level_4",
        "/dependencies/level_1/1/step: no step has the ID nobody",
        "/dependencies/level_3/1/step: a is listed already, in level_1",
        "/dependencies/level_5/0/step: b is listed already, in level_3",
        "/left_out/id: left_out is in no level of /dependencies",
    ]


def test_levels_must_wait_for_what_a_step_reads() -> None:
    steps = (node("a", writes="t"), node("b", reads="t"), node("c", reads="t"))
    declared = {"level_1": ["a", "b"], "level_2": ["c"]}
    assert violations_of(*steps, declared=declared) == [
        "/b/sql: b reads p.acme.t, which a writes in the same level, level_1: move one of them"
    ]
    assert levels(*steps, declared={"level_1": ["b"], "level_2": ["a"], "level_3": ["c"]})["b"] == 1


def test_levels_and_depends_on_must_agree() -> None:
    steps = (node("a"), node("b", "a"))
    assert levels(*steps, declared={"level_1": ["a"], "level_2": ["b"]}) == {"a": 1, "b": 2}
    assert violations_of(*steps, declared={"level_1": ["b"], "level_2": ["a"]}) == [
        "/b/depends_on/0: b depends on a, which runs in a later level, level_2, than its own, level_1"
    ]
    assert violations_of(*steps, declared={"level_1": ["b", "a"]}) == [
        "/b/depends_on/0: b depends on a, which runs in the same level, level_1: move one of them"
    ]


def test_two_steps_of_one_level_do_not_overwrite_each_other() -> None:
    assert violations_of(node("a", writes="t"), node("b", writes="t")) == [
        "/b/config/target_table: a writes p.acme.t in the same level: give them an order, or let both append"
    ]
    assert len(violations_of(node("a", writes="t", appends=True), node("b", writes="t"))) == 1
    assert violations_of(node("a", writes="t", appends=True), node("b", writes="t", appends=True)) == []
    assert violations_of(node("a", writes="t"), node("b", "a", writes="t")) == []


def test_a_pipeline_has_no_more_than_fifty_levels() -> None:
    chain = [node("s0"), *(node(f"s{number}", f"s{number - 1}") for number in range(1, 51))]
    assert violations_of(*chain[:50]) == []
    assert violations_of(*chain) == ["/steps: the steps make 51 levels; a pipeline has at most 50"]
    declared = {f"level_{number}": [step.id] for number, step in enumerate(chain, start=1)}
    assert violations_of(*chain, declared=declared) == [
        "/dependencies: the steps make 51 levels; a pipeline has at most 50"
    ]


def test_the_order_in_the_file_changes_nothing() -> None:
    steps = [node("a", writes="t"), node("b", reads="t", writes="u"), node("c", "a"), node("d", reads="u")]
    assert levels(*steps) == levels(*reversed(steps))
