"""The schema of a pipeline file in one piece, for editors and any validator of JSON Schema 2020-12.

It says, as far as a schema can, what an upload checks: formats are patterns, the config of a step follows
from its ps_type, values of parameters from their type. What it cannot say is between places of a file: levels
that fit the steps, IDs that are unique, and all of SQL.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from common.pipelines.check_types import check_folders
from common.pipelines.job_templates import IDENTIFIERS
from common.pipelines.schema import FORMATS
from common.pipelines.step_types import read_json, type_folders

DEFINED_BY_PIPELINE = "urn:convergence:pipeline#/$defs/"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_VALUES: Mapping[str, Mapping[str, Any]] = {
    "STRING": {"type": "string"},
    "INT64": {"type": "integer"},
    "FLOAT64": {"type": "number"},
    "NUMERIC": {
        "type": ["number", "string"],
        "pattern": r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?$",
    },
    "BOOL": {"type": "boolean"},
    "DATE": {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "DATETIME": {"type": "string", "pattern": rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt ]{_CLOCK}$"},
    "TIME": {"type": "string", "pattern": f"^{_CLOCK}$"},
    "TIMESTAMP": {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}"},
    "BYTES": {
        "type": "string",
        "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    },
}
_SECRET_TYPES = ["STRING", "INT64", "ARRAY<STRING>", "ARRAY<INT64>"]
# A path of one to three names, in backticks or not; variables stand for project and dataset alone.
_TABLE = (
    r"^`?(?:(?:\$\{project_id\}|[a-z][a-z0-9-]{4,28}[a-z0-9])`?\.`?)?(?:(?:\$\{tenant_id\}|[A-Za-z0-9_]+)`?\.`?)?"
    r"[^`.$*@{}/:;'\"\\ ](?:[^`.$*@{}/:;'\"\\]*[^`.$*@{}/:;'\"\\ ])?`?"
    r"(?:\$(?:[0-9]{4}|[0-9]{6}|[0-9]{8}|[0-9]{10}|\$\{[A-Za-z_][A-Za-z0-9_]*\}))?$"
)


def file_schema(templates: Path) -> dict[str, Any]:
    """Put the schemas of `ps_templates/` together: that of the file, and those of all step types."""
    schema = read_json(templates / "pipeline.schema.json")
    types = {name: read_json(path / "schema.json") for name, path in type_folders(templates).items()}
    for name, body in types.items():
        schema["$defs"][name] = {key: value for key, value in body.items() if key not in {"$schema", "$id"}}
    step = schema["properties"]["steps"]["items"]
    step["properties"]["ps_type"]["enum"] = list(types)
    step["allOf"] = [_where({"ps_type": name}, {"config": {"$ref": f"#/$defs/{name}"}}) for name in types]
    _describe_checks(schema, templates)
    for part in ("schedule", "late"):
        schema["properties"][part]["properties"]["timezone"]["enum"] = sorted(available_timezones())
    _restrict_parameters(schema)
    schema["$defs"]["file_column"] |= {
        "if": {"properties": {"type": {"const": "STRUCT"}}, "required": ["type"]},
        "then": {"required": ["fields"]},
        "else": {"properties": {"fields": False}},
    }
    strict: dict[str, Any] = _with_patterns(schema)
    return strict


def _describe_checks(schema: dict[str, Any], templates: Path) -> None:
    kinds = {name: read_json(path / "schema.json") for name, path in check_folders(templates).items()}
    for name, body in kinds.items():
        own = {key: value for key, value in body.items() if key not in {"$schema", "$id"}}
        schema["$defs"][f"check.{name}"] = own
    check = schema["properties"]["steps"]["items"]["properties"]["checks"]["items"]
    check["properties"]["type"]["enum"] = list(kinds)
    check["allOf"] = [
        {"if": {"properties": {"type": {"const": name}}}, "then": {"$ref": f"#/$defs/check.{name}"}}
        for name in kinds
    ]


def _restrict_parameters(schema: dict[str, Any]) -> None:
    parameters = schema["properties"]["parameters"]
    parameters["propertyNames"] = {**parameters["propertyNames"], "not": {"enum": sorted(IDENTIFIERS)}}
    parameters["properties"] = {
        "date": {"$ref": "#/$defs/parameter", "properties": {"type": {"const": "DATE"}}}
    }
    schema["$defs"]["parameter"] = parameters["additionalProperties"] | {
        "allOf": [
            *(_of_type(name, value) for name, value in _VALUES.items()),
            *(_of_type(f"ARRAY<{name}>", value, is_array=True) for name, value in _VALUES.items()),
            {
                "if": {"properties": {"secret": {"const": True}}, "required": ["secret"]},
                "then": {"properties": {"type": {"enum": _SECRET_TYPES}, "default": False, "allowed": False}},
            },
            {
                "if": {"properties": {"required": {"const": True}}, "required": ["required"]},
                "then": {"properties": {"default": False}},
            },
        ]
    }
    parameters["additionalProperties"] = {"$ref": "#/$defs/parameter"}
    fires = {"properties": {"enabled": {"not": {"const": False}}}}
    given = {"properties": {"required": {"const": False}}}
    schema["allOf"] = [
        {
            "if": {"properties": {"schedule": fires}, "required": ["schedule"]},
            "then": {"properties": {"parameters": {"additionalProperties": given}}},
        }
    ]


def _of_type(name: str, value: Mapping[str, Any], *, is_array: bool = False) -> dict[str, Any]:
    """Say what the default of a parameter is, and its allowed values."""
    default = {"type": "array", "items": value} if is_array else value
    return _where({"type": name}, {"default": default, "allowed": {"items": value}})


def _where(given: Mapping[str, str], then: Mapping[str, Any]) -> dict[str, Any]:
    """Say what holds where members have certain values."""
    constant = {name: {"const": value} for name, value in given.items()}
    return {"if": {"properties": constant, "required": list(given)}, "then": {"properties": dict(then)}}


def _with_patterns(part: Any) -> Any:
    """Write patterns for formats, which no other validator knows, and references within the file."""
    if isinstance(part, list):
        return [_with_patterns(item) for item in part]
    if not isinstance(part, dict):
        return part
    written = {key: _with_patterns(value) for key, value in part.items() if key not in {"format", "examples"}}
    if "examples" in part:
        written["examples"] = part["examples"]
    if isinstance(part.get("format"), str) and (pattern := _patterns().get(part["format"])):
        written["pattern"] = pattern
    elif isinstance(part.get("format"), dict):  # A member of that name.
        written["format"] = _with_patterns(part["format"])
    if str(part.get("$ref", "")).startswith(DEFINED_BY_PIPELINE):
        written["$ref"] = f"#/$defs/{part['$ref'].removeprefix(DEFINED_BY_PIPELINE)}"
    return written


def _patterns() -> dict[str, str]:
    known = {name: f"^(?:{pattern.pattern})$" for name, (pattern, _) in FORMATS.items()}
    return known | {"table": _TABLE, "cron": _cron_pattern()}


def _cron_pattern() -> str:
    """Write what a field of an expression can be; whether it ever comes, no pattern tells."""
    months = _caseless("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
    days = _caseless("SUN MON TUE WED THU FRI SAT")
    fields = (
        _field(r"[0-5]?[0-9]"),
        _field(r"(?:[01]?[0-9]|2[0-3])"),
        _field(r"(?:0?[1-9]|[12][0-9]|3[01]|[Ll][Ww]?)"),
        _field(rf"(?:0?[1-9]|1[0-2]|{months})"),
        _field(rf"(?:[0-7]|{days})(?:[Ll]|#[1-5])?"),
    )
    nicknames = _caseless("hourly daily midnight weekly monthly yearly annually")
    blanks = r"[ \t]"
    return f"^{blanks}*(?:@(?:{nicknames})|{f'{blanks}+'.join(fields)}){blanks}*$"


def _field(value: str) -> str:
    item = rf"(?:\*|{value}(?:-{value})?)(?:/0*[1-9][0-9]*)?"
    return f"{item}(?:,{item})*"


def _caseless(words: str) -> str:
    return "|".join(
        re.sub("[A-Za-z]", lambda m: f"[{m[0].upper()}{m[0].lower()}]", word) for word in words.split()
    )
