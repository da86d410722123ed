"""Rules of step types that tie several fields together, as no schema can: a `plan.json` names them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from common.pipelines.partitions import PARTITION_FIELDS, partition_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds between `fields`. It is asked where each of them keeps the schema."""

    fields: tuple[str, ...]
    find_broken: Callable[[Mapping[str, Any], Mapping[str, str]], list[tuple[str, str]]]
    """Returns fields and what they break; it gets a config, and the types of the declared parameters."""


RULES: Mapping[str, Rule] = {
    "partition": Rule(
        fields=("target_table", *PARTITION_FIELDS),
        find_broken=lambda config, types: partition_in(config, types)[1],
    ),
}
