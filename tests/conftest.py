"""What holds for every test: none can reach a real cloud."""

import os


def pytest_configure() -> None:
    """Hide the developer's own Google Cloud: a client built without a fake then fails at once, by name."""
    for name in ("GCP_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT", "ADMIN_API_KEY"):
        os.environ.pop(name, None)
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/no/credentials/in/tests"
    os.environ["NO_GCE_CHECK"] = "true"
