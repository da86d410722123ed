"""What each function reaches through `common.wiring`, read from the source: what it needs rights for."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WIRING = ROOT / "common" / "wiring"
MODULES = {
    "wiring": "__init__.py",
    "accounts": "accounts.py",
    "cloud": "cloud.py",
    "domain": "domain.py",
    "sealing": "sealing.py",
}


def reached(function: str, *, but_not: str = "") -> frozenset[str]:
    """Return all that a function's entry point can reach: `cloud.levels`, `domain.worker`, `topic:levels`.

    What only `but_not` leads to is left out.
    """
    tree = ast.parse((ROOT / "functions" / function / "main.py").read_text())
    found: set[str] = set()
    waiting = set(_references(tree, "main"))
    while waiting:
        name = waiting.pop()
        found.add(name)
        if name != but_not:
            waiting |= _parts().get(name, frozenset()) - found
    return frozenset(found)


@cache
def _parts() -> dict[str, frozenset[str]]:
    """Map each function of the wiring to what its body refers to."""
    return {
        f"{module}.{node.name}": frozenset(_references(node, module))
        for module, file in MODULES.items()
        for node in ast.parse((WIRING / file).read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


def _references(tree: ast.AST, module: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MODULES:
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name):
            yield f"{module}.{node.id}"
        elif isinstance(node, ast.Attribute) and node.attr.endswith("_topic"):
            yield f"topic:{node.attr.removesuffix('_topic')}"
