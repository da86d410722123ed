"""Sources: what the operator lets a tenant read beside its own dataset."""

import re
from collections.abc import Sequence

from common.errors import Fault, InvalidInput

_FORM = re.compile(
    r"(?P<project>[a-z][a-z0-9-]{4,28}[a-z0-9])"
    r"(?:\.(?P<dataset>[A-Za-z0-9_]{1,1024})(?:\.(?P<table>[A-Za-z0-9_-]{1,1024}))?)?"
)
_RULE = "must be project, project.dataset or project.dataset.table, without backticks and wildcards"


def checked_sources(sources: Sequence[str], *, project: str, central_dataset: str) -> tuple[str, ...]:
    """Return sources, sorted, each once; InvalidInput, with all faults, where one opens the platform."""
    faults = [
        Fault(f"/sources/{index}", rule)
        for index, source in enumerate(sources)
        if (rule := _fault(source, project, central_dataset))
    ]
    if faults:
        raise InvalidInput(faults, "the sources break rules")
    return tuple(sorted(set(sources)))


def _fault(source: str, project: str, central_dataset: str) -> str:
    form = _FORM.fullmatch(source)
    if form is None:
        return _RULE
    if form["project"] != project:
        return ""
    if form["dataset"] is None:
        return "must not be the whole project of the platform, where every tenant is: name a dataset"
    # Copies and backups have names that begin like the central dataset's.
    if form["dataset"].lower().startswith(central_dataset.lower()):
        return "must not be in the central dataset"
    return ""
