from tests.unit.http.world import OTHER, World

FILE = """\
pipeline: {name: Daily}
steps:
  - {id: orders, ps_type: bq_etl.query, config: {source_query: SELECT 1 AS n, target_table: orders}}
  - {id: total, ps_type: bq_etl.query, config: {source_query: SELECT n FROM orders, target_table: totals}}
"""
CONFIG = "/api/v1/pipelines/configs/daily"
GRAPH = f"{CONFIG}/graph"


def a_world() -> World:
    world = World()
    assert world.ask("POST", CONFIG, data=FILE, content_type="application/yaml").status_code == 201
    return world


def test_a_graph_names_steps_tables_and_edges() -> None:
    body = a_world().ask("GET", GRAPH).json or {}
    assert body["pipelines"] == [{"config_id": "daily", "version": 1}]
    assert [(step["node"], step["level"]) for step in body["steps"]] == [
        ("daily/orders", 1),
        ("daily/total", 2),
    ]
    assert body["tables"][0] == {"node": "p.acme.orders", "table": "orders", "is_own": True}
    assert {"from": "p.acme.orders", "to": "daily/total", "kind": "reads"} in body["edges"]


def test_every_edge_leads_from_a_node_to_a_node() -> None:
    world = a_world()
    later = "after: [daily]\n" + FILE.replace("orders", "others").replace("totals", "more")
    saved = world.ask("POST", f"{CONFIG}_later", data=later, content_type="application/yaml")
    assert saved.status_code == 201
    body = world.ask("GET", f"{GRAPH}?across=true").json or {}
    assert {"from": "daily", "to": "daily_later", "kind": "precedes"} in body["edges"]
    nodes = {part["node"] for part in (*body["steps"], *body["tables"])}
    nodes |= {pipeline["config_id"] for pipeline in body["pipelines"]}
    assert {edge[end] for edge in body["edges"] for end in ("from", "to")} <= nodes
    assert len(nodes) == len(body["steps"]) + len(body["tables"]) + len(body["pipelines"])


def test_another_tenants_graph_is_not_found() -> None:
    world = a_world()
    for query in ("", "?across=true", "?version=1"):
        assert world.ask("GET", f"{GRAPH}{query}", key=OTHER).status_code == 404


def test_a_parameter_that_is_none_is_told() -> None:
    assert a_world().ask("GET", f"{GRAPH}?across=perhaps").status_code == 422
