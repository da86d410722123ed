"""Lists that come page by page, read as one."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def walk(read: Callable[[str | None], Mapping[str, Any]], items: str, cursor: str) -> Iterator[Any]:
    """Yield the items of all pages; `read` takes the cursor that the page before gave, None at first.

    A page that gives the cursor again by which it was asked for is the last one: no list is endless.
    """
    at: str | None = None
    while True:
        page = read(at)
        yield from page[items]
        if not page[cursor] or page[cursor] == at:
            return
        at = page[cursor]
