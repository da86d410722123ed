"""What was found in files: for people, for programs, and as annotations of a pull request."""

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cli.words import plain
from common.errors import Violation

if TYPE_CHECKING:  # Brings the grammar of SQL, which only `validate` needs.
    from cli.checking import Checked


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def report(checked: "Sequence[Checked]", form: Format) -> str:
    """Write what was found, every rule of every file."""
    match form:
        case Format.JSON:
            return json.dumps(_document(checked), indent=2)
        case Format.GITHUB:
            return "\n".join(line for one in checked for line in _annotations(one))
        case Format.TEXT:
            return "\n".join([*(line for one in checked for line in _lines(one)), _summary(checked)])


def _lines(one: "Checked") -> Iterator[str]:
    for word, violations in (("error", one.broken), ("warning", one.warnings)):
        for violation in violations:
            place = ":".join(str(part) for part in (one.file.path, violation.line, violation.column) if part)
            step = f"step {violation.step}, " if violation.step else ""
            yield plain(f"{place}: {word}: {step}{violation.pointer or '/'}: {violation.rule}")
    if not one.broken:
        levels = " then ".join(" and ".join(level) for level in one.levels)
        yield plain(f"{one.file.path}: {one.file.config_id}: {levels}")


def _summary(checked: "Sequence[Checked]") -> str:
    faulty = sum(bool(one.broken) for one in checked)
    violations = sum(len(one.broken) for one in checked)
    warnings = sum(len(one.warnings) for one in checked)
    told = f"{len(checked)} files, {faulty} with errors: {violations} errors, {warnings} warnings"
    return told.replace("1 files", "1 file") if len(checked) == 1 else told


def _document(checked: "Sequence[Checked]") -> dict[str, Any]:
    files = [
        {
            "file": str(one.file.path),
            "config_id": one.file.config_id,
            "ok": not one.broken,
            "levels": [list(level) for level in one.levels],
            "errors": [_member(violation) for violation in one.broken],
            "warnings": [_member(violation) for violation in one.warnings],
        }
        for one in checked
    ]
    return {"ok": not any(one.broken for one in checked), "files": files}


def _member(violation: Violation) -> dict[str, Any]:
    place = {"step": violation.step or None, "line": violation.line, "column": violation.column}
    return {"pointer": violation.pointer, **place, "rule": violation.rule}


def _annotations(one: "Checked") -> Iterator[str]:
    """Write workflow commands; https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    for word, violations in (("error", one.broken), ("warning", one.warnings)):
        for violation in violations:
            places: dict[str, object] = {"file": one.file.path, "line": violation.line or 1}
            places |= {"col": violation.column} if violation.column else {}
            places["title"] = violation.pointer or one.file.config_id
            properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items())
            yield f"::{word} {properties}::{_data(violation.rule)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
