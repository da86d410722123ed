import pytest
from google.api_core import exceptions as google
from google.cloud import bigquery

from tests.unit.local.conftest import start_job


@pytest.mark.parametrize("job_id", ["with space", "dot.ted", "sla/sh", "ümlaut", "x" * 1025])
def test_a_job_id_outside_of_bigquerys_alphabet_is_refused(client: bigquery.Client, job_id: str) -> None:
    with pytest.raises(google.BadRequest, match="Invalid job ID"):
        start_job(client, job_id)


@pytest.mark.parametrize(
    "labels",
    [
        {"Tenant": "acme"},
        {"tenant": "Acme"},
        {"tenant": "acme.inc"},
        {"1tenant": "acme"},
        {"": "acme"},
        {"tenant": "x" * 64},
        {"x" * 64: "acme"},
        {f"label{number}": "" for number in range(65)},
    ],
)
def test_labels_that_bigquery_refuses_are_refused(
    client: bigquery.Client, dataset: str, labels: dict[str, str]
) -> None:
    with pytest.raises(google.BadRequest):
        start_job(client, f"{dataset}-badly-labelled", labels=labels)


def test_good_names_pass(client: bigquery.Client, dataset: str) -> None:
    labels = {"tenant": "acme_inc-1", "größe": "groß", "empty": "", "x" * 63: "y" * 63}
    assert start_job(client, f"{dataset}-Good_1", labels=labels).labels == labels
