"""The API's reference for people, in Markdown, made from the OpenAPI document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.http.openapi import api_document
from common.http.responses import KINDS

type Json = dict[str, Any]

_OPENING = """\
# API

<!-- Made by `python -m common.http`; the routes are in common/http/. -->

The same in OpenAPI 3.1: `GET /openapi.json`.

Bodies are JSON in UTF-8. A request with a JSON body says `Content-Type: application/json`; unknown members,
duplicate members and numbers that are not finite are refused. Times are RFC 3339 in UTC. Every answer has an
`X-Request-Id`; a request may bring its own (8 to 128 letters, digits, `.`, `_`, `-`), and a `traceparent`.

The tenant of a request is the one that its API key belongs to. A key has scopes: `run` starts and stops runs,
`read` reads, `manage` changes configs, keys and credentials and deletes tables, `data` shows rows of tables.
A key that runs, reads and manages has `data` too.
"""
_PROBLEMS = """\
## Problems

Every answer from 400 on is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`,
`instance` and `request_id`. Branch on `type`; `detail` is for people. `errors` lists every broken rule of the
input, each with a JSON pointer: into the body, or to a parameter as `/path/…`, `/query/…`, `/header/…`.

| Type | Status | When |
|---|---|---|
"""


def make_reference(document: Json) -> str:
    """Write the reference."""
    routes = [
        (method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    tags = dict.fromkeys(operation["tags"][0] for _, _, operation in routes)
    parts = [_OPENING]
    for tag in tags:
        parts.append(f"## {tag}\n")
        parts += [_route(*route, document) for route in routes if route[2]["tags"] == [tag]]
    return "\n".join([*parts, _problems(), *_schemas(document)])


def _route(method: str, path: str, operation: Json, document: Json) -> str:
    lines = [f"### {method} {path}", "", f"{operation['summary']}. {_access(operation)}", ""]
    if description := operation.get("description"):
        lines += [description, ""]
    lines += _parameters(operation)
    lines += _body(operation, document)
    lines += ["| Answer | Meaning |", "|---|---|"]
    lines += [_answer(status, answer, document) for status, answer in operation["responses"].items()]
    return "\n".join([*lines, ""])


def _access(operation: Json) -> str:
    match operation["security"]:
        case [{"ApiKey": [scope]}]:
            return f"Takes `X-API-Key` with the scope `{scope}`."
        case [{"AdminKey": _}]:
            return "Takes `X-Admin-Key`."
        case _:
            return "Takes no key."


def _parameters(operation: Json) -> Iterator[str]:
    if not operation["parameters"]:
        return
    yield from ("| Parameter | In | Type | Meaning |", "|---|---|---|---|")
    for parameter in operation["parameters"]:
        schema = parameter["schema"]
        meaning = _cell(parameter["description"] + _limits(schema))
        yield f"| `{parameter['name']}` | {parameter['in']} | {_type(schema)} | {meaning} |"
    yield ""


def _body(operation: Json, document: Json) -> Iterator[str]:
    for content_type, media in operation.get("requestBody", {}).get("content", {}).items():
        if reference := media["schema"].get("$ref"):
            name = reference.rpartition("/")[2]
            example = document["components"]["schemas"][name]["examples"][0]
            yield f"Body: {_schema_link(name)}, for example"
            yield from ("", "```json", json.dumps(example, indent=2, ensure_ascii=False), "```", "")
        elif "example" in media:
            yield f"Body: `{content_type}`, for example"
            yield from ("", "```", media["example"].rstrip("\n"), "```", "")


def _answer(status: str, answer: Json, document: Json) -> str:
    if shared := answer.get("$ref"):
        answer = document["components"]["responses"][shared.rpartition("/")[2]]
    for content_type, media in answer.get("content", {}).items():
        if content_type == "application/problem+json":
            return f"| {status} | {', '.join(f'`{name}`' for name in media['examples'])} |"
        return f"| {status} | {_schema_link(media['schema']['$ref'].rpartition('/')[2])} |"
    return f"| {status} | {answer['description']}, no body |"


def _problems() -> str:
    kinds = sorted(set(KINDS.values()), key=lambda kind: (kind.status, kind.name))
    rows = [f"| `{kind.type_uri}` | {kind.status} | {_cell(kind.meaning)} |" for kind in kinds]
    return _PROBLEMS + "\n".join(rows) + "\n"


def _schemas(document: Json) -> Iterator[str]:
    yield "## Schemas\n"
    for name, schema in document["components"]["schemas"].items():
        yield "\n".join([f"### {name}", "", schema["description"], "", *_members(schema)])


def _members(schema: Json) -> Iterator[str]:
    if "properties" not in schema:
        yield from (f"Type: {_type(schema)}.", "")
        return
    yield from ("| Member | Type | Meaning |", "|---|---|---|")
    for name, member in schema["properties"].items():
        mark = " (required)" if name in schema.get("required", []) else ""
        meaning = member.get("description", "") + _limits(member)
        yield f"| `{name}`{mark} | {_type(member)} | {_cell(meaning)} |"
    yield ""


def _type(schema: Json) -> str:
    if reference := schema.get("$ref"):
        return _schema_link(reference.rpartition("/")[2])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    types = schema.get("type", "any")
    text = types if isinstance(types, str) else " or ".join(types)
    if "items" in schema and types == "array":
        return f"array of {_type(schema['items'])}"
    return f"{text} ({schema['format']})" if "format" in schema else text


def _limits(schema: Json) -> str:
    found = []
    if "enum" in schema:
        found.append("One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".")
    if "minimum" in schema and "maximum" in schema:
        found.append(f"From {schema['minimum']} to {schema['maximum']}.")
    if "default" in schema:
        found.append(f"`{json.dumps(schema['default'])}` where not given.")
    return "".join(f" {text}" for text in found)


def _schema_link(name: str) -> str:
    return f"[{name}](#{name})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


REFERENCE = Path(__file__).parents[2] / "docs" / "api.md"


def reference_text() -> str:
    """Write the reference for people."""
    return make_reference(api_document())
