import pytest

from common.errors import Fault
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
    (fault,) = located([Fault(pointer, rule)], document, text)
    assert (fault.pointer, fault.rule) == (pointer, rule)
    return fault.step, fault.line


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
def test_a_fault_has_the_line_of_its_place_and_the_id_of_its_step(
    pointer: str, step: str, line: int | None
) -> None:
    assert place_of(pointer) == (step, line)


@pytest.mark.parametrize(("rule", "line"), [("has x in line 1", 12), ("has x in line 3", 14), ("has x", 11)])
def test_a_fault_in_sql_has_the_line_of_the_file(rule: str, line: int) -> None:
    assert place_of("/steps/1/config/source_query", rule) == ("sum_up", line)


def test_sql_on_the_line_of_its_key_is_on_that_line() -> None:
    assert place_of("/steps/0/config/source_query", "has x in line 1") == ("load", 7)


def test_json_has_lines_too() -> None:
    text = '{"pipeline": {"name": "a"},\n "steps": [\n  {"id": "b/c",\n   "config": {"a~b/c": 1}}]}'
    assert place_of("/steps/0/config/a~0b~1c", text=text) == ("b/c", 4)


def test_json_that_is_no_yaml_has_steps_and_no_lines() -> None:
    assert place_of("/steps/0/id", text='{\n\t"steps": [\n\t{"id": "b"}]}') == ("b", None)
