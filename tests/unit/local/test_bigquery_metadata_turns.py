"""Of many who change a dataset by what they have read, each changes what it has read."""

from concurrent.futures import ThreadPoolExecutor

from google.api_core.exceptions import PreconditionFailed
from google.cloud import bigquery

from tests.unit.local.conftest import PROJECT

WRITERS = 12


def test_no_update_that_checked_an_etag_is_lost(client: bigquery.Client, dataset: str) -> None:
    def add_label(number: int) -> None:
        while True:
            read = client.get_dataset(dataset)
            read.labels |= {f"writer_{number}": "was_here"}
            try:
                client.update_dataset(read, ["labels"], retry=None)  # type: ignore[arg-type]
            except PreconditionFailed:
                continue
            return

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(add_label, range(WRITERS)))
    assert set(client.get_dataset(f"{PROJECT}.{dataset}").labels) == {
        f"writer_{number}" for number in range(WRITERS)
    }
