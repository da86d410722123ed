"""Cut a list into pages."""

from collections.abc import Iterable

from local.pubsub.refusals import invalid

MAX_PAGE_SIZE = 1_000


def page_of(names: Iterable[str], *, size: int, token: str) -> tuple[list[str], str]:
    """Return up to `size` names (0: as many as fit) after `token`, and the next page's token or ""."""
    if size < 0:
        raise invalid(f"page_size is not negative: {size}")
    rest = sorted(name for name in names if name > token)
    page = rest[: min(size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)]
    return page, page[-1] if len(page) < len(rest) else ""
