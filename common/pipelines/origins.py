"""Where texts stand in their file: each line and column of the SQL that is made of one, as an editor counts.

YAML folds lines, takes indents and quotes off, and variables are put in. What stays through all of it is the
order of what is no blank: the n-th such character of a text is the n-th of how it is written.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

type Places = tuple[tuple[int, ...], ...]
"""Line and column in the SQL, and the line and column in the file to which these have gone on; from 1.

Each holds until the next: in its own line and in those that follow, as far to the right.
"""

_BLANKS = frozenset(" \t\r\n")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_PAIR = re.compile(r"(?:\\u[dD][89abAB][0-9a-fA-F]{2})(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})")
"""One character beyond U+FFFF, as JSON escapes it."""
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPED_BLANKS = frozenset("tnr \r\n\t")
_TAB = 8
"""BigQuery counts a tab as far as the next column behind a multiple of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How a text is written in its file, and where that begins; `style` is the mark of its kind of scalar."""

    written: str
    line: int
    column: int
    style: str | None


class Text(str):
    """A text of a file, which knows where it comes from."""

    __slots__ = ("origin",)
    origin: Origin

    @classmethod
    def of(cls, value: str, origin: Origin) -> Self:
        """Make a text that comes from there."""
        text = cls(value)
        text.origin = origin
        return text


def with_json_origins(value: Any, written: str) -> Any:
    """Let each text of a JSON document that is no single word know where it stands; `value` is not deep."""
    strings = _JSON_STRING.finditer(written)
    line, line_start, reached = 1, 0, 0

    def known(item: Any) -> Any:
        nonlocal line, line_start, reached
        if isinstance(item, dict):
            return {known(key): known(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [known(inner) for inner in item]
        if not isinstance(item, str):
            return item
        found = next(strings)
        line += written.count("\n", reached, found.start())
        line_start = max(line_start, written.rfind("\n", reached, found.start()) + 1)
        reached = found.start()
        if not any(blank in item for blank in " \n"):
            return item
        column = found.start() - line_start + 1
        return Text.of(item, Origin(written=found.group(), line=line, column=column, style='"'))

    return known(value)


def places_of(text: str, pieces: Iterable[tuple[str, str]]) -> Places:
    """Say where SQL stands in the file; `pieces` are a text's, in order, each with what has become of it.

    Nothing is said of a text whose origin is not known.
    """
    marks = _marks(text)
    if not marks:
        return ()
    places: list[tuple[int, ...]] = []
    seen, line, column = 0, 1, 1
    for written, rendered in pieces:
        is_same = written == rendered
        if not is_same and seen < len(marks):
            _add(places, (line, column, *marks[seen]))
            seen += sum(character not in _BLANKS for character in written)
        for character in rendered:
            if is_same and character not in _BLANKS and seen < len(marks):
                _add(places, (line, column, *marks[seen]))
                seen += 1
            line, column = (line + 1, 1) if character == "\n" else (line, column + 1)
    return tuple(places)


def told_in_file(places: Places, sql: str, line: int, column: int) -> tuple[int, int] | None:
    """Return where a line and column that BigQuery tells of SQL are in the file, None where nobody knows."""
    text = sql.split("\n")[line - 1 : line]
    return in_file(places, line, _characters(text[0], column)) if text else None


def in_file(places: Places, line: int, column: int) -> tuple[int, int] | None:
    """Return where a line and column of SQL are in the file, None where nobody knows."""
    if not places or line < 1:
        return None
    before = [place for place in places if (place[0], place[1]) <= (line, column)]
    sql_line, sql_column, file_line, file_column = before[-1] if before else places[0]
    return max(file_line + line - sql_line, 1), max(file_column + column - sql_column, 1)


def _add(places: list[tuple[int, ...]], place: tuple[int, ...]) -> None:
    """Add a place that does not follow from the one before it."""
    if places:
        line, column, file_line, file_column = places[-1]
        if place[0] - line == place[2] - file_line and place[1] - column == place[3] - file_column:
            return
        if place[:2] == (line, column):
            return
    places.append(place)


def _characters(line: str, column: int) -> int:
    """Return which character of a line is at a column that counts tabs as wide."""
    reached = 1
    for number, character in enumerate(line, start=1):
        if reached >= column:
            return number
        reached += _TAB - (reached - 1) % _TAB if character == "\t" else 1
    return len(line) + 1


def _marks(text: str) -> Sequence[tuple[int, int]]:
    """Return the line and column in the file of each character but blanks; none where that is unclear."""
    if not isinstance(text, Text):
        return ()
    kept = [character for character in text if character not in _BLANKS]
    written = list(_written(text.origin))
    if [character for character, _ in written[: len(kept)]] != kept:
        return ()
    return [place for _, place in written[: len(kept)]]


def _written(origin: Origin) -> Iterator[tuple[str, tuple[int, int]]]:
    """List what a scalar holds beside blanks, with escapes read, and where each of it is."""
    if origin.style not in {"'", '"'}:
        yield from _written_as_it_is(origin)
        return
    text, line, column, index = origin.written, origin.line, origin.column + 1, 1
    while index < len(text):
        character, length = _read(text, index, origin.style)
        if character and character not in _BLANKS:
            yield character, (line, column)
        passed = text[index : index + length]
        breaks = passed.count("\n")
        line += breaks
        column = length - passed.rfind("\n") if breaks else column + length
        index += length


def _written_as_it_is(origin: Origin) -> Iterator[tuple[str, tuple[int, int]]]:
    """List the same of a scalar without quotes; what stands behind the mark of a block is none of it."""
    text, line = origin.written, origin.line
    begin = text.find("\n") if origin.style in {"|", ">"} else 0
    column = origin.column + begin
    for character in text[begin:] if begin >= 0 else "":
        if character == "\n":
            line, column = line + 1, 1
            continue
        if character not in _BLANKS:
            yield character, (line, column)
        column += 1


def _read(text: str, index: int, style: str | None) -> tuple[str, int]:
    """Read one character of a scalar, and say how many it is written with."""
    if style == "'" and text.startswith("''", index):
        return "'", 2
    if style == '"' and (pair := _PAIR.match(text, index)):
        return json.loads(f'"{pair.group()}"'), len(pair.group())
    if style == '"' and (escape := _ESCAPE.match(text, index)):
        *codes, sign = escape.groups()
        code = next(filter(None, codes), None)
        character = chr(int(code, 16)) if code else "" if sign in _ESCAPED_BLANKS else sign
        return character, len(escape.group())
    return text[index], 1
