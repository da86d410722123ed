"""What an instance of each function loads before it can answer: modules, counted by where they come from.

Run by itself it writes the budget anew: `python -m tests.bench.cold_start`.
"""

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

from tests.functional.environment import ADMIN_KEY, KEYRING, PROJECT

ROOT = Path(__file__).parents[2]
BUDGET = Path(__file__).with_name("cold_start.json")
HEADROOM = 1.1
"""How far a budget is above what was counted: a lock that changes by little breaks none."""
PARTS: dict[str, tuple[str, ...]] = {
    "admin": ("admin_services", "system_edge"),
    "console": ("console",),
    "dispatcher": ("dispatcher",),
    "notify": ("notices.notifier", "dead_letters"),
    "onboarding": ("tenant_services", "system_edge"),
    "pipelines": ("pipeline_services", "system_edge"),
    "run_level": ("level_receiver", "dead_letters"),
    "run_request": ("run_request_receiver", "dead_letters"),
}
"""What each function's `main.py` asks the wiring for."""
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==", re.MULTILINE)
GOOGLES = "google-cloud-"
STANDARD = "Python"
OWN = frozenset({"tests", "__main__"})
"""What counts, and is no part of an instance."""
NOWHERE = "http://127.0.0.1:9"
ENVIRONMENT = {
    "GCP_PROJECT_ID": PROJECT,
    "ADMIN_API_KEY": ADMIN_KEY,
    "CREDENTIALS_KEYRING": KEYRING,
    "CONSOLE_KEYS": "a-key-of-the-console-that-is-long-enough",
    "API_URL": "http://127.0.0.1:9",
    "BIGQUERY_EMULATOR_HOST": NOWHERE,
    "PUBSUB_EMULATOR_HOST": NOWHERE.removeprefix("http://"),
    "CLOUD_SCHEDULER_EMULATOR_HOST": NOWHERE.removeprefix("http://"),
}


def modules_of(function: str) -> Counter[str]:
    """Count the modules that a new instance of a function has loaded, by package."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.cold_start", function],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **ENVIRONMENT},
        input=json.dumps(_undeployed()),
        check=True,
        capture_output=True,
        text=True,
    )
    return Counter(json.loads(told.stdout.splitlines()[-1]))


@cache
def _undeployed() -> tuple[list[str], list[str]]:
    """Name what is installed beside the functions' lock: top-level packages, and parts of `google.cloud`."""
    lock = (ROOT / "requirements" / "functions.txt").read_text(encoding="utf-8")
    deployed = {_normal(name) for name in LOCKED.findall(lock)}
    others = {
        package
        for package, names in packages_distributions().items()
        if not deployed & {_normal(name) for name in names}
    }
    installed = {_normal(one.metadata["Name"]) for one in distributions()}
    of_google = [
        f"google.cloud.{name.removeprefix(GOOGLES).replace('-', '_')}"
        for name in installed - deployed
        if name.startswith(GOOGLES)
    ]
    return sorted(others - {"common", "tests", *sys.stdlib_module_names}), of_google


@dataclass(frozen=True, slots=True)
class _DeployedAlone:
    """Finds no package that the functions' lock lacks: what is installed beside it is not deployed."""

    packages: Collection[str]
    of_google: Sequence[str]

    def find_spec(self, name: str, *_: object) -> None:
        """Refuse what is not deployed, and leave all else to the other finders."""
        if name.partition(".")[0] in self.packages or name.startswith(tuple(self.of_google)):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_budget() -> dict[str, int]:
    """Read how many modules each function may load."""
    budget: dict[str, int] = json.loads(BUDGET.read_text(encoding="utf-8"))
    return budget


def _load(function: str) -> Counter[str]:
    sys.meta_path.insert(0, _DeployedAlone(*json.load(sys.stdin)))
    path = ROOT / "functions" / function / "main.py"
    spec = importlib.util.spec_from_file_location(f"main_of_{function}", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    for part in PARTS[function]:
        module, _, name = f"common.wiring.{part}".rpartition(".")
        getattr(importlib.import_module(module), name)()
    return Counter(_package(name) for name in sys.modules if name.partition(".")[0] not in OWN)


def _package(name: str) -> str:
    """Name what a module belongs to: a distribution, as far as its name tells, or Python's own library."""
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names:
        return STANDARD
    if parts[:2] == ["google", "cloud"]:
        return ".".join(parts[:3])
    return ".".join(parts[:2]) if parts[0] == "google" else parts[0]


def main() -> None:
    """Tell of one function, or write the budget of all."""
    if given := sys.argv[1:]:
        sys.stdout.write(json.dumps(_load(given[0])) + "\n")
        return
    budget = {name: int(modules_of(name).total() * HEADROOM) for name in PARTS}
    BUDGET.write_text(json.dumps(budget, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
