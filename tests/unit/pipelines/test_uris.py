"""Names of files: what a pipeline's file may write, and what a run makes of it."""

import pytest

from common.pipelines.pipeline import BoundParameter
from common.pipelines.uris import matches, prefix_of, uri_rule, with_identifiers, with_values

TYPES = {"date": "DATE", "at": "TIMESTAMP", "region": "STRING", "many": "ARRAY<STRING>", "token": "STRING"}
VALUES = {
    name: BoundParameter(name=name, type=TYPES[name], value=value)
    for name, value in {"date": "2026-01-31", "at": "2026-01-31T23:30:00-02:00", "region": "eu"}.items()
}


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("gs://acme-files/${date}/*.csv", "gs://acme-files/2026-01-31/*.csv"),
        ("gs://acme-files/${date:%Y/%m/%d}/a.csv", "gs://acme-files/2026/01/31/a.csv"),
        ("gs://acme-files/${at:%Y%m%d%H}/${region}.csv", "gs://acme-files/2026020101/eu.csv"),
    ],
)
def test_a_runs_values_are_put_in(uri: str, name: str) -> None:
    assert uri_rule(uri, TYPES) == ""
    assert with_values(uri, VALUES) == name


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_without_a_value_stays(value: str | None) -> None:
    empty = {"region": BoundParameter(name="region", type="STRING", value=value)}
    assert with_values("gs://acme-files/${region}/a.csv", empty) == "gs://acme-files/${region}/a.csv"


def test_a_bucket_can_be_called_like_the_tenant() -> None:
    uri = with_identifiers("gs://${tenant_id}-files/${date}.csv", {"tenant_id": "acme"})
    assert uri == "gs://acme-files/${date}.csv"


@pytest.mark.parametrize(
    ("uri", "rule"),
    [
        ("gs://${region}/a.csv", "must be gs://bucket/path"),
        ("gs://a*/a.csv", "must be gs://bucket/path"),
        ("gs://acme-files", "must be gs://bucket/path"),
        ("s3://acme-files/a.csv", "must be gs://bucket/path"),
        ("gs://acme-files/*/*.csv", "more than one wildcard"),
        ("gs://acme-files/${nobody}.csv", "no parameter of this name"),
        ("gs://acme-files/${many}.csv", "of the type ARRAY<STRING>"),
        ("gs://acme-files/${token}.csv", "is secret"),
        ("gs://acme-files/${region:%Y}.csv", "no day and no time"),
        ("gs://acme-files/${date:%s}.csv", "none of %Y"),
        ("gs://acme-files/${date:}.csv", "none of %Y"),
        ("gs://acme-files/${date.csv", "begins no variable"),
        ("gs://acme-files/${ date }.csv", "begins no variable"),
    ],
)
def test_what_is_no_name_of_files_is_told(uri: str, rule: str) -> None:
    assert rule in uri_rule(uri, TYPES, {"token"})


@pytest.mark.parametrize(
    ("uri", "name", "is_meant"),
    [
        ("gs://b/a.csv", "gs://b/a.csv", True),
        ("gs://b/a.csv", "gs://b/a.csv.gz", False),
        ("gs://b/in/*.csv", "gs://b/in/a.csv", True),
        ("gs://b/in/*.csv", "gs://b/in/deep/a.csv", True),
        ("gs://b/in/*.csv", "gs://b/in/a.json", False),
        ("gs://b/in/*", "gs://b/in/", True),
        ("gs://b/aba*aba", "gs://b/aba", False),
    ],
)
def test_a_wildcard_is_any_text_between_a_beginning_and_an_end(uri: str, name: str, is_meant: bool) -> None:
    assert matches(uri, name) is is_meant
    assert not is_meant or name.startswith(prefix_of(uri))
