"""The root module as data: every .tf file, parsed without Terraform."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "terraform"
_OPTIONS = hcl2.SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)


@cache
def files() -> dict[str, dict[str, Any]]:
    """Parse each file of the module, by name."""
    return {path.name: parse(path) for path in sorted(MODULE.glob("*.tf"))}


def parse(path: Path) -> dict[str, Any]:
    """Parse a file of Terraform's language."""
    with path.open(encoding="utf-8") as file:
        return hcl2.load(file, serialization_options=_OPTIONS)


@cache
def function_defaults() -> dict[str, dict[str, Any]]:
    """Return what each function is deployed with unless a variable says otherwise."""
    defaults: dict[str, dict[str, Any]] = json.loads((MODULE / "functions.json").read_text(encoding="utf-8"))
    return defaults


@cache
def local_values() -> dict[str, Any]:
    """Return all locals: lists and maps as such, what has to be computed as text."""
    blocks = (block for content in files().values() for block in content.get("locals", []))
    return {name: value for block in blocks for name, value in block.items()}


def blocks(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the module's variables or outputs, by name."""
    for content in files().values():
        for block in content.get(kind, []):
            yield from ((name.strip('"'), body) for name, body in block.items())


def resources(type_: str) -> dict[str, dict[str, Any]]:
    """Return the resources of a type, by name."""
    return {name: body for found, name, body in all_resources() if found == type_}


def all_resources() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield type, name and body of each resource."""
    for content in files().values():
        for block in content.get("resource", []):
            for type_, named in block.items():
                yield from ((type_.strip('"'), name.strip('"'), body) for name, body in named.items())


def source() -> str:
    """Return the module's text."""
    return "\n".join(path.read_text() for path in sorted(MODULE.glob("*.tf")))
