"""A copy of what Terraform reads, to run it in: nothing is written to the project, and sources may change."""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.terraform.fake_google import FakeGoogle

ROOT = Path(__file__).resolve().parents[3]
READ_BY_TERRAFORM = ("common", "functions", "ps_templates", "requirements", "scripts", "terraform")
MADE = shutil.ignore_patterns("__pycache__", ".*", "*.tfstate*", "*.tfplan")

# Credentials that open nothing. A value in the environment reaches Terraform's ephemeral variables.
ENVIRONMENT = {
    "GOOGLE_OAUTH_ACCESS_TOKEN": "made-up",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "TF_VAR_admin_api_key": "made-up-admin-key-0001",
    "TF_VAR_credentials_keyring": '{"active": "k1", "keys": {"k1": "bWFkZS11cA=="}}',
    "TF_VAR_levels_keys": "made-up-key-of-levels-of-32-chars-1",
    "TF_VAR_console_keys": "made-up-key-of-sessions-of-32-chars",
    "TF_VAR_onboarding_token": "made-up-token-000001",
    "TF_VAR_iam_settle_seconds": "0",  # The fake's grants hold at once.
}


class TerraformError(Exception):
    """Terraform ended with an error; the message is all that it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resource that a plan changes: its address and type, and what happens to it."""

    address: str
    type: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A copy of the project's deployable parts, with providers installed."""

    path: Path
    data_dir: Path

    @classmethod
    def copy(cls, path: Path, data_dir: Path) -> Self:
        """Copy the project; `data_dir` is where Terraform keeps providers, shared between copies."""
        for name in READ_BY_TERRAFORM:
            shutil.copytree(ROOT / name, path / name, symlinks=True, ignore=MADE)
        lock = data_dir.parent / ".terraform.lock.hcl"
        if lock.exists():
            shutil.copy(lock, path / "terraform")
        return cls(path=path, data_dir=data_dir)

    @property
    def module(self) -> Path:
        """The root module."""
        return self.path / "terraform"

    def terraform(self, *arguments: str, typed: str = "") -> str:
        """Run Terraform and return what it printed; TerraformError where it failed."""
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.module,
            env={**os.environ, **ENVIRONMENT, "TF_DATA_DIR": str(self.data_dir)},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TerraformError(f"terraform {' '.join(arguments)}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def speak_to(self, google: FakeGoogle) -> None:
        """Point the provider at a fake, by an override file beside the module's own."""
        settings = "".join(f'  {name} = "{url}"\n' for name, url in google.endpoints.items())
        (self.module / "fake_override.tf").write_text(f'provider "google" {{\n{settings}}}\n')

    def set_variables(self, **variables: object) -> None:
        """Give variables from now on, besides those that were given before."""
        file = self.module / "given.auto.tfvars.json"
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**before, **variables}))

    def evaluate(self, expression: str, *arguments: str) -> str:
        """Evaluate an expression of the module, which must be a string."""
        return str(json.loads(self.terraform("console", *arguments, typed=expression)))

    def apply(self) -> None:
        """Apply everything."""
        self.terraform("apply", "-auto-approve", "-no-color", "-parallelism=40")

    def destroy(self) -> None:
        """Destroy everything that may be destroyed."""
        self.terraform("destroy", "-auto-approve", "-no-color", "-parallelism=40")

    def plan(self, *arguments: str) -> list[Change]:
        """Plan, and return what would change."""
        self.terraform("plan", "-no-color", "-out=checked.tfplan", *arguments)
        plan = json.loads(self.terraform("show", "-json", "checked.tfplan"))
        return [change for change in map(_change, plan["resource_changes"]) if _matters(change)]


def count_by_type(changes: Iterable[Change]) -> dict[str, int]:
    """Count changes by the type of their resources, in the order of types."""
    return dict(sorted(Counter(change.type for change in changes).items()))


def _change(described: Mapping[str, Any]) -> Change:
    change = described["change"]
    return Change(
        address=described["address"],
        type=described["type"],
        actions=("import",) if "importing" in change else tuple(change["actions"]),
    )


def _matters(change: Change) -> bool:
    return change.actions not in {("no-op",), ("read",)}
