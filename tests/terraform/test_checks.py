"""The checks with real providers: what is said, and what fails, where there are none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terraform.configuration import ROOT


def run_checks(path: Path, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.terraform.providers"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def without_providers(folder: Path) -> Path:
    """Make a `terraform` that answers as the real one does where no provider can be had."""
    command = folder / "terraform"
    command.write_text("#!/bin/sh\necho 'Error: Failed to query available provider packages' >&2\nexit 1\n")
    command.chmod(0o755)
    return folder


def test_without_terraform_one_line_says_what_was_not_checked(tmp_path: Path) -> None:
    code, said = run_checks(tmp_path, REQUIRE_PROVIDERS="")
    assert (code, said) == (0, "Not checked with Terraform's providers: terraform is not installed\n")


def test_without_providers_one_line_says_what_was_not_checked(tmp_path: Path) -> None:
    code, said = run_checks(without_providers(tmp_path), REQUIRE_PROVIDERS="")
    assert (code, said) == (
        0,
        "Not checked with Terraform's providers: terraform init cannot get them here\n",
    )


@pytest.mark.parametrize("is_installed", [True, False])
def test_whoever_requires_providers_fails_without_them(tmp_path: Path, is_installed: bool) -> None:
    path = without_providers(tmp_path) if is_installed else tmp_path
    code, said = run_checks(path, REQUIRE_PROVIDERS="1")
    assert code == 1
    assert said.startswith("Not checked with Terraform's providers: ")
