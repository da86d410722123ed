"""The whole API: the routes of all functions, and the two files made from them."""

import json
from pathlib import Path
from typing import Any

from common.http.admin import ADMIN_ROUTES
from common.http.openapi import make_document
from common.http.pipelines import PIPELINE_ROUTES
from common.http.reference import make_reference
from common.http.routes import Route
from common.http.standing import DOCUMENT, STANDING_ROUTES
from common.http.tenants import TENANT_ROUTES

REFERENCE = Path(__file__).parents[2] / "docs" / "api.md"

__all__ = ["DOCUMENT", "REFERENCE", "all_routes", "document_text", "reference_text"]


def all_routes() -> list[Route[Any]]:
    """Return the routes of every function."""
    return [*TENANT_ROUTES, *PIPELINE_ROUTES, *ADMIN_ROUTES, *STANDING_ROUTES]


def document_text() -> str:
    """Write the OpenAPI document."""
    return json.dumps(make_document(all_routes()), indent=1, ensure_ascii=False) + "\n"


def reference_text() -> str:
    """Write the reference for people."""
    return make_reference(make_document(all_routes()))
