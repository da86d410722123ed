"""The local Cloud Storage: folders stand for buckets, and the JSON API lists what is in them.

It has the one method that the platform calls, `objects.list`, and refuses what the service refuses. A file's
generation is the time of its last change in microseconds, as the service's are. Who may list a bucket,
`local.bigquery.buckets` says, for BigQuery's loads too. A request without a token is the platform's own.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer
from werkzeug.wrappers import Request, Response

from local.bigquery.buckets import READERS, may_use
from local.bigquery.callers import email_of
from local.serving import served, server_on

MAX_PAGE = 1000
PARAMETERS = frozenset({"prefix", "maxResults", "pageToken", "fields", "prettyPrint", "alt"})
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_LIST = re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)/o")
_ITEM_FIELDS = re.compile(r"items\((?P<names>[a-zA-Z,]+)\),nextPageToken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Exception):
    """What the service answers instead: a status, a reason and a sentence."""

    status: int
    reason: str
    message: str


class StorageServer:
    """Cloud Storage's JSON API over a folder, in this process."""

    def __init__(self, root: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self.root = root
        self._server: BaseWSGIServer = server_on(host, port, self._answer)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self._server.host}:{self._server.port}"

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer requests inside the block."""
        try:
            with served(self._server, "storage"):
                yield self.url
        finally:
            self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = _json(200, self._list(request))
        except Refusal as refusal:
            error = {"message": refusal.message, "domain": "global", "reason": refusal.reason}
            body = {"error": {"code": refusal.status, "message": refusal.message, "errors": [error]}}
            response = _json(refusal.status, body)
        return response(environ, start_response)

    def _list(self, request: Request) -> dict[str, Any]:
        found = _LIST.fullmatch(request.path)
        if request.method != "GET" or found is None:
            raise Refusal(status=404, reason="notFound", message="Not Found")
        bucket, given = found["bucket"], request.args
        if unknown := set(given) - PARAMETERS:
            raise Refusal(status=400, reason="invalid", message=f"Unknown parameter: {min(unknown)}")
        if not BUCKET.fullmatch(bucket):
            raise Refusal(status=400, reason="invalid", message=f"Invalid bucket name: '{bucket}'")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self._check(bucket, email_of(token) if token else "")
        return _page(_objects(self.root / bucket, given.get("prefix", "")), given)

    def _check(self, bucket: str, caller: str) -> None:
        if not may_use(self.root, bucket, caller):
            told = (
                f"{caller} does not have storage.objects.list access to the Google Cloud Storage bucket. "
                "Permission 'storage.objects.list' denied on resource (or it may not exist)."
            )
            raise Refusal(status=403, reason="forbidden", message=told)
        if not (self.root / bucket).is_dir():
            raise Refusal(status=404, reason="notFound", message="The specified bucket does not exist.")


def _objects(folder: Path, prefix: str) -> list[dict[str, str]]:
    """List the files of a bucket, by their names' bytes, as the service does."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != READERS)
    named = ((path.relative_to(folder).as_posix(), path) for path in paths)
    found = sorted((name.encode(), name, path) for name, path in named if name.startswith(prefix))
    return [_object(name, path) for _, name, path in found]


def _object(name: str, path: Path) -> dict[str, str]:
    status = path.stat()
    updated = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="milliseconds")
    return {
        "name": name,
        "generation": str(status.st_mtime_ns // 1000),
        "size": str(status.st_size),
        "updated": updated.replace("+00:00", "Z"),
    }


def _page(objects: list[dict[str, str]], given: Any) -> dict[str, Any]:
    asked = given.get("maxResults", str(MAX_PAGE))
    if not asked.isdecimal() or not int(asked):
        raise Refusal(status=400, reason="invalid", message=f"Invalid unsigned integer value: '{asked}'.")
    after = _last_name(given.get("pageToken", ""))
    left = [item for item in objects if item["name"].encode() > after.encode()]
    items = left[: min(int(asked), MAX_PAGE)]
    fields = _ITEM_FIELDS.fullmatch(given.get("fields", ""))
    names = fields["names"].split(",") if fields else None
    page: dict[str, Any] = {} if fields else {"kind": "storage#objects"}
    if items:  # The service leaves out what is empty.
        page["items"] = [{key: item[key] for key in names or item if key in item} for item in items]
    if len(left) > len(items):
        page["nextPageToken"] = base64.urlsafe_b64encode(items[-1]["name"].encode()).decode()
    return page


def _last_name(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError as error:
        raise Refusal(status=400, reason="invalid", message="Invalid page token.") from error


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json; charset=UTF-8")
