"""Graphs of configs: steps, tables, what comes of what, and whose they are."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from common.errors import NotFound
from common.pipelines import graphs
from common.pipelines.configs import Configs
from common.pipelines.graphs import ConfigGraph, Graphs
from common.pipelines.tables import Policy
from tests.fakes.clock import VirtualClock
from tests.fakes.configs import MemoryConfigs
from tests.unit.http.world import compiler


@pytest.fixture
def configs() -> Configs:
    open_to = frozenset({"partner-project.sales"})
    rules = replace(
        compiler(),
        policy_of=lambda tenant: Policy(project_id="p", dataset=tenant, allowed_sources=open_to),
    )
    return Configs(store=MemoryConfigs(), compiler=rules, clock=VirtualClock())


def save(
    configs: Configs, config_id: str, tenant_id: str = "acme", after: Sequence[str] = (), **steps: str
) -> None:
    """Keep a pipeline of steps, each of which writes the table of its name."""
    told = [
        {"id": step, "ps_type": "bq_etl.query", "config": {"source_query": sql, "target_table": step}}
        for step, sql in steps.items()
    ]
    later = {"after": list(after)} if after else {}
    body = json.dumps({"pipeline": {"name": config_id}, "steps": told} | later).encode()
    configs.save(tenant_id=tenant_id, config_id=config_id, body=body, content_type=None, created_by=None)


def edges(found: ConfigGraph) -> list[str]:
    return [f"{edge.source} {edge.kind} {edge.target}" for edge in found.graph.edges]


def test_steps_and_tables_are_connected_by_what_the_sql_says(configs: Configs) -> None:
    save(configs, "daily", orders="SELECT * FROM `partner-project.sales.raw`", total="SELECT * FROM orders")
    found = Graphs(configs=configs).of("acme", "daily")
    assert [node.name for node in found.graph.steps] == ["daily/orders", "daily/total"]
    assert [str(table) for table in found.graph.tables] == [
        "p.acme.orders",
        "p.acme.total",
        "partner-project.sales.raw",
    ]
    assert sorted(edges(found)) == [
        "daily/orders precedes daily/total",
        "daily/orders writes p.acme.orders",
        "daily/total writes p.acme.total",
        "p.acme.orders reads daily/total",
        "partner-project.sales.raw reads daily/orders",
    ]


def test_a_wildcard_is_the_tables_that_are_written_under_it(configs: Configs) -> None:
    save(
        configs,
        "w",
        day_1="SELECT 1 AS n",
        all_days="SELECT n FROM `acme.day_*`",
        x="SELECT 1 FROM `acme.no_*`",
    )
    found = edges(Graphs(configs=configs).of("acme", "w"))
    assert "p.acme.day_1 reads w/all_days" in found
    assert "p.acme.no_* reads w/x" in found
    assert not [edge for edge in found if edge.startswith("p.acme.day_*")]


def test_across_pipelines_those_are_shown_that_share_tables(configs: Configs) -> None:
    save(configs, "feed", orders="SELECT 1 AS n")
    save(configs, "daily", total="SELECT * FROM orders")
    save(configs, "report", page="SELECT * FROM total")
    save(configs, "apart", other="SELECT n FROM `partner-project.sales.raw`")
    save(configs, "apart_too", another="SELECT n FROM `partner-project.sales.raw`")
    look = Graphs(configs=configs)
    assert list(look.of("acme", "daily").versions) == ["daily"]
    for config_id, others in (("daily", ["feed", "report"]), ("report", ["daily", "feed"]), ("apart", [])):
        found = look.across("acme", config_id)
        assert list(found.versions) == [config_id, *others]
        assert found.left_out == ()
    assert "p.acme.orders reads daily/total" in edges(look.across("acme", "report"))


def test_across_pipelines_those_are_shown_that_run_after_each_other(configs: Configs) -> None:
    save(configs, "daily", orders="SELECT 1 AS n")
    save(configs, "report", after=["daily", "gone"], page="SELECT 2 AS n")
    save(configs, "mails", after=["report"], mail="SELECT 3 AS n")
    save(configs, "apart", after=["gone"], other="SELECT 4 AS n")
    look = Graphs(configs=configs)
    for config_id, others in (("daily", ["mails", "report"]), ("mails", ["daily", "report"]), ("apart", [])):
        assert list(look.across("acme", config_id).versions) == [config_id, *others]
    told = [edge for edge in edges(look.across("acme", "daily")) if "precedes" in edge]
    assert told == ["daily precedes report", "report precedes mails"]
    assert not [edge for edge in edges(look.of("acme", "report")) if "precedes" in edge]


def test_who_runs_after_whom_is_shown_as_the_version_has_it(configs: Configs) -> None:
    save(configs, "daily", orders="SELECT 1 AS n")
    save(configs, "report", page="SELECT 2 AS n")
    save(configs, "report", after=["daily"], page="SELECT 2 AS n")
    look = Graphs(configs=configs)
    assert list(look.across("acme", "report", 1).versions) == ["report"]
    assert look.across("acme", "report").versions == {"report": 2, "daily": 1}


def test_an_older_version_is_shown_as_it_was(configs: Configs) -> None:
    save(configs, "daily", one="SELECT 1 AS n")
    save(configs, "daily", two="SELECT 1 AS n")
    look = Graphs(configs=configs)
    assert [node.step.id for node in look.of("acme", "daily", 1).graph.steps] == ["one"]
    assert look.across("acme", "daily").versions == {"daily": 2}


def test_what_the_rules_refuse_by_now_is_left_out_and_named(configs: Configs) -> None:
    save(configs, "daily", orders="SELECT 1 AS n")
    save(configs, "partner", mine="SELECT * FROM orders JOIN `partner-project.sales.raw` USING (n)")
    closed = replace(configs, compiler=compiler())
    found = Graphs(configs=closed).across("acme", "daily")
    assert (list(found.versions), found.left_out) == (["daily"], ("partner",))


def test_no_more_steps_are_looked_at_than_a_call_can_bear(
    configs: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "MAX_STEPS", 2 * graphs.MIN_WEIGHT)
    for number in range(6):
        save(configs, f"c{number}", **{f"t{number}": "SELECT * FROM orders"})
    found = Graphs(configs=configs).across("acme", "c0")
    assert found.left_out == ("c3", "c4", "c5")


def test_another_tenants_pipelines_are_in_no_graph(configs: Configs) -> None:
    save(configs, "daily", orders="SELECT 1 AS n")
    save(configs, "theirs", tenant_id="other", orders="SELECT 1 AS n")
    look = Graphs(configs=configs)
    assert list(look.across("acme", "daily").versions) == ["daily"]
    assert look.across("acme", "daily").left_out == ()
    for read in (look.of, look.across):
        with pytest.raises(NotFound):
            read("acme", "theirs")
