from dataclasses import replace

import pytest

from common.setup.drift import drift, mended
from common.setup.tables import Column, Shape

A = Column(name="a", type="STRING", mode="REQUIRED")
B = Column(name="b", type="INTEGER", mode="NULLABLE")
C = Column(name="c", type="STRING", mode="REPEATED")
SHAPE = Shape(columns=(A, B), partition="day", cluster=("a",))


def test_a_table_as_defined_has_not_drifted() -> None:
    found = drift(SHAPE, SHAPE)
    assert not found.is_mendable
    assert found.remaining == ()


def test_the_order_and_the_description_of_columns_do_not_count() -> None:
    other = replace(SHAPE, columns=(replace(B, description="other"), A))
    assert drift(SHAPE, other) == drift(SHAPE, SHAPE)


@pytest.mark.parametrize("new", [C, replace(C, mode="NULLABLE")])
def test_a_new_column_is_added_at_the_end(new: Column) -> None:
    found = drift(replace(SHAPE, columns=(new, A, B)), SHAPE)
    assert (found.added, found.remaining) == ((new,), ())
    assert mended(SHAPE, found) == (A, B, new)


def test_a_new_required_column_is_added_as_nullable_and_stays_reported() -> None:
    new = Column(name="d", type="DATE", mode="REQUIRED")
    found = drift(replace(SHAPE, columns=(A, B, new)), SHAPE)
    assert found.added == (replace(new, mode="NULLABLE"),)
    assert "d: REQUIRED by the definition" in found.remaining[0]


def test_a_column_that_may_be_null_now_is_relaxed() -> None:
    found = drift(replace(SHAPE, columns=(replace(A, mode="NULLABLE"), B)), SHAPE)
    assert found.remaining == ()
    assert mended(SHAPE, found) == (replace(A, mode="NULLABLE"), B)


@pytest.mark.parametrize(
    ("actual", "difference"),
    [
        (
            Shape(columns=(A, replace(B, type="STRING")), partition="day", cluster=("a",)),
            "b: STRING in the table",
        ),
        (
            Shape(columns=(A, replace(B, mode="REPEATED")), partition="day", cluster=("a",)),
            "b: REPEATED in the",
        ),
        (Shape(columns=(A, B, C), partition="day", cluster=("a",)), "c: in the table, not in the definition"),
        (Shape(columns=(A, B), cluster=("a",)), "partitioned by nothing, not day"),
        (Shape(columns=(A, B), partition="day", cluster=("b", "a")), "clustered by b, a, not a"),
        (
            Shape(columns=(replace(A, mode="NULLABLE"), B), partition="day", cluster=("a",)),
            "a: NULLABLE in the",
        ),
    ],
)
def test_what_cannot_be_mended_in_place_is_told_in_words(actual: Shape, difference: str) -> None:
    found = drift(SHAPE, actual)
    assert not found.is_mendable
    assert found.remaining[0].startswith(difference)
