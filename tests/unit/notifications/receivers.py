"""Receivers on this machine: a web server and a mail server that remember what came."""

import socketserver
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Receiver:
    """Answers with its statuses in turn, the last one again and again."""

    url: str = ""
    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: Mapping[str, str] = field(default_factory=dict)
    came: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def answer(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def web_receiver() -> Iterator[Receiver]:
    """Take notices by HTTP."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            receiver.came.append((self.path, dict(self.headers), data))
            self.send_response(receiver.answer())
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler), receiver):
        receiver.url = f"http://127.0.0.1:{receiver.port}/hook"
        yield receiver


@contextmanager
def mail_receiver() -> Iterator[Receiver]:
    """Take notices by SMTP; a status from 400 on is the answer to a recipient."""
    receiver = Receiver(statuses=[250])

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline():
                verb = line.split()[0].upper() if line.split() else b""
                if verb == b"DATA":
                    self._say("354 go on")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    receiver.came.append(("", {}, b"".join(lines)))
                    self._say("250 taken")
                elif verb == b"RCPT":
                    self._say(f"{receiver.answer()} recipient")
                elif verb == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler), receiver):
        yield receiver


@contextmanager
def trickling_receiver() -> Iterator[Receiver]:
    """Answer with one letter after the other, and never to the end."""
    receiver, over = Receiver(), Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while not over.wait(0.01):
                    self.wfile.write(b"2")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Handler), receiver):
        receiver.url = f"http://127.0.0.1:{receiver.port}/hook"
        yield receiver
        over.set()


@contextmanager
def _serving(server: socketserver.TCPServer, receiver: Receiver) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    receiver.port = server.server_address[1]
    with server:
        thread.start()
        yield
        server.shutdown()
        thread.join()
