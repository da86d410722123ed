"""Where callers reach the API: one host for all of its paths, or a URL for each function."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FUNCTION_PATHS = {"/admin": "admin", "/api/v1/tenants": "onboarding", "/api/v1/pipelines": "pipelines"}
"""Path prefixes of the contract, and the functions that have them; gateways share them out the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUrls:
    """URLs without a slash at the end; "" makes links relative."""

    own: str = ""
    """Where this function is reached, or the one host that all are reached at."""
    by_function: Mapping[str, str] = field(default_factory=dict)
    """Where there is no such host: each public function's own URL."""

    def base(self, path: str) -> str:
        """Return what a path of the API goes behind: its function's URL."""
        return self.by_function.get(function_of(path), self.own)

    def link(self, path: str) -> str:
        """Return the whole URL of a path of the API."""
        return self.base(path) + path


def function_of(path: str) -> str:
    """Return the function that has a path; "" for paths that every function has, or none."""
    for prefix, function in FUNCTION_PATHS.items():
        if path == prefix or path.startswith((f"{prefix}/", f"{prefix}?")):
            return function
    return ""
