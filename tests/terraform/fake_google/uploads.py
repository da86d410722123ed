"""Uploads of objects: a description and bytes in one request."""

import base64
import hashlib
import json

from tests.terraform.fake_google.answers import Json
from tests.terraform.fake_google.requests import Request
from tests.terraform.fake_google.store import Store


def upload(store: Store, request: Request, content_type: str, raw: bytes) -> Json:
    """Keep an uploaded object: its checksums, not its bytes."""
    store.get(request.key.removesuffix("/o"))
    described, content = _parts(content_type, raw)
    name = request.query.get("name") or described["name"]
    key = f"{request.key}/{name.replace('/', '%2F')}"
    return store.replace(key, _described(store, request, name, content))


def _parts(content_type: str, raw: bytes) -> tuple[Json, bytes]:
    boundary = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
    described, content = (part.partition(b"\r\n\r\n")[2][:-2] for part in raw.split(boundary)[1:3])
    return json.loads(described), content


def _described(store: Store, request: Request, name: str, content: bytes) -> Json:
    bucket = request.path.split("/")[1]
    link = f"{request.base_url}/storage/v1/b/{bucket}/o/{name.replace('/', '%2F')}"
    return {
        "kind": "storage#object",
        "name": name,
        "bucket": bucket,
        "generation": str(store.next_number()),
        "metageneration": "1",
        "contentType": "application/zip",
        "size": str(len(content)),
        "md5Hash": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
        "crc32c": "AAAAAA==",
        "storageClass": "STANDARD",
        "selfLink": link,
        "mediaLink": f"{link}?alt=media",
    }
