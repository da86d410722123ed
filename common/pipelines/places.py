"""Where in an uploaded file a violation is: its line and column, and the step that it belongs to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from common.errors import Violation
from common.json_pointers import pointer
from common.pipelines.yaml_documents import Document

type Path = tuple[str | int, ...]
type Place = tuple[int, int]
"""The line and the column of a value, or of its key where it has one, from 1."""


def located(violations: Iterable[Violation], document: Document, text: str) -> list[Violation]:
    """Add to each violation its place in the file, and the ID of its step, where they can be told."""
    told = list(violations)
    places = _places(text) if any(violation.line is None for violation in told) else {}
    return [
        _placed(replace(violation, step=_step_of(violation.pointer, document)), places) for violation in told
    ]


def _placed(violation: Violation, places: Mapping[str, Place]) -> Violation:
    """Add the place of what a pointer means, or of what is around it; who knows it better has added it."""
    if violation.line is not None:
        return violation
    known = violation.pointer
    while known and known not in places:
        known = known.rpartition("/")[0]
    line, column = places.get(known, (None, None))
    return replace(violation, line=line, column=column)


def _step_of(place: str, document: Document) -> str:
    steps: Any = document.get("steps")
    section, number = (*place.split("/"), "", "")[1:3]
    if section != "steps" or not number.isdecimal() or not isinstance(steps, list):
        return ""
    step = steps[int(number)] if int(number) < len(steps) else None
    step_id = step.get("id") if isinstance(step, dict) else None
    return step_id if isinstance(step_id, str) else ""


def _places(text: str) -> dict[str, Place]:
    is_json = text.lstrip().startswith("{")
    try:
        # JSON may be indented with tabs, YAML may not; none is in a text of JSON.
        root = yaml.compose(text.replace("\t", " ") if is_json else text, Loader=yaml.SafeLoader)
        return {pointer(path): place for path, place in _walk(root, ())}
    except yaml.YAMLError:
        return {}


def _walk(node: yaml.Node | None, path: Path) -> Iterator[tuple[Path, Place]]:
    """List what a node holds; documents that were read are not deep."""
    match node:
        case yaml.MappingNode(value=pairs):
            for key, value in pairs:
                inner = (*path, str(key.value))
                yield inner, _place(key)
                yield from _walk(value, inner)
        case yaml.SequenceNode(value=items):
            for index, item in enumerate(items):
                yield (*path, index), _place(item)
                yield from _walk(item, (*path, index))


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1
