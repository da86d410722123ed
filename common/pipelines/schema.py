"""The rules of pipeline files' schemas in plain words, and what a text of each format looks like."""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from jsonschema import FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from common import json_schema
from common.errors import Violation
from common.json_schema import Schema
from common.pipelines.names import COLUMN_RULE, is_column_name

RESERVED_LABELS = ("files", "pipeline", "published_by", "run", "step", "tenant", "trace")

_DAY_OR_TIME = r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d{2}:\d{2}))?"
_COLUMN = r"(?:[A-Za-z_]|[^\x00-\x7F])(?:[A-Za-z0-9_]|[^\x00-\x7F]){0,299}"
_RULES = {
    "id": (
        r"[a-z][a-z0-9_-]{0,62}",
        "must be lower-case letters, digits, _ and -, begin with a letter and have at most 63 characters",
    ),
    "level": (r"level_[1-9][0-9]{0,2}", "must be level_1, level_2 and so on"),
    "name": (
        r"[a-z_][a-z0-9_]{0,63}",
        "must be lower-case letters, digits and _, begin with no digit and have at most 64 characters",
    ),
    "seed": (
        r"[a-z_][a-z0-9_]{0,56}",
        "must be lower-case letters, digits and _, begin with no digit and have at most 57 characters",
    ),
    "column": (_COLUMN, COLUMN_RULE),
    "ordering": (
        rf"{_COLUMN}(?: (?:ASC|DESC))?(?: NULLS (?:FIRST|LAST))?",
        "must be a column, with ASC or DESC and NULLS FIRST or NULLS LAST behind it if need be",
    ),
    "label key": (
        rf"(?!(?:{'|'.join(RESERVED_LABELS)})$)[a-z][a-z0-9_-]{{0,62}}",
        "must be lower-case letters, digits, _ and -, begin with a letter, have at most 63 characters and be "
        f"none of the platform's own: {', '.join(RESERVED_LABELS)}",
    ),
    "label value": (
        r"[a-z0-9_-]{0,63}",
        "must be lower-case letters, digits, _ and -, at most 63 characters",
    ),
    "cron": (
        r"\s*(?:@[A-Za-z]+|\S+(?:\s+\S+){4})\s*",
        "must have five fields (minute, hour, day of the month, month, day of the week) or be a nickname, "
        "such as @daily",
    ),
    "delimiter": (r"[^\r\n]|\\t", "must be one character, or \\t for a tab"),
    "email": (
        r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}",
        "must be an e-mail address, such as data@customer.example",
    ),
    "time of day": (r"(?:[01]\d|2[0-3]):[0-5]\d", 'must be a time of the day in quotes, such as "06:00"'),
    "day or time": (_DAY_OR_TIME, "must be a day, 2026-01-31, or a time with its zone, 2026-01-31T09:30:00Z"),
}
FORMATS = {name: (re.compile(pattern), rule) for name, (pattern, rule) in _RULES.items()}
"""What a text of a format looks like, and the rule in words."""

_ZONE_BEFORE = re.compile(r"\s*(?:CRON_)?TZ=", re.IGNORECASE)
_NOUNS = {**json_schema.NOUNS, "object": "a mapping"}


def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, (pattern, _) in FORMATS.items():
        checker.checks(name)(_matches(pattern, is_of_columns=name in {"column", "ordering"}))
    return checker


def _matches(pattern: re.Pattern[str], *, is_of_columns: bool) -> Callable[[object], bool]:
    def matches(value: object) -> bool:
        if not isinstance(value, str):
            return True
        return pattern.fullmatch(value) is not None and (
            not is_of_columns or is_column_name(value.partition(" ")[0])
        )

    return matches


def validator_for(schema: Schema, *referenced: Schema) -> Validator:
    """Make a validator; `referenced` are the schemas that it names. Tests see that each template's is one."""
    resources = ((str(item["$id"]), item) for item in (schema, *referenced))
    return json_schema.validator_for(schema, _format_checker(), resources)


def schema_violations(
    validator: Validator, instance: object, path: Sequence[str | int] = ()
) -> list[Violation]:
    """List every rule of a schema that an instance breaks; `path` is where the instance stands."""
    return json_schema.violations_of(validator, instance, _WORDING, path)


def _rule(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    size = len(error.instance) if isinstance(error.instance, str | list | dict) else 0
    rules: dict[str, Callable[[], str]] = {
        "type": lambda: _type_rule(wanted, error.instance),
        "enum": lambda: _enum_rule(wanted, error.instance),
        "format": lambda: _format_rule(wanted, error.instance),
        "minimum": lambda: f"must be at least {wanted:,}",
        "maximum": lambda: f"must be at most {wanted:,}",
        "exclusiveMinimum": lambda: f"must be more than {wanted:,}",
        "minLength": lambda: "must not be empty",
        "maxLength": lambda: f"must have at most {wanted:,} characters, it has {size:,}",
        "minItems": lambda: "must not be empty",
        "maxItems": lambda: f"must have at most {wanted:,} items, it has {size:,}",
        "minProperties": lambda: "must not be empty",
        "maxProperties": lambda: f"must have at most {wanted:,} keys, it has {size:,}",
        "uniqueItems": lambda: "must not list anything twice",
        "pattern": lambda: "must have the form that its description says",
    }
    rule = rules.get(str(error.validator))
    return rule() if rule else error.message


_SQL_TYPES = {
    **dict.fromkeys(("INT", "INTEGER", "BIGINT", "SMALLINT"), "INT64"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "FLOAT64"),
    **dict.fromkeys(("TEXT", "VARCHAR"), "STRING"),
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
    "RECORD": "STRUCT",
}
"""What types are called here, by their names in schemas of BigQuery's API and in other SQL."""


def _format_rule(wanted: str, given: object) -> str:
    rule = FORMATS[wanted][1]
    if wanted != "cron" or not isinstance(given, str) or not given.strip():
        return rule
    if _ZONE_BEFORE.match(given):
        return f"{rule}; a time zone stands in `timezone`"
    count = len(given.split())
    return f"{rule}; it has {count}" + (", and seconds and years are none of them" if count > 5 else "")


def _enum_rule(wanted: Sequence[object], given: object) -> str:
    rule = f"must be one of {', '.join(str(item) for item in wanted)}"
    if not isinstance(given, str):
        return rule
    by_word = {item.upper(): item for item in wanted if isinstance(item, str)}
    word = _SQL_TYPES.get(given.upper(), given.upper())
    meant = get_close_matches(word, by_word, n=1)
    return f"{rule}; did you mean {by_word[meant[0]]}?" if meant else rule


def _type_rule(wanted: str | list[str], given: object) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    rule = f"must be {' or '.join(_NOUNS[name] for name in names)}"
    if "string" in names and isinstance(given, bool | int | float):
        return f"{rule}: put it in quotes"
    return rule


_CALLED_ELSEWHERE = {
    "steps": ("tasks", "jobs", "actions", "models", "nodes", "stages"),
    "ps_type": ("type", "kind", "operator", "uses", "task_type"),
    "depends_on": ("needs", "upstream", "dependencies", "dependson", "requires", "upstream_task_ids"),
    "source_query": ("sql", "query", "select", "statement"),
    "target_table": ("table", "destination", "destination_table", "destinationtable", "output_table"),
    "run_if": ("if", "when", "condition", "trigger_rule"),
    "parameters": ("params", "vars", "variables", "inputs"),
    "partitioning": ("partition_by", "partitionby", "time_partitioning"),
    "clustering": ("cluster_by", "clusterby", "clustering_fields"),
    "schedule": ("triggers", "trigger"),
    "cron": ("cron_schedule", "expression", "interval"),
    "timezone": ("tz", "time_zone"),
    "checks": ("tests", "data_tests", "assertions"),
    "notifications": ("alerts", "notify", "listeners"),
    "name": ("title", "dag_id", "alias"),
}
_MEANT = {word: ours for ours, words in _CALLED_ELSEWHERE.items() for word in words}
"""What other tools call what has a key here."""


def _unknown_key(key: str, known: Sequence[str]) -> str:
    if key == "<<":
        return "is the merge key of YAML, which is not taken: write the keys out"
    elsewhere = _MEANT.get(key.lower(), "")
    close = [elsewhere] if elsewhere in known else get_close_matches(key, known, n=1)
    return (
        f"is no key here; did you mean {close[0]}?"
        if close
        else f"is no key here; known are {', '.join(known)}"
    )


_WORDING = json_schema.Wording(
    rule=_rule, unknown_key=_unknown_key, wrong_key=lambda error: f"the name {_rule(error)}"
)
