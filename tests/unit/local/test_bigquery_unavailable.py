"""What the local BigQuery has not is refused by its name, and nothing that is only called like it."""

import pytest
from google.api_core.exceptions import MethodNotImplemented
from google.cloud import bigquery

from local.bigquery.unavailable import missing


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT * FROM APPENDS(TABLE shop.t, NULL, NULL)", "APPENDS"),
        ("SELECT * FROM gap_fill(TABLE t, ts_column => 'at', bucket_width => INTERVAL 1 DAY)", "GAP_FILL"),
        ("SELECT * FROM CHANGES(TABLE t, NULL, @end)", "CHANGES"),
        ("SELECT S2_CELLIDFROMPOINT(ST_GEOGPOINT(1, 2), level => 3)", "S2_CELLIDFROMPOINT"),
        ("SELECT a, aead.decrypt_string(k, c, '') FROM t", "AEAD.DECRYPT_STRING"),
        ("SELECT KEYS.NEW_KEYSET('AEAD_AES_GCM_256')", "KEYS.NEW_KEYSET"),
        ("SELECT DETERMINISTIC_ENCRYPT(k, 'x', '')", "DETERMINISTIC_ENCRYPT"),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY a MEASURES FIRST(x.a) AS b PATTERN (x{1,2}?) "
            "DEFINE x AS TRUE)",
            "MATCH_RECOGNIZE",
        ),
        (
            "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1) a FROM t",
            "SELECT WITH DIFFERENTIAL_PRIVACY",
        ),
        ("FROM t |> WHERE a = 1 |> CALL shop.f(2)", "|> CALL"),
        ("SELECT 1 AS a LEFT OUTER UNION ALL BY NAME SELECT 2 AS a", "LEFT UNION"),
        ("FROM t |> ASSERT a > 1", "|> ASSERT"),
        ("SELECT a LIKE ANY UNNEST(['x']) FROM t", "LIKE ANY of an array"),
        ("SELECT a LIKE ALL (SELECT 'x') FROM t", "LIKE ALL of a query"),
    ],
)
def test_what_is_not_here_is_named(sql: str, name: str) -> None:
    assert missing(sql) == name


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT appends, gap_fill, keys.a, aead.b FROM keys, t AS aead -- APPENDS(\n",
        "SELECT 'KEYS.NEW_KEYSET(', `changes`(1), shop.changes(2) FROM shop.appends",
        "WITH differential_privacy AS (SELECT 1) SELECT * FROM differential_privacy",
        "SELECT a LIKE ANY ('x', 'y'), HLL_COUNT.INIT(a) FROM t",
        "SELECT match_recognize FROM t LEFT JOIN u USING (a) UNION ALL SELECT 1",
        "FROM t |> SELECT a, 'x |> CALL f()' AS call |> ORDER BY a",
    ],
)
def test_what_is_only_called_like_it_is_not_missing(sql: str) -> None:
    assert missing(sql) == ""


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_job_tells_what_is_not_here(client: bigquery.Client, *, is_dry: bool) -> None:
    config = bigquery.QueryJobConfig(dry_run=is_dry)
    with pytest.raises(MethodNotImplemented, match="The local BigQuery does not have this: GAP_FILL"):
        client.query("SELECT * FROM GAP_FILL(TABLE a.t)", config, job_retry=None).result()
