"""Secrets never reach a log line: what looks like one or is known to be one is masked in every field."""

import base64
import re
from collections.abc import Iterable
from math import isfinite
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[redacted]"

# The part before `_api_` is the tenant, which is no secret and tells an operator whose key it was.
_TENANT_KEY = re.compile(r"(?<=_api_)[A-Za-z0-9]{16}")
_HEADER = re.compile(
    r"""(?ix)
    (?P<name> (?<![a-z0-9]) x[-_](?:api|admin)[-_]key \b ["']? \s* [:=,] \s* ["']? )
    (?P<value> [^\s"',;&)\]}]+ )"""
)
_HEADER_NAME = re.compile(r"(?i)(?:http[-_])?(?:x[-_](?:api|admin)[-_]key|authorization)")
_BEARER = re.compile(r"(?i)(?P<name>\bbearer\s+)(?P<value>[A-Za-z0-9._~+/=-]{8,})")

_known: set[str] = set()


def register_secrets(secrets: Iterable[str]) -> None:
    """Mask these values from now on: plain, URL-encoded, base64. For those without a shape: admin keys."""
    for secret in filter(None, secrets):
        _known.update({secret, quote(secret, safe=""), quote_plus(secret), *_base64_forms(secret)})


def is_secret(text: str) -> bool:
    """Tell whether a text is one of the registered secrets, in any of the forms that are masked."""
    return text in _known


def redact(text: str) -> str:
    """Mask all secrets in a text."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _TENANT_KEY.sub(MASK, text)
    text = _HEADER.sub(rf"\g<name>{MASK}", text)
    return _BEARER.sub(rf"\g<name>{MASK}", text)


def redact_all(value: Any) -> Any:
    """Mask all secrets in a JSON-like value, in keys too; a value of another type becomes its masked text."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if isfinite(value) else str(value)
        case dict():
            return {redact(str(key)): _redact_member(str(key), item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact_all(item) for item in value]
        case _:
            return redact(str(value))


def _redact_member(name: str, value: Any) -> Any:
    return MASK if _HEADER_NAME.fullmatch(name) else redact_all(value)


def _base64_forms(secret: str) -> set[str]:
    raw = secret.encode()
    forms = (base64.b64encode(raw), base64.urlsafe_b64encode(raw))
    return {form.decode().rstrip("=") for form in forms}
