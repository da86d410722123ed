"""The form of credentials for notices; where they lead is looked at each time that something is sent."""

from collections.abc import Iterator, Mapping
from email.utils import parseaddr

from common.addresses import is_web_url
from common.errors import Violation

MIN_SECRET_CHARACTERS = 16
MAX_PORT = 65_535


def webhook_violations(secret: Mapping[str, str]) -> Iterator[Violation]:
    """Find what is wrong with a webhook's members; its `secret` signs, chats have none."""
    yield from _missing(secret, "url")
    url = secret.get("url", "")
    if url and not url.lower().startswith(("https://", "http://")):
        yield Violation("/credentials/url", "must begin with https://")
    elif url and not is_web_url(url):
        rule = (
            "must be https://host/path, without user, password, fragment and blanks, at most 2000 characters"
        )
        yield Violation("/credentials/url", rule)
    if 0 < len(secret.get("secret", "")) < MIN_SECRET_CHARACTERS:
        yield Violation("/credentials/secret", f"must have {MIN_SECRET_CHARACTERS} characters or more")


def mail_violations(secret: Mapping[str, str]) -> Iterator[Violation]:
    """Find what is wrong with the members of a mail server's credential."""
    yield from _missing(secret, "host", "from")
    if not all(33 <= ord(character) < 127 for character in secret.get("host", "")):
        yield Violation("/credentials/host", "must be the name of a host, without blanks")
    if secret.get("from") and not _is_mail_address(secret["from"]):
        yield Violation("/credentials/from", "must be an address of a mail, such as data@example.com")
    port = secret.get("port", "587")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= MAX_PORT):
        yield Violation("/credentials/port", f"must be a port: 1 to {MAX_PORT}, in digits")


def _missing(secret: Mapping[str, str], *names: str) -> Iterator[Violation]:
    return (Violation(f"/credentials/{name}", "is required") for name in names if not secret.get(name))


def _is_mail_address(text: str) -> bool:
    """Tell whether a text is an address, or a name with an address behind it."""
    name, at, host = parseaddr(text)[1].rpartition("@")
    return bool(text.isprintable() and name and at and host and not any(map(str.isspace, name + host)))
