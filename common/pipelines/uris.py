"""Names of files in Cloud Storage, as a pipeline's file writes them and as one run has them.

`gs://bucket/orders/${date}/*.csv`: variables and one wildcard stand in the path alone, never in the bucket.
The value of a parameter may be anything, so what comes of it is judged when a step runs (`Policy`).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from common.pipelines.pipeline import BoundParameter

MAX_URIS = 100
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<format>[^{}]*))?\}")
_FORMAT = re.compile(r"(?:%[YmdHMS]|[A-Za-z0-9/=_.-])+")
_TEMPLATE = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]/[^\x00-\x1f]+")
_IN_TIME = ("DATE", "DATETIME", "TIMESTAMP")
_IN_A_NAME = ("STRING", "INT64", *_IN_TIME)

LEFT_OUT = re.compile(r"[*?\[\]#\x00-\x1f]|//|/\Z")
"""What the name of a file may not have: BigQuery would read others, or none."""


def with_identifiers(uri: str, identifiers: Mapping[str, str]) -> str:
    """Put identifiers in their places; parameters stay."""
    return _VARIABLE.sub(lambda found: identifiers.get(found["name"], found[0]), uri)


def uri_rule(uri: str, types: Mapping[str, str], secrets: Iterable[str] = ()) -> str:
    """Say the rule that a URI breaks which has its identifiers, "" for none; `types` are the parameters'."""
    if not _TEMPLATE.fullmatch(uri):
        return "must be gs://bucket/path, with variables and a wildcard (*) in the path alone"
    if uri.count("*") > 1:
        return "has more than one wildcard (*), and BigQuery takes one"
    for found in _VARIABLE.finditer(uri):
        if rule := _variable_rule(found["name"], found["format"], types, secrets):
            return rule
    if "${" in _VARIABLE.sub("", uri):
        return "has a ${ that begins no variable: write ${name}, or ${date:%Y/%m/%d}"
    return ""


def parameters_in(uris: Iterable[str]) -> tuple[str, ...]:
    """Name the parameters that URIs hold."""
    return tuple(sorted({found["name"] for uri in uris for found in _VARIABLE.finditer(uri)}))


def with_values(uri: str, parameters: Mapping[str, BoundParameter]) -> str:
    """Put a run's values in a URI; a variable without one stays, and is refused with it."""
    return _VARIABLE.sub(lambda found: _value(found, parameters), uri)


def judged_example(uri: str) -> str:
    """Return a URI whose variables have some value, to be judged at upload."""
    return _VARIABLE.sub("x", uri)


def prefix_of(uri: str) -> str:
    """Return what all files that a URI stands for begin with."""
    return uri.partition("*")[0]


def matches(uri: str, name: str) -> bool:
    """Tell whether a URI stands for a file: a wildcard is any text, as BigQuery has it, with slashes too."""
    prefix, wildcard, ending = uri.partition("*")
    if not wildcard:
        return uri == name
    fits = len(name) >= len(prefix) + len(ending)
    return fits and name.startswith(prefix) and name.endswith(ending)


def _variable_rule(name: str, form: str | None, types: Mapping[str, str], secrets: Iterable[str]) -> str:
    kind = types.get(name)
    if kind is None:
        return f"has ${{{name}}}, and no parameter of this name is declared under /parameters"
    if name in secrets:
        return f"has ${{{name}}}, which is secret: names of files are shown"
    if kind not in _IN_A_NAME:
        return f"has ${{{name}}} of the type {kind}: a name takes {', '.join(_IN_A_NAME)}"
    if form is None:
        return ""
    if kind not in _IN_TIME:
        return f"has a format for ${{{name}}}, which is no day and no time"
    return "" if _FORMAT.fullmatch(form) else "has a format that is none of %Y, %m, %d, %H, %M and %S"


def _value(found: re.Match[str], parameters: Mapping[str, BoundParameter]) -> str:
    value: Any = parameters[found["name"]].value
    if value is None or value == "":
        return found[0]
    if found["format"] is None:
        return str(value)
    moment = datetime.fromisoformat(str(value).replace("z", "Z"))
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime(found["format"])
