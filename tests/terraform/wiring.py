"""What each function reaches through `common.wiring`, read from the source: what it needs rights for."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WIRING = ROOT / "common" / "wiring"
MODULES = ("wiring", "accounts", "adapters", "services", "costs", "notices")
INSTANCES = {"ACCOUNTS": "accounts", "ADAPTERS": "adapters", "SERVICES": "services"}


def reached(function: str, *, but_not: str = "") -> frozenset[str]:
    """Return what a function's entry point can reach: `adapters.levels`, `services.queue`, `topic:levels`.

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
    """Map each function and each property of the wiring to what its body refers to."""
    return {
        f"{module}.{node.name}": frozenset(_references(node, module))
        for module in MODULES
        for node in ast.walk(ast.parse((WIRING / _file_of(module)).read_text()))
        if isinstance(node, ast.FunctionDef)
    }


def _file_of(module: str) -> str:
    return "__init__.py" if module == "wiring" else f"{module}.py"


def _references(tree: ast.AST, module: str) -> Iterator[str]:
    yield from _further_references(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) if name.endswith("_topic"):
                yield f"topic:{name.removesuffix('_topic')}"
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                yield f"{module}.{name}"
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=holder), attr=name):
                yield f"{holder}.{name}"
            case ast.Attribute(value=ast.Name(id=holder), attr=name) if holder in INSTANCES:
                yield f"{INSTANCES[holder]}.{name}"
            case ast.Attribute(value=ast.Name(id="wiring"), attr=name):
                yield f"wiring.{name}"
            case ast.Name(id=name) if module == "wiring":
                yield f"{module}.{name}"


def _further_references(tree: ast.AST) -> Iterator[str]:
    """Find what is reached by way of a part of another, or imported from a module of the wiring."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id=root), attr=holder), attr=name) if (
                root in INSTANCES
            ):
                yield f"{holder}.{name}"
            case ast.ImportFrom(module=str(path), names=names) if path.startswith("common.wiring."):
                yield from (f"{path.rpartition('.')[2]}.{alias.name}" for alias in names)
