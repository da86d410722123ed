"""Routes that every function has: whether it is ready, and what the API and pipeline files look like."""

from common.errors import Unavailable
from common.http.edge import SystemEdge
from common.http.routing import Access, Answer, Call, Route, RouteTable


def health(call: Call[SystemEdge]) -> Answer:
    """Tell whether the function is ready.

    Answers 200 when every part that it stands on answers too, 503 otherwise.
    """
    parts = call.services.readiness()
    if failing := sorted(name for name, is_ready in parts.items() if not is_ready):
        raise Unavailable(f"not ready: {', '.join(failing)}")
    return Answer(body={"status": "ready", "parts": sorted(parts)})


def openapi(call: Call[SystemEdge]) -> Answer:
    """Describe the whole API in OpenAPI 3.1.

    Where functions have URLs of their own, the paths of others name theirs.
    """
    from common.http.openapi import api_document  # noqa: PLC0415 - imports the endpoints of every function

    body, urls = api_document(), call.services.public_urls
    if urls.own:
        body |= {"servers": [{"url": urls.own}]}
    for path, operations in body["paths"].items():
        if (base := urls.base(path)) != urls.own:
            operations["servers"] = [{"url": base}]
    return Answer(body=body)


def pipeline_schema(_call: Call[SystemEdge]) -> Answer:
    """Describe pipeline files, as a JSON Schema in one piece.

    It refuses what an upload refuses, as far as a schema can. An editor takes it by
    `# yaml-language-server: $schema=<this address>` in a file's first line.
    """
    from common.pipelines.file_schema import file_schema  # noqa: PLC0415 - asked for once in a while
    from common.pipelines.step_types import TEMPLATES  # noqa: PLC0415 - the same

    return Answer(body=file_schema(TEMPLATES))


SYSTEM_ROUTES: RouteTable[SystemEdge] = RouteTable(
    Route(
        method="GET",
        path="/health",
        endpoint=health,
        access=Access.PUBLIC,
        answers={200: "health"},
        tag="System",
    ),
    Route(
        method="GET",
        path="/openapi.json",
        endpoint=openapi,
        access=Access.PUBLIC,
        answers={200: "openapi_document"},
        tag="System",
    ),
    Route(
        method="GET",
        path="/pipeline.schema.json",
        endpoint=pipeline_schema,
        access=Access.PUBLIC,
        answers={200: "pipeline_schema_document"},
        tag="System",
    ),
)
