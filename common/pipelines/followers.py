"""Pipelines that run after others, `after: [other]`, and circles of them, in which none is ever the last."""

from collections.abc import Mapping, Sequence

from common.errors import ConvergenceError, Violation
from common.pipelines.documents import read_document
from common.pipelines.yaml_documents import Document


def after_of(document: Document) -> tuple[str, ...]:
    """Return the configs after which a file says that it runs."""
    named = document.get("after")
    return tuple(str(name) for name in named) if isinstance(named, list) else ()


def after_in(text: str) -> tuple[str, ...]:
    """Return the same of a kept file's text; none of one that cannot be read any more."""
    if "after" not in text:
        return ()
    try:
        return after_of(read_document(text.encode(), None))
    except ConvergenceError:
        return ()


def circle_through(config_id: str, after: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a way from a config by those that it runs after back to it, none where there is none."""
    came_from: dict[str, str] = {}
    waiting = [config_id]
    while waiting:
        here = waiting.pop()
        for other in after.get(here, ()):
            if other == config_id:
                way = [here]
                while way[-1] != config_id:
                    way.append(came_from[way[-1]])
                return [*reversed(way), config_id]
            if other not in came_from:
                came_from[other] = here
                waiting.append(other)
    return []


def circle_violations(
    config_id: str, named: Sequence[str], others: Mapping[str, Sequence[str]]
) -> list[Violation]:
    """Find which of the configs that a file names would make a circle, with those that are there."""
    found = []
    for index, name in enumerate(named):
        circle = circle_through(config_id, {**others, config_id: [name]})
        if circle:
            rule = f"pipelines would run after each other in a circle: {' → '.join(reversed(circle))}"
            found.append(Violation(f"/after/{index}", rule))
    return found
