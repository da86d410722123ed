"""Routes that every function has: whether it is ready, and what the API and pipeline files look like."""

import json
from pathlib import Path
from typing import Any

from common.errors import Unavailable
from common.http.edge import SystemEdge
from common.http.routing import Access, Answer, Call, Route, RouteTable

DOCUMENT = Path(__file__).parents[1] / "openapi.json"
TEMPLATES = Path(__file__).parents[3] / "ps_templates"


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

    return Answer(body=file_schema(TEMPLATES))


def api_document() -> dict[str, Any]:
    """Load the API's document, which `python -m common.http` makes from all routes.

    A function so needs not import the endpoints of the others to describe them.
    """
    document: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return document


STANDING_ROUTES: RouteTable[SystemEdge] = RouteTable(
    Route(
        method="GET",
        path="/health",
        endpoint=health,
        access=Access.PUBLIC,
        answers={200: "health"},
        tag="Standing",
    ),
    Route(
        method="GET",
        path="/openapi.json",
        endpoint=openapi,
        access=Access.PUBLIC,
        answers={200: "openapi_document"},
        tag="Standing",
    ),
    Route(
        method="GET",
        path="/pipeline.schema.json",
        endpoint=pipeline_schema,
        access=Access.PUBLIC,
        answers={200: "pipeline_schema_document"},
        tag="Standing",
    ),
)
