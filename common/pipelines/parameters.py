"""Parameters of a pipeline: as a file declares them, and as one run binds them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from itertools import islice

from common.errors import InvalidInput, Violation
from common.json_pointers import escaped, unescaped
from common.pipelines.intervals import BOUND_TYPES, BOUNDS
from common.pipelines.pipeline import BoundParameter, Parameter, ParameterValue, SealedValue
from common.pipelines.secret_values import SECRET_TYPES, GivenValue
from common.pipelines.values import TYPES, ValueViolation, element_type, read_value
from common.pipelines.yaml_documents import Value

RUN_DATE = "date"
FULL_REFRESH = "full_refresh"
"""Whether a run makes the tables of its incremental steps anew: their pipelines have it by themselves."""
IS_FIRST_RUN = "is_first_run"
"""Whether an incremental step makes its table, told to its query alone."""
IDENTIFIERS = ("tenant_id", "project_id")
NO_PARAMETER = "is no parameter of this pipeline"
"""What the rule begins with that a name breaks which nobody has declared."""
MAX_UNKNOWN = 20
"""Names that a refusal looks up and tells of: who gives thousands is told enough."""
MAX_MEANT = 128
"""The longest name, in characters, of which a refusal says what may be meant by it."""


def declare_parameters(declared: Mapping[str, Value]) -> tuple[tuple[Parameter, ...], list[Violation]]:
    """Read the section `parameters` of a file; `date` is there without being declared."""
    violations: list[Violation] = []
    parameters = [
        _declare(name, item, violations) for name, item in declared.items() if isinstance(item, dict)
    ]
    if RUN_DATE not in declared:
        parameters.append(Parameter(name=RUN_DATE, type="DATE", description="The day that the run is for."))
    return tuple(sorted(parameters, key=lambda parameter: parameter.name)), violations


def bind_parameters(
    declared: Sequence[Parameter], given: Mapping[str, GivenValue], run_date: date
) -> tuple[BoundParameter, ...]:
    """Give every declared parameter its value for one run; InvalidInput with all that is wrong.

    `date` is the run's date where neither the caller nor the file says another. Secret values come sealed
    (`with_secrets_sealed`): one that is not is refused.
    """
    by_name = {parameter.name: parameter for parameter in declared}
    unknown = (name for name in given if name not in by_name)
    violations = [
        Violation(f"/{escaped(name)}", _unknown(name, by_name)) for name in islice(unknown, MAX_UNKNOWN)
    ]
    bound = [
        BoundParameter(name=name, type=parameter.type, value=_bind(parameter, given, run_date, violations))
        for name, parameter in sorted(by_name.items())
    ]
    if violations:
        raise InvalidInput(violations, "the run's parameters break rules")
    return tuple(bound)


@contextmanager
def told_as_given(is_below: Callable[[str], bool] = lambda _: True) -> Iterator[None]:
    """Name the places of wrong parameters as a request has them: below `parameters` what stands there."""
    try:
        yield
    except InvalidInput as error:
        told = [
            replace(one, pointer=f"/parameters{one.pointer}") if _names_one(one.pointer, is_below) else one
            for one in error.violations
        ]
        raise InvalidInput(told, error.summary) from None


def _names_one(pointer: str, is_below: Callable[[str], bool]) -> bool:
    return pointer.count("/") == 1 and is_below(unescaped(pointer[1:]))


def run_date_of(parameters: Sequence[BoundParameter], today: date) -> date:
    """Return the day that a run is for: its parameter `date`."""
    values = {parameter.name: parameter.value for parameter in parameters}
    value = values.get(RUN_DATE)
    return date.fromisoformat(value) if isinstance(value, str) else today


def _declare(name: str, item: Mapping[str, Value], violations: list[Violation]) -> Parameter:
    pointer = f"/parameters/{escaped(name)}"
    type_name = str(item.get("type"))
    is_required = item.get("required") is True
    if name in IDENTIFIERS:
        violations.append(Violation(pointer, f"is the platform's own name: ${{{name}}} needs no declaration"))
    if name == RUN_DATE and type_name != "DATE":
        violations.append(Violation(f"{pointer}/type", "must be DATE: it is the day that the run is for"))
    if name in BOUNDS and (type_name not in BOUND_TYPES or item.get("secret") is True):
        types = ", ".join(BOUND_TYPES[:-1]) + f" or {BOUND_TYPES[-1]}"
        violations.append(
            Violation(f"{pointer}/type", f"must be {types}, and not secret: every run gets its interval")
        )
    if is_required and item.get("default") is not None:
        violations.append(
            Violation(f"{pointer}/required", "contradicts the default: what has one is not required")
        )
    if type_name not in TYPES:
        return Parameter(name=name, type="STRING")  # The schema has told it already.
    if item.get("secret") is True:
        violations += _secret_violations(name, type_name, item, pointer)
    allowed = _allowed(type_name, item.get("allowed"), f"{pointer}/allowed", violations)
    default = _read(type_name, item.get("default"), allowed, f"{pointer}/default", violations)
    return Parameter(
        name=name,
        type=type_name,
        description=str(item.get("description") or ""),
        required=is_required,
        secret=item.get("secret") is True,
        default=default if item.get("default") is not None else None,
        allowed=allowed,
    )


def _secret_violations(name: str, type_name: str, item: Mapping[str, Value], pointer: str) -> list[Violation]:
    violations = [
        Violation(f"{pointer}/{key}", f"stands in the file for all to read: a secret parameter has no {key}")
        for key in ("default", "allowed")
        if key in item
    ]
    if name == RUN_DATE:
        violations.append(
            Violation(f"{pointer}/secret", "must not be true: the day that the run is for is shown")
        )
    elif type_name not in SECRET_TYPES:
        listed = ", ".join(SECRET_TYPES)
        violations.append(Violation(f"{pointer}/type", f"must be one of {listed} for a secret parameter"))
    return violations


def _allowed(
    type_name: str, values: Value, pointer: str, violations: list[Violation]
) -> tuple[ParameterValue, ...]:
    """Read the allowed values; those of an array are allowed for each of its elements."""
    scalar = element_type(type_name) or type_name
    items = values if isinstance(values, list) else []
    return tuple(
        _read(scalar, item, (), f"{pointer}/{index}", violations) for index, item in enumerate(items)
    )


def _bind(
    parameter: Parameter, given: Mapping[str, GivenValue], run_date: date, violations: list[Violation]
) -> ParameterValue | SealedValue:
    name, is_run_date = parameter.name, parameter.name == RUN_DATE
    value = given.get(name)
    if isinstance(value, SealedValue) or (parameter.secret and value is not None):
        return _sealed(parameter, value, violations)
    if name == FULL_REFRESH and value is True and parameter.allowed == (False,):
        violations.append(Violation(f"/{name}", "must be false: a step of the pipeline is protected"))
        return False
    if value is not None:
        return _read(parameter.type, value, parameter.allowed, f"/{escaped(name)}", violations)
    if name in given and (parameter.required or is_run_date):
        violations.append(Violation(f"/{escaped(name)}", "must not be null"))
    elif name not in given and parameter.required:
        violations.append(Violation(f"/{escaped(name)}", f"is required ({parameter.type})"))
    elif name not in given and parameter.default is not None:
        return parameter.default
    return run_date.isoformat() if is_run_date else read_value(parameter.type, None)


def _sealed(parameter: Parameter, value: GivenValue, violations: list[Violation]) -> SealedValue | None:
    """Take a sealed value for a secret parameter; what is not sealed is told what it should have been."""
    pointer = f"/{escaped(parameter.name)}"
    if isinstance(value, SealedValue):
        if not parameter.secret:
            violations.append(Violation(pointer, "is not secret any more: give it again"))
        return value
    told = len(violations)
    _read(parameter.type, value, (), pointer, violations)
    if len(violations) == told:
        violations.append(Violation(pointer, "is secret, and was not sealed"))
    return None


def _read(
    type_name: str,
    value: Value,
    allowed: Sequence[ParameterValue],
    pointer: str,
    violations: list[Violation],
) -> ParameterValue:
    """Read one value; a violation where it is none of its type, or none of those allowed."""
    try:
        read = read_value(type_name, value)
    except ValueViolation as violation:
        violations.append(Violation(pointer, str(violation)))
        return None
    items = read if isinstance(read, list) else [read]
    if allowed and read is not None and not all(item in allowed for item in items):
        violations.append(Violation(pointer, f"must be one of {', '.join(str(item) for item in allowed)}"))
    return read


def _unknown(name: str, declared: Mapping[str, Parameter]) -> str:
    by_name = {one.lower(): one for one in declared}
    close = get_close_matches(name.lower(), by_name, n=1) if len(name) <= MAX_MEANT else []
    meant = f"did you mean {by_name[close[0]]}?" if close else f"it has {', '.join(sorted(declared))}"
    return f"{NO_PARAMETER}; {meant}"
