"""Conditions of steps, `run_if`: comparisons of parameters and of earlier steps' states. No code, no loops.

    ${region} == 'eu' and not (steps.load == 'FAILED' or ${date} < '2026-01-31')
    ${full} or steps.check in ('FAILED', 'SKIPPED')

A condition is a text of at most 500 characters, nested at most ten deep; each comparison is of values of one
kind. It is checked whole at the upload, so at run time it only has an answer.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

MAX_DEPTH = 10
STATES = ("COMPLETED", "FAILED", "SKIPPED")
KINDS = {
    "STRING": "text",
    "DATE": "day",
    "INT64": "number",
    "FLOAT64": "number",
    "NUMERIC": "number",
    "BOOL": "truth",
}
"""What parameters of a type are compared as; those of other types are not."""
_TOKEN = re.compile(
    r"""\s*(?:(?P<word>(?:and|or|not|in|true|false|null)\b)
      |steps\.(?P<step>[a-z][a-z0-9_-]{0,62})
      |\$\{(?P<parameter>[A-Za-z_][A-Za-z0-9_]{0,63})\}
      |(?P<number>-?[0-9]{1,18}(?:\.[0-9]{1,18})?)
      |'(?P<single>[^'\\]*)'|"(?P<double>[^"\\]*)"
      |(?P<sign>==|!=|<=|>=|<|>|\(|\)|,))""",
    re.VERBOSE,
)
_COMPARISONS: dict[str, Callable[[object, object], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,  # type: ignore[operator]
    "<=": lambda left, right: left <= right,  # type: ignore[operator]
    ">": lambda left, right: left > right,  # type: ignore[operator]
    ">=": lambda left, right: left >= right,  # type: ignore[operator]
}
_EQUALITY = frozenset({"==", "!="})


class NoCondition(ValueError):
    """The text is no condition; the message is the rule that it breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a condition is about: parameters' values, and states of steps, COMPLETED where none is named."""

    values: Mapping[str, object]
    states: Mapping[str, str] = field(default_factory=dict)


type Answer = Callable[[Facts], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition that has been read: the steps whose states it asks for, and what answers it."""

    steps: frozenset[str]
    holds: Answer


def read_condition(text: str, parameter_types: Mapping[str, str]) -> Condition:
    """Read a condition against the parameters that there are; NoCondition with the rule that it breaks."""
    reader = _Reader(tokens=list(_tokens(text)), parameter_types=parameter_types)
    answer = reader.alternatives(0)
    if reader.next:
        raise NoCondition(f"has {reader.next.text!r} where it should end")
    return Condition(steps=frozenset(reader.steps), holds=answer)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> Iterator[_Token]:
    place, text = 0, text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise NoCondition(
                f"has {text[place:].strip()[:20]!r} where a parameter (${{name}}), a step's state "
                "(steps.id), a value or a sign is expected"
            )
        place = found.end()
        (kind,) = [name for name, value in found.groupdict().items() if value is not None]
        yield _Token(kind, found[kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operand:
    kind: str
    of: Callable[[Facts], object]
    literal: object = None
    is_literal: bool = False


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads tokens from left to right; each method takes what it is named after."""

    tokens: list[_Token]
    parameter_types: Mapping[str, str]
    steps: set[str] = field(default_factory=set)
    place: int = 0

    @property
    def next(self) -> _Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def alternatives(self, depth: int) -> Answer:
        parts = [self._conjunction(depth)]
        while self._takes("or"):
            parts.append(self._conjunction(depth))
        return lambda facts: any(part(facts) for part in parts)

    def _conjunction(self, depth: int) -> Answer:
        parts = [self._negation(depth)]
        while self._takes("and"):
            parts.append(self._negation(depth))
        return lambda facts: all(part(facts) for part in parts)

    def _negation(self, depth: int) -> Answer:
        if depth > MAX_DEPTH:
            raise NoCondition(f"is nested more than {MAX_DEPTH} deep")
        if self._takes("not"):
            inner = self._negation(depth + 1)
            return lambda facts: not inner(facts)
        if self._takes("("):
            inner = self.alternatives(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Answer:
        left = self._operand()
        sign = self.next.text if self.next and self.next.kind in {"sign", "word"} else ""
        if sign == "in":
            self.place += 1
            return self._among(left)
        if sign in _COMPARISONS:
            self.place += 1
            return _compared(left, sign, self._operand())
        if left.kind != "truth":
            raise NoCondition("has a value that nothing is compared with, and that is neither true nor false")
        return lambda facts: left.of(facts) is True

    def _among(self, left: _Operand) -> Answer:
        self._expect("(")
        parts = [_compared(left, "==", self._operand())]
        while self._takes(","):
            parts.append(_compared(left, "==", self._operand()))
        self._expect(")")
        return lambda facts: any(part(facts) for part in parts)

    def _operand(self) -> _Operand:
        token = self.next
        if token is None:
            raise NoCondition("ends where a value is expected")
        self.place += 1
        match token.kind:
            case "parameter":
                return self._parameter(token.text)
            case "step":
                self.steps.add(token.text)
                return _Operand(kind="state", of=lambda facts: facts.states.get(token.text, STATES[0]))
            case "number":
                return _literal("number", float(token.text) if "." in token.text else int(token.text))
            case "single" | "double":
                return _literal("text", token.text)
            case "word" if token.text in _WORDS:
                return _literal(*_WORDS[token.text])
            case _:
                raise NoCondition(f"has {token.text!r} where a value is expected")

    def _parameter(self, name: str) -> _Operand:
        given = self.parameter_types.get(name)
        if given is None:
            raise NoCondition(f"names the parameter {name}, which the file does not declare")
        if given not in KINDS:
            raise NoCondition(f"compares {name}, which is none of {', '.join(KINDS)}, or a secret")
        if given == "NUMERIC":
            return _Operand(kind=KINDS[given], of=lambda facts: _decimal(facts.values.get(name)))
        return _Operand(kind=KINDS[given], of=lambda facts: facts.values.get(name))

    def _takes(self, text: str) -> bool:
        is_next = self.next is not None and self.next.kind in {"sign", "word"} and self.next.text == text
        self.place += is_next
        return is_next

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            found = f"has {self.next.text!r}" if self.next else "ends"
            raise NoCondition(f"{found} where {text!r} is expected")


_WORDS: dict[str, tuple[str, object]] = {
    "true": ("truth", True),
    "false": ("truth", False),
    "null": ("null", None),
}


def _literal(kind: str, value: object) -> _Operand:
    return _Operand(kind=kind, of=lambda _: value, literal=value, is_literal=True)


def _decimal(value: object) -> object:
    """Return a number as it is written: a NUMERIC is a text, and 0.1 is a tenth beside it."""
    return None if value is None else Decimal(str(value))


def _compared(left: _Operand, sign: str, right: _Operand) -> Answer:
    rule = _rule_against(left, sign, right) or _rule_against(right, sign, left)
    if rule:
        raise NoCondition(rule)
    compare, is_equality = _COMPARISONS[sign], sign in _EQUALITY

    def answer(facts: Facts) -> bool:
        one, other = left.of(facts), right.of(facts)
        if isinstance(one, Decimal) or isinstance(other, Decimal):
            one, other = _decimal(one), _decimal(other)
        # As in SQL nothing is less or more than a value that is not there.
        return (is_equality or (one is not None and other is not None)) and compare(one, other)

    return answer


def _rule_against(one: _Operand, sign: str, other: _Operand) -> str:
    kinds = {one.kind, other.kind}
    if one.kind == "state":
        if (
            other.kind != "text"
            or not other.is_literal
            or other.literal not in STATES
            or sign not in _EQUALITY
        ):
            return f"compares a step's state with what it cannot be: == or != and one of {', '.join(STATES)}"
        return ""
    if "null" in kinds or one.kind == "truth":
        is_one_kind = "null" in kinds or kinds == {"truth"}
        return (
            "" if is_one_kind and sign in _EQUALITY else "compares true, false or null by more than == and !="
        )
    if one.kind == "day" and other.is_literal and other.kind == "text":
        return (
            "" if _is_day(str(other.literal)) else "compares a date with what is no day, such as '2026-01-31'"
        )
    if "state" in kinds or {"day", "text"} == kinds:
        return ""
    return "" if len(kinds) == 1 else "compares values of two kinds"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
