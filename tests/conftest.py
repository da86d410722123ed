"""What holds for every test: none can reach a real cloud."""

import os

import pytest


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
