"""Endpoint of graphs: which steps read and write which tables, in a pipeline and across pipelines."""

from common.http.endpoints.configs import CONFIG_ID, CONFIG_VERSION
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.services import PipelineServices
from common.pipelines.graphs import Edge, Graphs, StepNode
from common.pipelines.tables import TableName

ACROSS = Parameter(
    name="across",
    place=Place.QUERY,
    description=(
        "Whether the pipelines are shown too that share tables with it, or run before or after it, or do so "
        "by others."
    ),
    schema={"type": "boolean", "default": False},
    example=True,
)


def read_config_graph(call: Call[PipelineServices]) -> Answer:
    """Show the graph of a pipeline: its steps, their tables, and what comes of what.

    It goes by what the steps' SQL names: the tables under a view are not in it.
    """
    graphs = Graphs(configs=call.services.configs)
    look = graphs.across if call.query["across"] else graphs.of
    tenant_id, config_id = call.caller.tenant_id, call.path["config_id"]
    found = look(tenant_id, config_id, call.query.get("version"))
    body = {
        "config_id": config_id,
        "pipelines": [{"config_id": one, "version": version} for one, version in found.versions.items()],
        "steps": [_step_body(node) for node in found.graph.steps],
        "tables": [
            _table_body(table, call.services.configs.compiler.project_id, tenant_id)
            for table in found.graph.tables
        ],
        "edges": [_edge_body(edge) for edge in found.graph.edges],
        "left_out": list(found.left_out),
    }
    return Answer(body=body)


def _step_body(node: StepNode) -> dict[str, object]:
    return {
        "node": node.name,
        "config_id": node.config_id,
        "step_id": node.step.id,
        "level": node.step.level,
        "ps_type": node.step.ps_type,
    }


def _table_body(table: TableName, project_id: str, tenant_id: str) -> dict[str, object]:
    is_own = (table.project, table.dataset) == (project_id, tenant_id)
    return {"node": str(table), "table": table.table if is_own else str(table), "is_own": is_own}


def _edge_body(edge: Edge) -> dict[str, object]:
    return {"from": edge.source, "to": edge.target, "kind": edge.kind.value}


GRAPH_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/pipelines/configs/{config_id}/graph",
        endpoint=read_config_graph,
        access=Access.READ,
        parameters=(CONFIG_ID, CONFIG_VERSION, ACROSS),
        answers={200: "config_graph"},
        tag="Configs",
    ),
)
