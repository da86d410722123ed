"""Run the checks that need Terraform's providers, wherever `terraform init` can get them.

Elsewhere one line says what was not checked; REQUIRE_PROVIDERS=1 makes that a failure.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.terraform.providers.workspace import ROOT, TerraformError, Workspace

CHECKS = sorted(Path(__file__).parent.glob("check_*.py"))


def main() -> int:
    """Install the providers and run the checks; return an exit code."""
    with TemporaryDirectory(prefix="terraform-check-") as folder:
        shared = Path(folder)
        if why_not := _missing(shared):
            sys.stdout.write(f"Not checked with Terraform's providers: {why_not}\n")
            return int(os.environ.get("REQUIRE_PROVIDERS") == "1")
        # Side by side: providers wait most of the time, for what Google takes its time with.
        with ThreadPoolExecutor() as pool:
            return max(pool.map(lambda check: _run(check, shared / "data"), CHECKS))


def _missing(shared: Path) -> str:
    """Install the providers into `shared`; say in a few words why that cannot be done, "" where it can."""
    if not shutil.which("terraform"):
        return "terraform is not installed"
    workspace = Workspace.copy(shared / "probe", shared / "data")
    try:
        workspace.terraform("init", "-backend=false", "-no-color")
    except TerraformError as error:
        if "Failed to query available provider packages" in str(error):
            return "terraform init cannot get them here"
        raise
    shutil.copy(workspace.module / ".terraform.lock.hcl", shared)
    return ""


def _run(check: Path, data_dir: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-o", "python_files=check_*.py", "-q", "-rA", str(check)]
    environment = {**os.environ, "TERRAFORM_CHECK_DATA": str(data_dir)}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    sys.stdout.write(done.stdout)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
