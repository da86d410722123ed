"""Graphs as Mermaid writes them: a picture for a README (https://mermaid.js.org/syntax/flowchart.html)."""

from collections.abc import Iterator, Mapping

from cli.words import plain
from common.client.configs import ConfigGraph

ENTITIES = {character: f"#{ord(character)};" for character in "#&<>\"'`;|[](){}"}


def flowchart(graph: ConfigGraph) -> str:
    """Draw steps as boxes, tables as cylinders, and where there are several pipelines, a frame for each."""
    return "\n".join(_lines(graph))


def _lines(graph: ConfigGraph) -> Iterator[str]:
    ids = {node: f"s{number}" for number, node in enumerate(step["node"] for step in graph["steps"])}
    ids |= {node: f"t{number}" for number, node in enumerate(table["node"] for table in graph["tables"])}
    ids |= {pipeline["config_id"]: f"p{number}" for number, pipeline in enumerate(graph["pipelines"])}
    yield "flowchart LR"
    for pipeline in graph["pipelines"]:
        steps = [step for step in graph["steps"] if step["config_id"] == pipeline["config_id"]]
        boxes = [f'    {ids[step["node"]]}["{_label(step["step_id"])}"]' for step in steps]
        frame = f'    subgraph {ids[pipeline["config_id"]]}["{_label(pipeline["config_id"])}"]'
        yield from [frame, *boxes, "    end"] if len(graph["pipelines"]) > 1 else boxes
    for table in graph["tables"]:
        yield f'    {ids[table["node"]]}[("{_label(table["table"])}")]'
    yield from _arrows(graph, ids)


def _arrows(graph: ConfigGraph, ids: Mapping[str, str]) -> Iterator[str]:
    for edge in graph["edges"]:
        ends = ids[edge["from"]], ids[edge["to"]]
        if edge["kind"] != "precedes":
            yield "    {} --> {}".format(*ends)
        elif not _goes_over_a_table(graph, edge["from"], edge["to"]):
            yield "    {} -.-> {}".format(*ends)


def _goes_over_a_table(graph: ConfigGraph, first: str, then: str) -> bool:
    """Tell whether a step waits for another by a table, which is drawn already."""
    written = {edge["to"] for edge in graph["edges"] if edge["from"] == first and edge["kind"] == "writes"}
    read = {edge["from"] for edge in graph["edges"] if edge["to"] == then and edge["kind"] == "reads"}
    return not written.isdisjoint(read)


def _label(text: str) -> str:
    """Write a name as a label: whatever is in it is text."""
    return "".join(ENTITIES.get(character, character) for character in plain(text))
