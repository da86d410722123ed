"""Where in an uploaded file a fault is: its line, and the step that it belongs to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from common.errors import Fault
from common.pipelines.pointers import pointer
from common.pipelines.yaml_documents import Document

_LINE_OF_SQL = re.compile(r"\bin line (\d+)\b")

type Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """The line of a value (of its key where it has one), from 1, and whether the value stands behind `|`."""

    line: int
    is_literal: bool


def located(faults: Iterable[Fault], document: Document, text: str) -> list[Fault]:
    """Add to each fault the line of the file, and the ID of its step, where they can be told."""
    told = list(faults)
    places = _places(text) if told else {}
    return [
        replace(fault, step=_step_of(fault.pointer, document), line=_line_of(fault, places)) for fault in told
    ]


def _step_of(place: str, document: Document) -> str:
    steps: Any = document.get("steps")
    section, number = (*place.split("/"), "", "")[1:3]
    if section != "steps" or not number.isdecimal() or not isinstance(steps, list):
        return ""
    step = steps[int(number)] if int(number) < len(steps) else None
    step_id = step.get("id") if isinstance(step, dict) else None
    return step_id if isinstance(step_id, str) else ""


def _line_of(fault: Fault, places: Mapping[str, _Place]) -> int | None:
    """Return the line of what a pointer means, or of what is around it; of SQL behind `|` the line in it."""
    known = fault.pointer
    while known and known not in places:
        known = known.rpartition("/")[0]
    place = places.get(known)
    if place is None:
        return None
    within = _LINE_OF_SQL.search(fault.rule) if place.is_literal and known == fault.pointer else None
    return place.line + int(within[1]) if within else place.line


def _places(text: str) -> dict[str, _Place]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return {pointer(path): place for path, place in _walk(root, ())}
    except yaml.YAMLError:  # JSON that is indented with tabs, for one.
        return {}


def _walk(node: yaml.Node | None, path: Path) -> Iterator[tuple[Path, _Place]]:
    """List what a node holds; documents that were read are not deep."""
    match node:
        case yaml.MappingNode(value=pairs):
            for key, value in pairs:
                inner = (*path, str(key.value))
                yield inner, _Place(key.start_mark.line + 1, getattr(value, "style", None) == "|")
                yield from _walk(value, inner)
        case yaml.SequenceNode(value=items):
            for index, item in enumerate(items):
                yield (*path, index), _Place(item.start_mark.line + 1, is_literal=False)
                yield from _walk(item, (*path, index))
