import pytest

from common.errors import Violation
from common.pipelines.documents import read_document
from common.pipelines.places import located

TEXT = """# Sales.
pipeline:
  name: Sales
steps:
  - id: load
    ps_type: bq_etl.query
    config: {source_query: SELECT 1, target_table: a}
  - id: sum_up
    ps_type: bq_etl.query
    config:
      source_query: |
        SELECT
          x
        FROM y
      target_table: b
"""


def place_of(pointer: str, rule: str = "breaks a rule", text: str = TEXT) -> tuple[str, int | None]:
    document = read_document(text.encode(), None)
    (violation,) = located([Violation(pointer, rule)], document, text)
    assert (violation.pointer, violation.rule) == (pointer, rule)
    return violation.step, violation.line


@pytest.mark.parametrize(
    ("pointer", "step", "line"),
    [
        ("/pipeline/name", "", 3),
        ("/pipeline/nme", "", 2),
        ("/steps", "", 4),
        ("/steps/0/id", "load", 5),
        ("/steps/0/config/target_table", "load", 7),
        ("/steps/1", "sum_up", 8),
        ("/steps/1/config/target_table", "sum_up", 15),
        ("/steps/1/retry", "sum_up", 8),
        ("/steps/7", "", 4),
        ("/config_id", "", None),
        ("", "", None),
    ],
)
def test_a_violation_has_the_line_of_its_place_and_the_id_of_its_step(
    pointer: str, step: str, line: int | None
) -> None:
    assert place_of(pointer) == (step, line)


def test_who_knows_a_place_better_is_believed() -> None:
    document = read_document(TEXT.encode(), None)
    (violation,) = located(
        [Violation("/steps/1/config/source_query", "x", line=13, column=9)], document, TEXT
    )
    assert (violation.line, violation.column, violation.step) == (13, 9, "sum_up")


def test_a_violation_has_the_column_of_its_place() -> None:
    document = read_document(TEXT.encode(), None)
    violations = [
        Violation("/steps/1/config/target_table", "x"),
        Violation("/steps/1", "x"),
        Violation("", "x"),
    ]
    assert [violation.column for violation in located(violations, document, TEXT)] == [7, 5, None]


def test_json_has_lines_too() -> None:
    text = '{"pipeline": {"name": "a"},\n "steps": [\n  {"id": "b/c",\n   "config": {"a~b/c": 1}}]}'
    assert place_of("/steps/0/config/a~0b~1c", text=text) == ("b/c", 4)


def test_json_may_be_indented_with_tabs() -> None:
    assert place_of("/steps/0/id", text='{\n\t"steps": [\n\t{"id": "b"}]}') == ("b", 3)
