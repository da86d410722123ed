"""Sending a notice: by HTTPS or SMTP, to the address that was looked at, with no redirection followed."""

import hashlib
import hmac
import http.client
import json
import smtplib
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from threading import Timer
from typing import Any, Self

from common.errors import Forbidden, InvalidInput, Unavailable, Violation
from common.notifications.destinations import MAIL_PORTS, Destination, Destinations
from common.notifications.notices import Notice
from common.notifications.subscriptions import Medium, Subscriber
from common.times import Clock

TIMEOUT_SECONDS = 10.0
DEADLINE_SECONDS = 20.0
"""For a notice as a whole: who answers byte by byte is one that does not answer."""
MAX_TO = 20
SECURE_MAIL_PORT = 465
PASSING = frozenset({408, 425, 429})
"""Answers that pass by themselves, beside those of 500 and above."""
TIMESTAMP, SIGNATURE, EVENT = "X-Convergence-Timestamp", "X-Convergence-Signature", "X-Convergence-Event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends notices. Unavailable: it may work later; Forbidden and InvalidInput: it never will."""

    destinations: Destinations
    clock: Clock
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    deadline_seconds: float = DEADLINE_SECONDS

    def send(self, notice: Notice, subscriber: Subscriber, secret: Mapping[str, str]) -> None:
        """Send a notice once, with the address and the secret of the subscriber's credential."""
        if subscriber.medium is Medium.EMAIL:
            self._mail(notice, subscriber, secret)
        elif subscriber.medium is Medium.WEBHOOK:
            self._post(_of(secret, "url"), json.dumps(notice.body).encode(), _of(secret, "secret"))
        else:
            text = _harmless(notice.text, subscriber.medium)
            self._post(_of(secret, "url"), json.dumps({"text": text}).encode())

    def _post(self, url: str, body: bytes, key: str = "") -> None:
        destination = self.destinations.of_url(url)
        headers = {"Content-Type": "application/json", "User-Agent": "convergence-notify"}
        headers |= self._signed(body, key) if key else {}
        try:
            with _Deadline(self.deadline_seconds) as deadline:
                connection = _Web(destination, self.context, deadline)
                with closing(connection):
                    connection.request("POST", destination.path, body=body, headers=headers)
                    status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{destination.host} does not answer: {type(error).__name__}") from error
        if status >= 500 or status in PASSING:
            raise Unavailable(f"{destination.host} answers {status}")
        if not 200 <= status < 300:
            raise Forbidden(f"{destination.host} answers {status}: it takes no notices there")

    def _signed(self, body: bytes, key: str) -> dict[str, str]:
        timestamp = str(int(self.clock().timestamp()))
        return {TIMESTAMP: timestamp, SIGNATURE: signature(key, timestamp, body)}

    def _mail(self, notice: Notice, subscriber: Subscriber, secret: Mapping[str, str]) -> None:
        host, port = _of(secret, "host"), _port(secret)
        destination = self.destinations.of_host(host, port, MAIL_PORTS)
        message = _message(notice, subscriber, _of(secret, "from"))
        try:
            with _Deadline(self.deadline_seconds) as deadline, self._mailer(destination, deadline) as mailer:
                if secret.get("username"):
                    mailer.login(secret["username"], _of(secret, "password"))
                mailer.send_message(message)
        except smtplib.SMTPResponseException as error:
            kind = Unavailable if error.smtp_code < 500 else Forbidden
            raise kind(f"{host} answers {error.smtp_code}") from error
        except smtplib.SMTPRecipientsRefused as error:
            raise Forbidden(f"{host} takes no mail for any of the recipients") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"{host} does not answer: {type(error).__name__}") from error

    def _mailer(self, destination: Destination, deadline: "_Deadline") -> smtplib.SMTP:
        if destination.port == SECURE_MAIL_PORT:
            return _SecureMail(destination, self.context, deadline)
        mailer = _Mail(destination, deadline)
        # Nothing is sent in clear, but on this machine.
        if mailer.has_extn("starttls") or not self.destinations.allows_loopback:
            mailer.starttls(context=self.context)
            mailer.ehlo()
        return mailer


def signature(key: str, timestamp: str, body: bytes) -> str:
    """Sign a body with the moment at which it was sent: `v1=` and a hexadecimal HMAC-SHA256."""
    return f"v1={hmac.new(key.encode(), timestamp.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


class _Deadline:
    """Shuts the connections of a notice where they take too long, whatever they wait for."""

    def __init__(self, seconds: float) -> None:
        self._sockets: list[socket.socket] = []
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for one in self._sockets:
            one.close()

    def connected(self, destination: Destination) -> socket.socket:
        """Connect to the one address of a destination."""
        found = socket.create_connection((destination.address, destination.port), TIMEOUT_SECONDS)
        self._sockets.append(found.dup())  # Encryption takes the other one over.
        return found

    def _end(self) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Web(http.client.HTTPConnection):
    """HTTP to one address; certificate and Host are those of the name."""

    def __init__(self, destination: Destination, context: ssl.SSLContext, deadline: _Deadline) -> None:
        super().__init__(destination.host, destination.port)
        self.default_port = 80 if destination.is_plain else 443
        self._made = destination, context, deadline

    def connect(self) -> None:
        destination, context, deadline = self._made
        plain = deadline.connected(destination)
        self.sock = (
            plain if destination.is_plain else context.wrap_socket(plain, server_hostname=destination.host)
        )


class _Mail(smtplib.SMTP):
    """SMTP to one address; the certificate is that of the name."""

    def __init__(self, destination: Destination, deadline: _Deadline) -> None:
        self._made = destination, deadline
        super().__init__(destination.host, destination.port, timeout=TIMEOUT_SECONDS)
        self.ehlo()

    def _get_socket(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        destination, deadline = self._made
        return deadline.connected(destination)


class _SecureMail(smtplib.SMTP_SSL):
    """The same, encrypted from the first byte on."""

    def __init__(self, destination: Destination, context: ssl.SSLContext, deadline: _Deadline) -> None:
        self._made = destination, deadline
        super().__init__(destination.host, destination.port, timeout=TIMEOUT_SECONDS, context=context)

    def _get_socket(self, host: str, _port: int, _timeout: float) -> socket.socket:
        destination, deadline = self._made
        return self.context.wrap_socket(deadline.connected(destination), server_hostname=host)


def _message(notice: Notice, subscriber: Subscriber, sender: str) -> EmailMessage:
    message = EmailMessage()
    try:
        message["From"], message["To"] = sender, ", ".join(subscriber.to[:MAX_TO])
        message["Subject"] = notice.title
    except ValueError as error:  # A line break in a header, for one.
        raise InvalidInput([Violation("/from", "is no address of a mail")]) from error
    message.set_content(notice.text)
    return message


def _harmless(text: str, medium: Medium) -> str:
    """Write a text so that nothing in it is markup: no mention, no link of a stranger's."""
    if medium is Medium.SLACK:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("<", "(").replace(">", ")")


def _of(secret: Mapping[str, Any], name: str) -> str:
    if not secret.get(name):
        raise InvalidInput([Violation(f"/credentials/{name}", "is not in the credential")])
    return str(secret[name])


def _port(secret: Mapping[str, str]) -> int:
    text = secret.get("port", "587")
    if not text.isdecimal() or len(text) > 5:
        raise InvalidInput([Violation("/credentials/port", "must be a port")])
    return int(text)
