"""Carry one message to an HTTP endpoint, and judge the answer as Pub/Sub does."""

import json
import socket
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from local.pubsub.subscriptions import Delivery

ACKNOWLEDGING = frozenset({102, 200, 201, 202, 204})
CONNECT_SECONDS = 10.0


def push_body(delivery: Delivery, *, subscription: str) -> bytes:
    """Write the JSON that Pub/Sub posts; what is empty is left out."""
    message = delivery.message
    fields: dict[str, Any] = {
        "attributes": dict(message.content.attributes),
        "data": b64encode(message.content.data).decode(),
        "messageId": message.id,
        "publishTime": message.publish_time,
    }
    body: dict[str, Any] = {"message": _present(fields), "subscription": subscription}
    return json.dumps(body | _present({"deliveryAttempt": delivery.attempt})).encode()


def push_headers(delivery: Delivery, *, topic: str) -> dict[str, str]:
    """Write the headers of a binary CloudEvent: by them functions-framework keeps the whole body as data."""
    return {
        "content-type": "application/json",
        "ce-id": delivery.message.id,
        "ce-source": f"//pubsub.googleapis.com/{topic}",
        "ce-specversion": "1.0",
        "ce-time": delivery.message.publish_time,
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    }


@dataclass(slots=True, kw_only=True)
class Push:
    """One POST. It ends with the answer, or when it is cut: at the ack deadline, or as the server stops."""

    endpoint: str
    body: bytes
    headers: Mapping[str, str]
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _socket: socket.socket | None = field(default=None, init=False)
    _is_cut: bool = field(default=False, init=False)

    def send(self) -> bool:
        """Post the message, and say whether the endpoint acknowledged it."""
        url = urlsplit(self.endpoint)
        connection = _connection(url)
        try:
            connection.connect()
            self._keep(connection.sock)
            connection.request("POST", _target(url), body=self.body, headers=dict(self.headers))
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException, ValueError):  # ValueError: a host name that no network knows
            return False
        finally:
            connection.close()
        return response.status in ACKNOWLEDGING

    def cut(self) -> None:
        """End the connection; whoever waits for its answer gets none."""
        with self._lock:
            self._is_cut = True
            if self._socket:
                _shut(self._socket)

    def _keep(self, connected: socket.socket) -> None:
        """Remember the socket, so that it can be cut; nothing else ends the wait for the answer."""
        connected.settimeout(None)
        with self._lock:
            self._socket = connected
            if self._is_cut:
                _shut(connected)


def _shut(connected: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        connected.shutdown(socket.SHUT_RDWR)


def _connection(url: SplitResult) -> HTTPConnection:
    """Prepare a connection for one push: a kept one may die just as it is used, and look like a nack."""
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    return kind(str(url.hostname), url.port, timeout=CONNECT_SECONDS)


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
