"""Lists of cases that several tests read: each file is read once a process, by YAML's fast loader."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def cases_in(path: Path) -> Any:
    """Read a file of cases, which nobody changes."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
