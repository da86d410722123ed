"""What holds for every test: none can reach a real cloud."""

import os
from pathlib import Path
from typing import Any

import pytest

OWN_PLATFORMS = frozenset({"check_kills", "test_first_steps", "test_restarts"})
"""End-to-end tests that start platforms of their own; the others share one a process."""


def pytest_configure() -> None:
    """Hide the developer's own Google Cloud: a client built without a fake then fails at once, by name."""
    for name in ("GCP_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT", "ADMIN_API_KEY"):
        os.environ.pop(name, None)
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/no/credentials/in/tests"
    os.environ["NO_GCE_CHECK"] = "true"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Have one process more than there are cores: many tests wait: for disks, browsers, programs."""
    return (os.process_cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one process, and with them those of the files that share its platform."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # noqa: PLC0415

    scheduling = LoadFileScheduling(config, log)
    scheduling._split_scope = shared_scope
    return scheduling


def shared_scope(nodeid: str) -> str:
    """Name the file that a test is in, or the folder whose files share a platform."""
    file = Path(nodeid.partition("::")[0])
    shares = file.parent.name == "e2e" and file.stem not in OWN_PLATFORMS
    return str(file.parent if shares else file)
