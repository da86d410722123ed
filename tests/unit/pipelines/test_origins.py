"""A place in SQL that BigQuery tells is a place in the file, however YAML writes the SQL."""

import json

import pytest

from common.errors import InvalidInput
from common.pipelines.codec import from_json, to_json
from common.pipelines.origins import places_of, told_in_file
from common.pipelines.pipeline import Step
from common.pipelines.plans import QueryJob
from tests.unit.pipelines.examples import compiled

HEAD = """\
pipeline: {name: Sales}
parameters: {regions: {type: ARRAY<STRING>}}
steps:
- id: sum_up
  ps_type: bq_etl.query
  config:
    target_table: b
"""
FILES = {
    "behind a bar": """\
    source_query: |
      SELECT a.one, -- ${date}
        ${date} AS day, wrong AS x
      FROM ${tenant_id}.a WHERE region IN UNNEST(${regions}) AND later = 1
""",
    "behind a bar with a comment and its indent": """\
    source_query: |2- # the indent is told
          SELECT 'a' AS one,
            wrong, ${date} AS day
          FROM a WHERE ${date} < later
""",
    "folded": """\
    source_query: >-
      SELECT ${date} AS day,
      wrong, `${tenant_id}` AS two

      FROM a
        WHERE x AND later
""",
    "plain on several lines": """\
    source_query: SELECT ${date} AS day, wrong
      FROM ${tenant_id}.a
      WHERE later
""",
    "in single quotes": """\
    source_query: 'SELECT ''it'' AS one, wrong, ${date} AS day,
      ''x'' AS two FROM a

      WHERE later'
""",
    "in double quotes": """\
    source_query: "SELECT \\"a\\" AS one, '\\u00e9\\x41' AS two, wrong,\\n\\
      \\ ${date} AS day FROM a\\tWHERE
      later = 'x'"
""",
    "after blank lines and with tabs": """\
    source_query: |


      SELECT
      \t1 AS one,\twrong,\t${date} AS day
      FROM a\tWHERE later;
""",
}


def job_of(query: str) -> QueryJob:
    (step,) = compiled(f"{HEAD}{query}").steps
    sent = from_json(Step, json.loads(json.dumps(to_json(step))))
    assert (sent, sent.jobs[0].places) == (step, step.jobs[0].places)
    (job,) = sent.jobs
    assert isinstance(job, QueryJob)
    return job


def told_place(sql: str, word: str) -> tuple[int, int]:
    """Say where a word is as BigQuery counts: tabs go on to the next column behind a multiple of eight."""
    before = sql[: sql.index(word)]
    return before.count("\n") + 1, len(before.rpartition("\n")[2].expandtabs(8)) + 1


@pytest.mark.parametrize("query", FILES.values(), ids=list(FILES))
@pytest.mark.parametrize("word", ["SELECT", "wrong", "later", "FROM"])
def test_a_place_in_sql_is_one_in_the_file(query: str, word: str) -> None:
    job = job_of(query)
    text = f"{HEAD}{query}"
    before = text[: text.index(word)]
    in_text = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    assert told_in_file(job.places, job.sql, *told_place(job.sql, word)) == in_text


WRONG = {
    "an unknown parameter": ("${date} AS day", "${nope} AS day", "${nope}"),
    "a string that does not end": ("FROM", "FROM t WHERE `x", "`x"),
    "what cannot be read": ("FROM", "FROM t WHERE b ) FROM", ") FROM"),
}


@pytest.mark.parametrize("query", FILES.values(), ids=list(FILES))
@pytest.mark.parametrize(("right", "wrong", "place"), WRONG.values(), ids=list(WRONG))
def test_what_an_upload_is_refused_for_has_its_place_in_the_file(
    query: str, right: str, wrong: str, place: str
) -> None:
    text = f"{HEAD}{query.replace(right, wrong, 1)}"
    with pytest.raises(InvalidInput) as refused:
        compiled(text)
    before = text[: text.index(place)]
    found = [(fault.line, fault.column) for fault in refused.value.violations if fault.line]
    assert found == [(before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)]


JSON_QUERIES = {
    "on one line": r"SELECT 'a' AS one, wrong, ${date} AS day FROM ${tenant_id}.a WHERE later",
    "with line breaks": r"SELECT 'a' AS one,\n\twrong, ${date} AS day\nFROM a\r\nWHERE later",
    "with escapes": (
        r"SELECT \"a\" AS `\u00e9`,\u0020'\ud83d\ude00\/' AS two, wrong,"
        r" ${date} AS day FROM a WHERE later"
    ),
}


def json_file(query: str) -> str:
    return (
        '{"pipeline": {"name": "Sales"}, "parameters": {},\n\t"steps": [\n'
        '\t\t{"id": "sum_up", "ps_type": "bq_etl.query", "description": "the sum, once more",\n'
        f'\t\t "config": {{"target_table": "b", "source_query": "{query}"}}}}]}}'
    )


@pytest.mark.parametrize("query", JSON_QUERIES.values(), ids=list(JSON_QUERIES))
@pytest.mark.parametrize("word", ["SELECT", "wrong", "later", "FROM"])
def test_a_place_in_the_sql_of_a_json_file_is_one_in_the_file(query: str, word: str) -> None:
    text = json_file(query)
    (step,) = compiled(text).steps
    (job,) = step.jobs
    before = text[: text.index(word)]
    in_text = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    assert told_in_file(job.places, job.sql, *told_place(job.sql, word)) == in_text


@pytest.mark.parametrize("query", JSON_QUERIES.values(), ids=list(JSON_QUERIES))
@pytest.mark.parametrize(("right", "wrong", "place"), WRONG.values(), ids=list(WRONG))
def test_what_a_json_file_is_refused_for_has_its_place_in_the_file(
    query: str, right: str, wrong: str, place: str
) -> None:
    text = json_file(query.replace(right, wrong, 1))
    with pytest.raises(InvalidInput) as refused:
        compiled(text)
    before = text[: text.index(place)]
    found = [(fault.line, fault.column) for fault in refused.value.violations if fault.line]
    assert found == [(before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)]


def test_a_parameter_is_where_its_variable_is() -> None:
    job = job_of(FILES["behind a bar"])
    line, column = told_place(job.sql, "@date AS day")
    assert told_in_file(job.places, job.sql, line, column) == (10, 9)


def test_a_text_behind_a_bar_takes_one_place_and_two_for_each_variable() -> None:
    query = "    source_query: |\n      SELECT 1,\n        2,\n" + "        3,\n" * 50 + "      4\n"
    assert job_of(query).places == ((1, 1, 9, 7),)
    assert len(job_of(FILES["behind a bar"]).places) < 10


@pytest.mark.parametrize(("line", "column"), [(9, 1), (0, 1)])
def test_a_place_that_the_sql_has_not_is_nowhere(line: int, column: int) -> None:
    job = job_of(FILES["folded"])
    assert told_in_file(job.places, job.sql, line, column) is None


def test_a_place_behind_the_end_is_the_end() -> None:
    job = job_of("    source_query: |\n      SELECT x\n")
    assert told_in_file(job.places, job.sql, 1, 9) == (9, 15)


def test_of_a_text_whose_origin_is_not_known_nothing_is_said() -> None:
    assert places_of("SELECT 1", [("SELECT 1", "SELECT 1")]) == ()
    assert told_in_file((), "SELECT 1", 1, 1) is None
