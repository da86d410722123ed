"""Requests to the REST API, read whole and named as Google's discovery document names them."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from local_bigquery.app import DISCOVERY

Scope = dict[str, Any]
PREFIX = re.compile(r"^(?:/upload)?/bigquery/v2/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: `method` as in `jobs.insert` ("" when unknown), names from the path, query and body."""

    method: str
    names: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    resource: dict[str, Any]
    scope: Scope

    @property
    def project(self) -> str:
        """Return the project that the path names."""
        return self.names.get("projectId", "")

    @property
    def job_id(self) -> str:
        """Return the ID of the job that the call starts or asks about; "" for none."""
        reference = self.resource.get("jobReference") or {}
        job_id: str = (
            self.names.get("jobId") or reference.get("jobId") or self.resource.get("requestId") or ""
        )
        return job_id

    @property
    def table(self) -> tuple[str, str, str]:
        """Return the project, dataset and table that the path names, "" where it names none."""
        return self.project, self.names.get("datasetId", ""), self.names.get("tableId", "")

    @property
    def job_configuration(self) -> dict[str, Any]:
        """Return the configuration of the job to start, as `jobs.insert` has it; empty for other calls."""
        if self.method == "jobs.query":
            common = {
                key: self.resource[key]
                for key in ("dryRun", "labels", "jobTimeoutMs")
                if key in self.resource
            }
            return common | {"query": self.resource}
        configuration: dict[str, Any] = self.resource.get("configuration") or {}
        return configuration if self.method == "jobs.insert" else {}

    @property
    def sql(self) -> str:
        """Return the SQL of the query job to start, "" for none."""
        return (self.job_configuration.get("query") or {}).get("query") or ""

    @property
    def starts_job(self) -> bool:
        """Tell whether the call starts a job that is kept: no dry run."""
        return self.method in ("jobs.insert", "jobs.query") and not self.is_dry_run

    @property
    def is_dry_run(self) -> bool:
        """Tell whether the call asks what a job would do."""
        return bool(self.job_configuration.get("dryRun"))

    def with_resource(self, resource: dict[str, Any]) -> "Call":
        """Return the same call around another JSON object."""
        return replace(self, resource=resource, body=json.dumps(resource).encode())


def read_call(scope: Scope, body: bytes) -> Call:
    """Read one request; a gzipped body is unpacked, a body that is not a JSON object counts as empty."""
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
    if headers.pop("content-encoding", "") == "gzip":
        body = gzip.decompress(body)
    method, names = _route(scope["method"], scope["path"])
    return Call(
        method=method,
        names=names,
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
        headers=headers,
        body=body,
        resource=_json_object(body),
        scope=scope,
    )


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body) if body.lstrip().startswith(b"{") else {}
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _route(verb: str, path: str) -> tuple[str, dict[str, str]]:
    shortened = PREFIX.sub("", path, count=1)
    for route_verb, pattern, method in ROUTES:
        if route_verb == verb and (match := pattern.fullmatch(shortened)):
            return method, match.groupdict()
    return "", {}


def _methods(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in node.get("resources", {}).values():
        yield from child.get("methods", {}).values()
        yield from _methods(child)


def _routes() -> list[tuple[str, re.Pattern[str], str]]:
    routes = []
    for method in _methods(DISCOVERY):
        pattern = re.sub(r"\{\+?(\w+)\}", lambda name: f"(?P<{name[1]}>[^/]+)", method["path"])
        routes.append((method["httpMethod"], re.compile(pattern), method["id"].removeprefix("bigquery.")))
    return routes


ROUTES = _routes()
