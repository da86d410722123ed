"""Names of tables and columns, as BigQuery takes them."""

import pytest

from common.pipelines.names import is_column_name, is_table_name

LETTERS = ["orders", "_x", "größe", "名前", "имя", "हिन्दी", "x1", "a" * 300]


@pytest.mark.parametrize("name", LETTERS)
def test_letters_of_any_script_name_tables_and_columns(name: str) -> None:
    assert is_table_name(name)
    assert is_column_name(name)


@pytest.mark.parametrize("name", ["2024", "my-table", "my table", "a\u2013b", "é" * 512])
def test_tables_have_more_names_than_columns(name: str) -> None:
    assert is_table_name(name)
    assert not is_column_name(name)


@pytest.mark.parametrize(
    "name", ["", "t$20240101", "t*", "a.b", "a`b", " a", "a ", "-a", "a\tb", "a\u202eb", "é" * 513, "a😀"]
)
def test_what_names_no_one_table(name: str) -> None:
    assert not is_table_name(name)


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "a" * 301, "a.b", "a`b", "a\u200db"])
def test_what_names_no_column(name: str) -> None:
    assert not is_column_name(name)
