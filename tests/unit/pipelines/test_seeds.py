"""Seeds: rows of a file as steps before all others, typed, with every broken rule in its line."""

from typing import Any

import pytest

from common.errors import InvalidInput
from common.pipelines.documents import document_text, read_document
from common.pipelines.literals import MAX_BYTES, read_rows, text_literal
from common.pipelines.places import located
from tests.unit.pipelines.examples import a_document, a_step, compiled, violations_of

RATES = {"columns": {"country": "STRING", "rate": "NUMERIC"}, "csv": "rate,country\n0.19,de\n,fr\n"}


def test_a_seed_is_a_step_of_literals_before_all_others() -> None:
    reads = a_step("taxes", "SELECT country, rate FROM rates", target="taxes")
    pipeline = compiled(a_document(reads, a_step("other"), seeds={"rates": RATES}))
    assert [[step.id for step in level] for level in pipeline.levels] == [["seed_rates"], ["taxes", "other"]]
    seed, taxes, other = pipeline.steps
    assert (seed.target_table, taxes.depends_on, other.depends_on) == ("rates", ("seed_rates",), ())
    assert seed.jobs[0].sql == (
        "SELECT `country`, `rate`\nFROM UNNEST(ARRAY<STRUCT<`country` STRING, `rate` NUMERIC>>[\n"
        "STRUCT('de', NUMERIC '0.19'),\nSTRUCT('fr', NULL)\n])"
    )


def test_declared_levels_come_after_the_seeds() -> None:
    levels = {"level_1": [{"step": "a"}], "level_2": [{"step": "b"}]}
    steps = [a_step("a", "SELECT rate FROM rates", target="a"), a_step("b", target="b")]
    pipeline = compiled(a_document(*steps, dependencies=levels, seeds={"rates": RATES}))
    assert [[step.id for step in level] for level in pipeline.levels] == [["seed_rates"], ["a"], ["b"]]


@pytest.mark.parametrize(
    "text", ["it's", "${date}", "a\\b", "`x`", "-- no comment", "\u2028", "z\x01", "ä", "\n", "'''", "@p"]
)
def test_a_text_is_nothing_but_text_in_sql(text: str) -> None:
    literal = text_literal(text)
    assert literal[1:-1].isprintable()
    assert not set(literal[1:-1]) & set("'\"`${}\n#")
    assert literal[1:-1].encode().decode("unicode_escape" if literal.isascii() else "utf-8") == text


EACH = "i,f,n,b,d,c,t,m,s"
TYPES = dict(
    zip(
        EACH.split(","),
        ["INT64", "FLOAT64", "NUMERIC", "BOOL", "DATE", "DATETIME", "TIME", "TIMESTAMP", "STRING"],
        strict=True,
    )
)


def test_each_type_has_its_literal() -> None:
    row = '-5,1e3,-10.250,True,2026-01-31,2026-01-31T09:30:00,09:30,2026-01-31T10:30:00+01:00,"a,""b"'
    rows, told = read_rows(f"{EACH}\r\n{row}\r\n", TYPES, "")
    assert told == []
    assert rows.rows[0] == (
        "-5",
        "1000.0",
        "NUMERIC '-10.250'",
        "TRUE",
        "DATE '2026-01-31'",
        "DATETIME '2026-01-31 09:30:00'",
        "TIME '09:30:00'",
        "TIMESTAMP '2026-01-31 09:30:00.000000+00'",
        "'a,\\x22b'",
    )


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("i", "1.5"),
        ("i", "9223372036854775808"),
        ("i", "1_000"),
        ("i", "\u0663"),
        ("f", "1_0.5"),
        ("f", "1e400"),
        ("n", "1_0"),
        ("f", "much"),
        ("n", "0.0000000001"),
        ("n", "NaN"),
        ("n", "1e29"),
        ("b", "yes"),
        ("d", "20260131"),
        ("d", "2026-02-30"),
        ("c", "2026-01-31T09:30:00Z"),
        ("m", "2026-01-31T09:30:00"),
        ("t", "25:00"),
        ("t", "09:30+01:00"),
    ],
)
def test_what_is_not_of_its_type_is_told_with_its_line(column: str, field: str) -> None:
    _, told = read_rows(f"{column}\n\n{field}\n", {column: TYPES[column]}, "/seeds/x/csv")
    assert len(told) == 1
    assert told[0].rule.startswith(f"line 3 has in {column} what is no {TYPES[column]}, such as ")


@pytest.mark.parametrize("inside", ["\u2028", "\u0085", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_a_row_ends_where_csv_says_and_not_where_python_ends_a_line(inside: str) -> None:
    rows, told = read_rows(f"\ufeffs\r\na{inside}b\rc\n", {"s": "STRING"}, "")
    assert told == []
    assert rows.rows == ((text_literal(f"a{inside}b"),), ("'c'",))


def test_numbers_may_have_blanks_around_them_and_be_none() -> None:
    rows, told = read_rows("i,f\n 1 ,nan\n+2,-Infinity\n", {"i": "INT64", "f": "FLOAT64"}, "")
    assert told == []
    assert rows.rows == (("1", "CAST('nan' AS FLOAT64)"), ("2", "CAST('-inf' AS FLOAT64)"))


@pytest.mark.parametrize(
    ("seeds", "violation"),
    [
        ({"rates": RATES | {"csv": "country\nde\n"}}, "/seeds/rates/csv: line 1 must name the columns"),
        ({"rates": RATES | {"csv": "country,rate\nde\n"}}, "/seeds/rates/csv: line 2 must have 2 fields"),
        ({"rates": RATES | {"csv": 'country,rate\n"de,1\n'}}, "/seeds/rates/csv: line 2 is no CSV"),
        ({"rates": RATES | {"columns": {"a": "GEOGRAPHY"}}}, "/seeds/rates/columns/a: must be one of STRING"),
        ({"Rates": RATES}, "/seeds/Rates: the name must be lower-case"),
        ({"rates": {"csv": "a"}}, "/seeds/rates/columns: is required"),
        ({"t": RATES}, "/steps/0/config/target_table: is written by the seed t"),
        ({"_cvg_loaded_files": RATES}, "/seeds/_cvg_loaded_files: must not be a table of the platform"),
        ({"tenant_comprehensive_view": RATES}, "/seeds/tenant_comprehensive_view: must not be a view of"),
    ],
)
def test_what_breaks_a_rule_is_told_with_its_place(seeds: dict[str, Any], violation: str) -> None:
    assert violations_of(a_document(seeds=seeds))[0].startswith(violation)


def test_all_seeds_together_have_a_limit() -> None:
    long = {"columns": {"a": "STRING"}, "csv": "a\n" + "b" * (MAX_BYTES // 2)}
    (told,) = violations_of(a_document(seeds={"one": long, "two": long}))
    assert told.startswith("/seeds: must have at most 65,536 bytes")


def test_a_step_cannot_have_the_id_of_a_seed() -> None:
    (told,) = violations_of(a_document(a_step("seed_rates"), seeds={"rates": RATES}))
    assert told == "/steps/0/id: is the ID of a seed's step"


def test_a_row_is_told_with_its_line_in_the_file() -> None:
    text = """\
pipeline: {name: Daily}
seeds:
  rates:
    columns: {country: STRING, rate: NUMERIC}
    csv: |
      country,rate
      de,0.19
      fr,much
steps:
  - {id: a, ps_type: bq_etl.query, config: {source_query: SELECT 1 AS a, target_table: t}}
"""
    with pytest.raises(InvalidInput) as refused:
        compiled(text)
    document = read_document(text.encode(), None)
    (told,) = located(refused.value.violations, document, document_text(text.encode()))
    assert (told.line, told.pointer) == (8, "/seeds/rates/csv")
