"""The judge of texts against Google's own analyzer: what a query reads, over queries made at random.

Aliases are called like datasets and tables, so that each path may be a table or an array of some row: which
of the two it is goes by the scopes that are tested here.
"""

import random
from collections.abc import Callable

import pytest

from common.pipelines.firewall import judge_statement
from common.pipelines.tables import Policy
from local.googlesql import Analyzer, RejectedSql

POLICY = Policy(project_id="p-1", dataset="acme", allowed_sources=frozenset({"p-1.other"}))
COLUMNS = {"n": "INT64", "t": "ARRAY<STRUCT<n INT64, t ARRAY<STRUCT<n INT64, t ARRAY<INT64>>>>>"}
TABLES = {
    f"p-1.{dataset}.{table}": COLUMNS for dataset in ("acme", "victim", "other") for table in ("t", "k")
}
WITHIN_REACH = frozenset(table for table in TABLES if ".victim." not in table)
ALIASES = ("victim", "victim", "other", "acme", "a", "k")
PATHS = (
    "t",
    "k",
    "w",
    "acme.t",
    "p-1.acme.k",
    "`acme.t`",
    "other.t",
    "`p-1.other.k`",
    "`p-1.victim`.t",
)
COLUMN_PATHS = ("victim.t", "victim.t", "other.t", "acme.t", "a.t", "a.t.t")
ROWS = "1 AS n, [STRUCT(1 AS n, [STRUCT(1 AS n, [1] AS t)] AS t)] AS t"


class Queries:
    """Makes one query, mostly about what FROM can hold."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._room = self._random.choice((3, 5, 8, 12))

    def query(self) -> str:
        start = self._pick(("", "", "WITH w AS ({}) ", "WITH victim AS ({}) ", "WITH RECURSIVE w AS ({}) "))
        return start.format(f"SELECT n, t FROM {self._pick(PATHS)}") + self._select()

    def _pick[Thing](self, things: tuple[Thing, ...]) -> Thing:
        return self._random.choice(things)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _select(self) -> str:
        self._room -= 2
        if self._chance(0.2):
            return self._piped()
        text = f"SELECT {ROWS} FROM {self._from()}"
        if self._room > 0 and self._chance(0.5):
            text += f" WHERE EXISTS ({self._select()})"
        if self._room > 0 and self._chance(0.2):
            text = text.replace("SELECT", f"SELECT ARRAY({self._select().replace(ROWS, '1')}) AS more,", 1)
        return text

    def _piped(self) -> str:
        text = f"FROM {self._from()}"
        while self._room > 0 and self._chance(0.6):
            self._room -= 1
            text += self._pick(
                (
                    " |> WHERE EXISTS ({})",
                    " |> EXTEND ARRAY({}) AS more",
                    " |> AGGREGATE COUNT(*) AS n, ANY_VALUE([1]) AS t",
                    f" |> AS {self._pick(ALIASES)}",
                    f" |>{self._join_kind().format(self._source(), on=self._condition())}",
                    f" |> SELECT {ROWS} |> UNION ALL ({{}})",
                )
            ).format(self._select() if self._room > 0 else f"SELECT {ROWS}")
        return f"{text} |> SELECT {ROWS}"

    def _from(self) -> str:
        text = self._source()
        while self._room > 0 and self._chance(0.7):
            comma = ", {}" if self._chance(0.4) else self._join_kind()
            text += comma.format(self._source(), on=self._condition())
        return text

    def _join_kind(self) -> str:
        if self._chance(0.15):
            return f" JOIN {self._source()} JOIN {{}} ON {{on}} ON {self._condition()}"
        return self._pick(
            (
                " CROSS JOIN {}",
                " JOIN {} ON {on}",
                " LEFT JOIN {} ON {on}",
                " JOIN {} USING (n)",
                " FULL JOIN {} USING (n)",
                " RIGHT JOIN {} ON {on}",
            )
        )

    def _condition(self) -> str:
        return f"EXISTS ({self._select()})" if self._room > 0 and self._chance(0.2) else "TRUE"

    def _source(self) -> str:
        self._room -= 1
        makers: list[Callable[[], str]] = [self._path, self._path, self._unnest]
        if self._room > 0:
            makers += [self._bracket, self._bracket, self._subquery]
        return self._random.choice(makers)()

    def _path(self) -> str:
        return self._pick(PATHS if self._chance(0.5) else COLUMN_PATHS) + self._alias()

    def _unnest(self) -> str:
        inner = self._pick(COLUMN_PATHS) if self._chance(0.3) else f"[STRUCT({ROWS})]"
        if self._chance(0.3):
            inner = f"ARRAY(SELECT AS STRUCT {ROWS} FROM {self._pick(COLUMN_PATHS)})"
        offset = f" WITH OFFSET AS {self._pick(ALIASES)}" if self._chance(0.1) else ""
        return f"UNNEST({inner}){self._alias()}{offset}"

    def _bracket(self) -> str:
        return f"({self._source()}{self._join_kind().format(self._source(), on=self._condition())})"

    def _subquery(self) -> str:
        return f"({self._select()}){self._alias()}"

    def _alias(self) -> str:
        return f" AS {self._pick(ALIASES)}" if self._chance(0.8) else ""


def test_what_bigquery_reads_the_judge_has_seen() -> None:
    analyzer = Analyzer(TABLES, default_dataset="p-1.acme")
    passed = refused_in_vain = stopped = 0
    for seed in range(500):
        sql = Queries(seed).query()
        try:
            read = analyzer.analyze(sql).tables
        except RejectedSql:
            continue
        judgement = judge_statement(sql, POLICY)
        if judgement.reasons:
            stopped += not read <= WITHIN_REACH
            refused_in_vain += read <= WITHIN_REACH
            continue
        assert read <= WITHIN_REACH, f"seed {seed}: {sql}"
        assert read == {str(table) for table in judgement.tables}, f"seed {seed}: {sql}"
        passed += 1

    assert passed > 60
    assert stopped > 25
    assert (
        refused_in_vain < 0.1 * passed
    )  # Of queries made to confuse; a path that begins in doubt is a table.


@pytest.mark.parametrize(
    ("sql", "reads_victim"),
    [
        ("FROM t AS victim, victim.t", False),
        ("FROM t AS victim JOIN (victim.t AS a CROSS JOIN t AS b) ON TRUE", True),
        ("FROM t AS victim JOIN victim.t AS a JOIN t AS b ON TRUE ON TRUE", True),
        ("FROM t AS victim JOIN (t AS a JOIN victim.t AS b ON TRUE) ON TRUE", True),
        ("FROM (t AS victim JOIN t AS a ON TRUE), victim.t", False),
        ("FROM t AS victim CROSS JOIN (SELECT 1 FROM victim.t)", True),
        (
            "FROM t WHERE EXISTS (SELECT 1 FROM t AS victim JOIN (victim.t AS a CROSS JOIN t AS b) ON TRUE)",
            True,
        ),
        (
            "FROM t AS victim WHERE EXISTS (SELECT 1 FROM t AS a JOIN (victim.t AS b CROSS JOIN t) ON TRUE)",
            False,
        ),
    ],
)
def test_a_bracket_sees_no_row_outside_but_those_around_its_query(sql: str, *, reads_victim: bool) -> None:
    columns = {"n": "INT64", "t": "ARRAY<STRUCT<n INT64, t ARRAY<INT64>>>"}
    analyzer = Analyzer({"p-1.acme.t": columns, "p-1.victim.t": columns}, default_dataset="p-1.acme")

    assert ("p-1.victim.t" in analyzer.analyze(f"SELECT 1 {sql}").tables) is reads_victim
    assert bool(judge_statement(f"SELECT 1 {sql}", POLICY).reasons) is reads_victim


@pytest.mark.parametrize(
    ("sql", "reads_victim"),
    [
        ("FROM t AS victim, t PIVOT (SUM((SELECT MAX(n) FROM victim.t)) FOR n IN (1)) AS p", True),
        ("FROM t AS victim, t PIVOT (SUM(n) FOR (SELECT MAX(n) FROM victim.t) IN (1)) AS p", True),
        ("FROM t PIVOT (SUM(n) FOR n IN (1)) AS victim, victim.t", False),
        ("FROM t AS victim RIGHT JOIN UNNEST(ARRAY(SELECT n FROM victim.t)) AS a ON TRUE", True),
        ("FROM t AS victim FULL JOIN UNNEST(ARRAY(SELECT n FROM victim.t)) AS a ON TRUE", True),
        ("FROM t AS victim LEFT JOIN UNNEST(ARRAY(SELECT a FROM victim.t AS a)) AS a ON TRUE", False),
        ("FROM t AS victim RIGHT JOIN t AS a ON TRUE CROSS JOIN victim.t AS b", False),
        ("FROM t AS `\u212aelvin`, kelvin.t", True),
        ("FROM t AS KELVIN, kelvin.t", False),
    ],
)
def test_a_row_has_its_name_where_bigquery_sees_it_by_the_letters_that_bigquery_compares(
    sql: str, *, reads_victim: bool
) -> None:
    columns = {"n": "INT64", "t": "ARRAY<INT64>"}
    tables = {f"p-1.{dataset}.t": columns for dataset in ("acme", "victim", "kelvin")}
    read = Analyzer(tables, default_dataset="p-1.acme").analyze(f"SELECT 1 {sql}").tables

    assert (read - {"p-1.acme.t"} != set()) is reads_victim
    assert bool(judge_statement(f"SELECT 1 {sql}", POLICY).reasons) is reads_victim
