"""Where callers reach the API: one host for all of its paths, or a URL for each function."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PATHS: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("function_paths.json").read_text(encoding="utf-8")
)
FUNCTION_PATHS: Mapping[str, str] = {
    prefix: function for function, prefixes in _PATHS["prefixes"].items() for prefix in prefixes
}
"""Path prefixes of the contract, and the functions that have them; both gateways read the same file."""
ROOT: str = _PATHS["root"]
"""The function that has `/` itself, for people who type no path."""
ANY_OTHER: str = _PATHS["any_other"]
"""The function that has the system routes for all, and says of other paths that they are not there."""


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
    if path.partition("?")[0] == "/":
        return ROOT
    for prefix, function in FUNCTION_PATHS.items():
        if path == prefix or path.startswith((f"{prefix}/", f"{prefix}?")):
            return function
    return ""
