"""Secrets never reach a log line: what looks like one or is known to be one is masked in every field."""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from math import isfinite
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[redacted]"
SHORTEST_PIECE = 8
"""Characters that a text and a secret have in common by more than chance."""
SHORTEST_MASKED = 4
"""What is shorter cannot be cut out of a text: the gap would tell it."""

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
        text = _without(secret, text)
    text = _TENANT_KEY.sub(MASK, text)
    text = _HEADER.sub(rf"\g<name>{MASK}", text)
    return _BEARER.sub(rf"\g<name>{MASK}", text)


def _without(secret: str, text: str) -> str:
    """Mask a secret wherever it is; one that is a part of many words, only where it is a word of its own."""
    if len(secret) >= SHORTEST_MASKED:
        return text.replace(secret, MASK)
    return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)


def mask(text: str, secrets: Iterable[str]) -> str:
    """Mask these secrets in a text: plain, URL-encoded, hexadecimal, base64; whole or cut off."""
    forms = {form for secret in filter(None, secrets) for form in _all_forms(secret)}
    if any(len(form) < SHORTEST_MASKED and form in text for form in forms):
        return MASK
    hidden = _places(text, forms)
    shown = (None if place in hidden else character for place, character in enumerate(text))
    parts = groupby(shown, key=lambda character: character is None)
    return "".join(MASK if is_hidden else "".join(filter(None, part)) for is_hidden, part in parts)


def _places(text: str, forms: Iterable[str]) -> set[int]:
    """List where a text holds a form, or a piece of one: long values are quoted in part."""
    pieces: dict[int, set[str]] = defaultdict(set)
    for form in forms:
        size = min(len(form), SHORTEST_PIECE)
        pieces[size].update(form[start : start + size] for start in range(len(form) - size + 1))
    return {
        place
        for size, known in pieces.items()
        for start in range(len(text) - size + 1)
        if text[start : start + size] in known
        for place in range(start, start + size)
    }


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


def _all_forms(secret: str) -> set[str]:
    """Write a secret in all the ways in which a message may quote it."""
    raw = secret.encode()
    plain = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], raw.hex()}
    padded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    within = {form for shift in (1, 2) for form in _base64_within(raw, shift)}
    return plain | padded | _base64_forms(secret) | within


def _base64_within(raw: bytes, shift: int) -> set[str]:
    """Encode what comes `shift` bytes after a multiple of three: the part that only the secret decides."""
    start, end = -(-shift * 8 // 6), (shift + len(raw)) * 8 // 6
    forms = (encode(bytes(shift) + raw) for encode in (base64.b64encode, base64.urlsafe_b64encode))
    return {form.decode()[start:end] for form in forms} - {""}


def _base64_forms(secret: str) -> set[str]:
    raw = secret.encode()
    forms = (base64.b64encode(raw), base64.urlsafe_b64encode(raw))
    return {form.decode().rstrip("=") for form in forms}
