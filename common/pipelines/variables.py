"""Variables in tenant SQL: `${name}`.

The platform's identifiers, `${tenant_id}` and `${project_id}`, are put in as text, once checked.
A declared parameter becomes `@name`, and BigQuery binds its value: no value is ever pasted into SQL.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from common.pipelines.tokens import Kind, Token, tokens

_VARIABLE = re.compile(r"\$\{([^{}\n]{0,100})\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_PATH = re.compile(r"(?:`[^`]+`|[^`.]+)(?:\.(?:`[^`]+`|[^`.]+))*")
_WORDS = (Kind.NAME, Kind.NUMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A statement with its variables put in, the parameters that it uses, and the rules that it breaks.

    Where rules are broken, the statement is for judging the rest of it alone.
    """

    sql: str
    parameters: tuple[str, ...]
    reasons: tuple[str, ...]
    pieces: tuple[tuple[str, str], ...] = ()
    """The statement as it was written, token by token, each with what has become of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """What `${name}` can stand for in one pipeline: identifiers with their values, or parameters."""

    identifiers: Mapping[str, str]
    parameters: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, value in self.identifiers.items():
            if not _IDENTIFIER.fullmatch(value):
                raise ValueError(f"{name} is no identifier: {value!r}")

    def with_parameters(self, names: Collection[str]) -> "Variables":
        """Return the variables that know these parameters too."""
        return replace(self, parameters=self.parameters | {*names}) if names else self

    def render(self, sql: str) -> Rendered:
        """Put the variables of a statement in; LexicalViolation where it cannot be told from its strings."""
        rendering = _Rendering(self)
        found = tokens(sql)
        pieces = tuple((token.text, rendering.token(found, index)) for index, token in enumerate(found))
        return Rendered(
            sql="".join(rendered for _, rendered in pieces),
            pieces=pieces,
            parameters=tuple(sorted(rendering.used)),
            reasons=tuple(rendering.told.values()),
        )

    def path(self, text: str) -> tuple[tuple[str, ...], str]:
        """Read a table's path with its identifiers put in; else say the rule that it breaks."""
        unknown = [name for name in _VARIABLE.findall(text) if name not in self.identifiers]
        if unknown:
            known = " and ".join(f"${{{name}}}" for name in self.identifiers)
            return (), f"has ${{{unknown[0]}}}: only {known} can be part of a table's name"
        filled = _VARIABLE.sub(lambda match: self.identifiers[match[1]], text)
        if not _PATH.fullmatch(filled):
            return (), "must be table, ${tenant_id}.table or `project.dataset.table`"
        return tuple(filled.replace("`", "").split(".")), ""

    def why_unknown(self, name: str) -> str:
        """Say that no parameter has this name, and what was meant perhaps."""
        if name in self.identifiers:
            return f"it is no parameter: write ${{{name}}}"
        known = sorted((*self.identifiers, *self.parameters))
        close = get_close_matches(name, known, n=1)
        meant = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        return f"no parameter of this name is declared under /parameters; {meant}"


class _Rendering:
    """One statement on its way."""

    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.used: set[str] = set()
        self.told: dict[tuple[str, str], str] = {}
        """Each rule that is broken, by what breaks it and why, where that is met first."""

    def token(self, found: Sequence[Token], index: int) -> str:
        """Render one token of a statement."""
        token = found[index]
        match token.kind:
            case Kind.VARIABLE:
                neighbours = (*found[max(index - 1, 0) : index], *found[index + 1 : index + 2])
                return self._code(token, is_part=any(near.kind in _WORDS for near in neighbours))
            case Kind.STRING:
                return self._within(
                    token, lambda name: f"write ${{{name}}} without quotes: its value is bound"
                )
            case Kind.QUOTED:
                return self._within(token, lambda _: "a value cannot stand for a name")
            case Kind.PARAMETER:
                self._use(token.text[1:], token)
        return token.text

    def _code(self, token: Token, *, is_part: bool) -> str:
        name = token.text[2:-1]
        if name in self.variables.identifiers:
            identifier = self.variables.identifiers[name]
            return identifier if is_part else f"`{identifier}`"
        if not _NAME.fullmatch(name):
            self._tell("has", token.text, token.place, "a variable is written ${name}")
            return "NULL"
        self._use(name, token)
        return f"@{name}"

    def _use(self, name: str, token: Token) -> None:
        if name in self.variables.parameters:
            self.used.add(name)
        else:
            why = self.variables.why_unknown(name)
            self._tell("uses", token.text, token.place, why)

    def _tell(self, verb: str, what: str, place: str, why: str) -> None:
        self.told.setdefault((what, why), f"{verb} {what} in {place}: {why}")

    def _within(self, token: Token, rule: Callable[[str], str]) -> str:
        """Render a string or a quoted name: identifiers can be part of it, parameters cannot."""

        def put_in(match: re.Match[str]) -> str:
            name = match[1]
            if name in self.variables.identifiers:
                return self.variables.identifiers[name]
            why = rule(name) if name in self.variables.parameters else self.variables.why_unknown(name)
            where = "a string" if token.kind is Kind.STRING else "backticks"
            self._tell("has", f"{match[0]} inside {where}", token.place, why)
            return name

        return _VARIABLE.sub(put_in, token.text)
