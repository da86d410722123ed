"""Errors as a page shows them."""

import pytest
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from common.console.refusals import shown


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (NotFound(), 404, "There is no page at this address."),
        (NotFound("There is no such table."), 404, "There is no such table."),
        (MethodNotAllowed(), 405, "This address takes a form alone: begin at the page that has it."),
    ],
)
def test_what_is_not_there_is_told_in_the_consoles_words(
    error: HTTPException, status: int, told: str
) -> None:
    answered, page = shown(error)
    assert (answered, page["told"]) == (status, told)
