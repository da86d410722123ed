"""Sealed values in rows: the column `parameters` holds masks, `run_metadata` what is sealed.

So nobody who shows parameters, a view of the tenant's or the API, has to know that some are secret.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from common.pipelines.pipeline import SealedValue


def sealed_parts(values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what `run_metadata.sealed_parameters` holds of a run's values."""
    return {name: asdict(value) for name, value in values.items() if isinstance(value, SealedValue)}


def with_sealed_parts(values: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Put the sealed values back where their masks are."""
    sealed = metadata.get("sealed_parameters") or {}
    return {**values, **{name: SealedValue(**part) for name, part in sealed.items()}}


def sealed_names(text: str | None) -> frozenset[str]:
    """Read the names out of `run_metadata.sealed_parameters`, as BigQuery writes it."""
    return frozenset(json.loads(text or "null") or ())
