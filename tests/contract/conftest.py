"""What contract tests share: the local BigQuery, one per session."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local.bigquery import LocalBigQuery


@pytest.fixture(scope="session")
def local_bigquery(tmp_path_factory: pytest.TempPathFactory) -> Iterator["LocalBigQuery"]:
    """Serve an empty BigQuery; whoever needs it empty again calls `reset()`."""
    from local.bigquery import LocalBigQuery  # noqa: PLC0415 - seconds to import, and not every test needs it

    if leftover := LocalBigQuery.running():  # Other tests' server: there is one per process.
        leftover.stop()
    with LocalBigQuery(data_dir=tmp_path_factory.mktemp("bigquery"), project="test-project") as server:
        yield server
