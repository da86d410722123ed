"""Values for a pipeline's parameters, read from words by the types that its file declares."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.exits import Exit
from cli.failures import CommandError
from cli.given_files import read_bytes
from common import strict_json
from common.client import Client

_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?")
NUMBERS = frozenset({"INT64", "FLOAT64"})
TRUE_AND_FALSE = {"true": True, "false": False}


def given_parameters(
    client: Client, config_id: str, words: Sequence[str], file: Path | None
) -> dict[str, Any]:
    """Read `name=value` words, and a JSON file for values that no command line should show."""
    pairs = _pairs(words)
    values = _from_file(file) if file else {}
    if not pairs:
        return values
    types = _declared_types(client, config_id)
    return values | {name: _value(name, text, types.get(name, "STRING")) for name, text in pairs.items()}


def _pairs(words: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for name, text in map(_pair, words):
        if name in pairs:
            raise CommandError(f"--param {name}: is given twice", code=Exit.USAGE)
        pairs[name] = text
    return pairs


def _pair(word: str) -> tuple[str, str]:
    name, separator, text = word.partition("=")
    if not separator or not name:
        raise CommandError(f"--param {name}: write name=value", code=Exit.USAGE)
    return name, text


def _from_file(file: Path) -> dict[str, Any]:
    try:
        values = strict_json.parse(read_bytes(file).decode())
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read as JSON", code=Exit.USAGE) from error
    if not isinstance(values, dict):
        raise CommandError(f"{file} holds no JSON object", code=Exit.USAGE)
    return values


def _declared_types(client: Client, config_id: str) -> Mapping[str, str]:
    return {one["name"]: one["type"] for one in client.configs.read(config_id)["parameters"]}


def _value(name: str, text: str, kind: str) -> Any:
    try:
        if kind.startswith("ARRAY<"):
            inner = kind.removeprefix("ARRAY<").removesuffix(">")
            listed = strict_json.parse(text) if text.startswith("[") else text.split(",") if text else []
            return [_value(name, one, inner) if isinstance(one, str) else one for one in listed]
        if kind in NUMBERS:
            return _number(text, kind)
        return TRUE_AND_FALSE[text.lower()] if kind == "BOOL" else text
    except (ValueError, KeyError) as error:
        raise CommandError(f"--param {name}: {kind} is not written so", code=Exit.USAGE) from error


def _number(text: str, kind: str) -> int | float:
    """Read a number as JSON can have it: Python would also take nan, 1_000 and digits of other scripts."""
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(text)
    return int(text) if kind == "INT64" else float(text)
