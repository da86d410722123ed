import pytest

from local.bigquery.statements import Kind, Statement, Table, read_statements


def table(path: str) -> Table:
    project, dataset, name = path.split(".")
    return project, dataset, name


@pytest.mark.parametrize(
    ("sql", "kind", "target", "sources"),
    [
        ("SELECT 1", Kind.SELECT, None, []),
        ("SELECT a FROM t JOIN d.u USING (a), `q.d.v`", Kind.SELECT, None, ["p.home.t", "p.d.u", "q.d.v"]),
        ("INSERT INTO d.t (a) VALUES (1)", Kind.INSERT, "p.d.t", []),
        ("INSERT INTO d.t SELECT a FROM d.s", Kind.INSERT, "p.d.t", ["p.d.s"]),
        ("UPDATE d.t SET a = 1 FROM d.s WHERE TRUE", Kind.UPDATE, "p.d.t", ["p.d.s", "p.d.t"]),
        ("DELETE FROM d.t WHERE TRUE", Kind.DELETE, "p.d.t", ["p.d.t"]),
        (
            "MERGE d.t x USING d.s y ON x.a = y.a WHEN MATCHED THEN DELETE",
            Kind.MERGE,
            "p.d.t",
            ["p.d.s", "p.d.t"],
        ),
        ("TRUNCATE TABLE d.t", Kind.TRUNCATE, "p.d.t", []),
        ("CREATE TABLE d.t AS SELECT a FROM d.s", Kind.DDL, "p.d.t", ["p.d.s"]),
        ("ALTER TABLE d.t ADD COLUMN a INT64", Kind.DDL, "p.d.t", []),
        ("SELECT 1 FROM UNNEST([1]) AS x", Kind.SELECT, None, []),
        ("SELECT * FROM d.INFORMATION_SCHEMA.TABLES", Kind.SELECT, None, ["p.d.INFORMATION_SCHEMA.TABLES"]),
    ],
)
def test_a_statement_is_read(sql: str, kind: Kind, target: str | None, sources: list[str]) -> None:
    assert read_statements(sql, "p", "home") == (
        Statement(
            kind=kind,
            target=table(target) if target else None,
            sources=frozenset(
                ("p", "d", "INFORMATION_SCHEMA.TABLES") if "INFORMATION" in path else table(path)
                for path in sources
            ),
        ),
    )


@pytest.mark.parametrize(
    ("sql", "sources"),
    [
        ("WITH t AS (SELECT 1 AS a) SELECT a FROM t", []),
        ("WITH t AS (SELECT a FROM t) SELECT a FROM t", ["p.home.t"]),
        ("WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a FROM t) SELECT a FROM t", []),
        ("WITH x AS (SELECT 1 AS a), y AS (SELECT a FROM x) SELECT a FROM y", []),
        ("WITH y AS (SELECT a FROM x), x AS (SELECT 1 AS a) SELECT a FROM y", ["p.home.x"]),
        ("SELECT a FROM (WITH x AS (SELECT 1 AS a) SELECT a FROM x), x", ["p.home.x"]),
    ],
)
def test_a_name_that_with_defines_is_no_table_from_there_on(sql: str, sources: list[str]) -> None:
    [statement] = read_statements(sql, "p", "home")
    assert statement.sources == frozenset(table(path) for path in sources)


@pytest.mark.parametrize("end", ["; -- the end", "\n;\n/* checked */", ";;", "; # done\n;"])
def test_what_follows_the_last_semicolon_is_no_statement(end: str) -> None:
    assert [statement.kind for statement in read_statements(f"SELECT 1 AS a{end}", "p")] == [Kind.SELECT]


def test_a_transaction_is_read_statement_by_statement() -> None:
    script = "BEGIN TRANSACTION; INSERT INTO d.t (a) VALUES (@a); COMMIT TRANSACTION;"
    kinds = [statement.kind for statement in read_statements(script, "p")]
    assert kinds == [Kind.CONTROL, Kind.INSERT, Kind.CONTROL]


@pytest.mark.parametrize("sql", ["EXECUTE IMMEDIATE 'SELECT 1'", "CALL d.p()", "SELEC 1", "SELECT 'open"])
def test_what_cannot_be_read_is_said_to_be_unreadable(sql: str) -> None:
    assert Kind.UNREADABLE in [statement.kind for statement in read_statements(sql, "p")]
