"""`graph`: Mermaid, in which no name is anything but text."""

import json

from tests.unit.cli.conftest import Convergence
from tests.unit.client.server import ScriptedPlatform

GRAPH = {
    "config_id": "daily",
    "pipelines": [{"config_id": "daily", "version": 1}],
    "steps": [
        {"node": "daily/a", "config_id": "daily", "step_id": "a", "level": 1, "ps_type": "bq_etl.query"},
        {"node": "daily/b", "config_id": "daily", "step_id": "b", "level": 2, "ps_type": "bq_etl.query"},
        {"node": "daily/c", "config_id": "daily", "step_id": "c", "level": 2, "ps_type": "bq_etl.query"},
    ],
    "tables": [{"node": "p.acme.t", "table": "t", "is_own": True}],
    "edges": [
        {"from": "daily/a", "to": "p.acme.t", "kind": "writes"},
        {"from": "p.acme.t", "to": "daily/b", "kind": "reads"},
        {"from": "daily/a", "to": "daily/b", "kind": "precedes"},
        {"from": "daily/a", "to": "daily/c", "kind": "precedes"},
    ],
    "left_out": [],
}


def test_a_step_that_waits_by_a_table_has_no_second_arrow(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(200, GRAPH)
    outcome = convergence("graph", "daily")
    assert (outcome.code, outcome.error) == (0, "")
    assert outcome.out.splitlines() == [
        "flowchart LR",
        '    s0["a"]',
        '    s1["b"]',
        '    s2["c"]',
        '    t0[("t")]',
        "    s0 --> t0",
        "    t0 --> s1",
        "    s0 -.-> s2",
    ]


def test_several_pipelines_have_a_frame_each(convergence: Convergence, here: ScriptedPlatform) -> None:
    two = [{"config_id": "daily", "version": 1}, {"config_id": "report", "version": 2}]
    later = {"from": "daily", "to": "report", "kind": "precedes"}
    here.answer(200, GRAPH | {"pipelines": two, "edges": [later], "left_out": ["huge"]})
    outcome = convergence("graph", "daily", "--across", "--version", "1")
    assert here.asked[0].target.endswith("/graph?version=1&across=true")
    assert outcome.out.count("    subgraph p") == outcome.out.count("    end\n") == 2
    assert "    p0 -.-> p1\n" in outcome.out
    assert outcome.error == "Not looked at: huge\n"


def test_a_name_is_nothing_but_text(convergence: Convergence, here: ScriptedPlatform) -> None:
    name = '"]; click s0 "javascript:alert(1)" %%{init}%% <script>\n    end'
    tables = [{"node": "n", "table": name, "is_own": True}]
    here.answer(200, GRAPH | {"tables": tables, "edges": []})
    drawn = convergence("graph", "daily").out
    (line,) = [line for line in drawn.splitlines() if line.startswith("    t0")]
    label = line.removeprefix('    t0[("').removesuffix('")]')
    assert not set(label) & set('"[](){}<>`|')
    assert "javascript" in label


def test_the_same_as_json(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, GRAPH)
    assert json.loads(convergence("graph", "daily", "--json").out) == GRAPH
