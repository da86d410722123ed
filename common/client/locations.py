"""Where a path of the API is: behind one host, or at its function's own URL."""

from urllib.parse import urlsplit

FUNCTION_PATHS = {
    "/admin": "admin",
    "/api/v1/tenants": "onboarding",
    "/api/v1/pipelines": "pipelines",
    "/api/v1/quality": "pipelines",
}
ANY_FUNCTION = "pipelines"
"""Has the paths that every function has, such as /health."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def checked_url(url: str) -> str:
    """Return the address of a platform without a slash at its end; ValueError where it is none.

    `{function}` in it stands for the name of the function that has a path.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError("the platform's address is no URL") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the platform's address begins with https:// and has a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the platform's address has no user, query or fragment")
    return url.rstrip("/")


def is_private(url: str) -> bool:
    """Tell whether what is sent there cannot be read on its way."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def located(url: str, target: str) -> str:
    """Return the whole URL of a path of the API."""
    path = target.partition("?")[0]
    function = next(
        (name for root, name in FUNCTION_PATHS.items() if path == root or path.startswith(f"{root}/")),
        ANY_FUNCTION,
    )
    return url.replace("{function}", function) + target
