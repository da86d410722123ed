"""Secret parameters: their values are sealed as soon as a request is read, and shown to nobody.

Whatever carries a run from then on (rows, messages, the queue) carries `SealedValue`s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from common.errors import NotConfigured
from common.logs import MASK
from common.pipelines.pipeline import Parameter, ParameterValue, Pipeline, SealedValue
from common.pipelines.values import ValueViolation, read_value
from common.pipelines.yaml_documents import Value

# An error message shows these in one way, in which they can be found and masked. Dates and floating-point
# numbers have many ways of being written, and what has two values is no secret.
SECRET_TYPES = ("STRING", "INT64", "ARRAY<STRING>", "ARRAY<INT64>")

type GivenValue = Value | SealedValue
"""What a request gives for a parameter: plain JSON, or sealed already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What a value is sealed for: this parameter of this config of this tenant can open it, and no other."""

    tenant_id: str
    config_id: str
    parameter: str


class Unopened(Exception):
    """A sealed value cannot be opened: its key is gone, or it was sealed for another owner, or changed."""


class ParameterSeal(Protocol):
    """What seals values and opens them again."""

    def seal(self, owner: Owner, value: ParameterValue) -> SealedValue:
        """Seal a value; NotConfigured where there is no key."""

    def open(self, owner: Owner, sealed: SealedValue) -> ParameterValue:
        """Open what was sealed for this owner; Unopened."""


@dataclass(frozen=True, slots=True)
class NoSeal:
    """The seal of a place that has no key: it takes no secret and opens none."""

    def seal(self, owner: Owner, value: ParameterValue) -> SealedValue:  # noqa: ARG002
        """Refuse: a secret that cannot be sealed is not taken."""
        raise NotConfigured("no key ring is configured: set CREDENTIALS_KEYRING")

    def open(self, owner: Owner, sealed: SealedValue) -> ParameterValue:  # noqa: ARG002
        """Refuse."""
        raise Unopened("there is no key ring here")


def with_secrets_sealed(
    pipeline: Pipeline, given: Mapping[str, GivenValue], seal: ParameterSeal
) -> dict[str, GivenValue]:
    """Seal what is given for secret parameters; NotConfigured where there is no key.

    What is none of its type stays as it is, for `bind_parameters` to refuse.
    """
    sealed: dict[str, GivenValue] = {}
    for parameter in pipeline.parameters:
        value = given.get(parameter.name)
        if parameter.secret and value is not None and not isinstance(value, SealedValue):
            owner = Owner(
                tenant_id=pipeline.tenant_id, config_id=pipeline.config_id, parameter=parameter.name
            )
            sealed |= _sealed(parameter, value, owner, seal)
    return {**given, **sealed}


def shown(values: Mapping[str, GivenValue]) -> dict[str, Value]:
    """Return values as they may be shown: a secret one as a mask."""
    return {name: MASK if isinstance(value, SealedValue) else value for name, value in values.items()}


def _sealed(parameter: Parameter, value: Value, owner: Owner, seal: ParameterSeal) -> dict[str, GivenValue]:
    try:
        read = read_value(parameter.type, value)
    except ValueViolation:
        return {}
    return {parameter.name: seal.seal(owner, read)}
