"""Tenant IDs: names that are safe as a dataset, a label and a part of a job ID, and hard to confuse."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

RESERVED_FILE = Path(__file__).parent / "reserved.json"
_ALIKE = (("_", ""), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("rn", "m"), ("vv", "w"))
_FORM = re.compile(r"[a-z][a-z0-9_]{2,49}")


def form_fault(tenant_id: str) -> str | None:
    """Return the rule of form that a tenant ID breaks, None where it breaks none.

    Lower case alone: BigQuery tells `Acme` from `acme`, people do not.
    """
    if _FORM.fullmatch(tenant_id):
        return None
    if _FORM.fullmatch(tenant_id.lower()):
        return f"must be in lower case: {tenant_id.lower()}"
    return "must be 3 to 50 lower-case letters, digits and underscores, a letter first"


def reservation_fault(tenant_id: str, central_dataset: str) -> str | None:
    """Return why a well-formed tenant ID is kept from tenants, None where it is not.

    A dataset named like a word of SQL would need backticks wherever the tenant names a table of its own.
    Copies of the central dataset have names that begin like its own, and people look for them there.
    """
    if tenant_id in _reserved()["sql_keywords"]:
        return "is a reserved word of SQL"
    names = {*_reserved()["platform"], central_dataset.lower()}
    prefixes = (*_reserved()["platform_prefixes"], central_dataset.lower())
    if tenant_id in names or tenant_id.startswith(prefixes):
        return "is reserved for the platform"
    if _looks(tenant_id) in map(_looks, names):
        return "looks like a name that is reserved for the platform"
    return None


def looks_taken(tenant_id: str, names: Iterable[str]) -> bool:
    """Tell whether people could take a tenant ID for one of these other names: `acrne` for `acme`."""
    look = _looks(tenant_id)
    return any(_looks(name.lower()) == look for name in names if name != tenant_id)


def _looks(name: str) -> str:
    """Write a name as people read it at a glance: `ten_ant5` is `tenants` to them."""
    for written, read in _ALIKE:
        name = name.replace(written, read)
    return name


@cache
def _reserved() -> Mapping[str, frozenset[str]]:
    lists = json.loads(RESERVED_FILE.read_text(encoding="utf-8"))
    return {kind: frozenset(names) for kind, names in lists.items()}
