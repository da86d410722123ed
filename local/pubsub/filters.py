"""Compile the filter language of subscriptions: which messages, by their attributes, a subscription wants.

expression := term { "AND" term } | term { "OR" term }      (the two mix only with parentheses)
term       := "NOT" term | "-" term | "(" expression ")" | condition
condition  := attributes:KEY | attributes.KEY = "VALUE" | attributes.KEY != "VALUE"
            | hasPrefix(attributes.KEY, "VALUE")

A key is a word or a string in double quotes. Escapes in strings are those of JSON; others are refused.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local.pubsub.refusals import Refusal, invalid

type Predicate = Callable[[Mapping[str, str]], bool]

MAX_FILTER_BYTES = 256

_TOKEN = re.compile(r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>\w[\w-]*)|(?P<sign>!=|[=:.,()-]))""")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def compile_filter(text: str) -> Predicate:
    """Compile a filter; an empty one accepts every message. Refuses what it cannot evaluate exactly."""
    if not text.strip():
        return lambda _: True
    if len(text.encode()) > MAX_FILTER_BYTES:
        raise invalid(f"a filter has at most {MAX_FILTER_BYTES} bytes")
    return _Parser(text).parse()


class _Parser:
    """Read one filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._position = 0

    def parse(self) -> Predicate:
        predicate = self._expression()
        if self._peek().kind != "end":
            raise self._refuse("one expression; AND and OR mix only with parentheses")
        return predicate

    def _expression(self) -> Predicate:
        terms = [self._term()]
        joint = self._peek().text
        if joint not in ("AND", "OR"):
            return terms[0]
        while self._peek() == _Token("word", joint):
            self._next()
            terms.append(self._term())
        return _all_of(terms) if joint == "AND" else _any_of(terms)

    def _term(self) -> Predicate:
        token = self._next()
        if token in (_Token("word", "NOT"), _Token("sign", "-")):
            return _none_of(self._term())
        if token == _Token("sign", "("):
            predicate = self._expression()
            self._expect(")")
            return predicate
        if token == _Token("word", "hasPrefix"):
            return self._prefix()
        if token == _Token("word", "attributes"):
            return self._comparison()
        raise self._refuse("attributes, hasPrefix, NOT or a parenthesis")

    def _prefix(self) -> Predicate:
        self._expect("(", "attributes", ".")
        key = self._key()
        self._expect(",")
        prefix = self._string()
        self._expect(")")
        return lambda attributes: key in attributes and attributes[key].startswith(prefix)

    def _comparison(self) -> Predicate:
        access = self._next().text
        if access not in (":", "."):
            raise self._refuse("attributes:KEY or attributes.KEY")
        key = self._key()
        if access == ":":
            return lambda attributes: key in attributes
        operator = self._next().text
        if operator not in ("=", "!="):
            raise self._refuse("= or != after attributes.KEY")
        value = self._string()
        equals: Predicate = lambda attributes: attributes.get(key) == value  # noqa: E731
        return equals if operator == "=" else _none_of(equals)

    def _key(self) -> str:
        return self._next().text if self._peek().kind == "word" else self._string()

    def _string(self) -> str:
        token = self._next()
        if token.kind != "text":
            raise self._refuse("a string in double quotes")
        try:
            return str(json.loads(token.text))
        except ValueError:
            raise self._refuse("only the escapes of JSON in a string") from None

    def _expect(self, *texts: str) -> None:
        for text in texts:
            if self._next().text != text:
                raise self._refuse(repr(text))

    def _peek(self) -> _Token:
        return self._tokens[self._position]

    def _next(self) -> _Token:
        token = self._peek()
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def _split(self) -> list[_Token]:
        text, tokens, at = self._text.rstrip(), list[_Token](), 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._refuse(f"no {text[at:].strip()[:10]!r}")
            tokens.append(_Token(str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        return [*tokens, _Token("end", "")]

    def _refuse(self, wanted: str) -> Refusal:
        return invalid(f"the filter {self._text!r} cannot be read: expected {wanted}")


def _all_of(terms: list[Predicate]) -> Predicate:
    return lambda attributes: all(term(attributes) for term in terms)


def _any_of(terms: list[Predicate]) -> Predicate:
    return lambda attributes: any(term(attributes) for term in terms)


def _none_of(term: Predicate) -> Predicate:
    return lambda attributes: not term(attributes)
