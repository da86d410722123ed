from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from common.errors import InvalidInput
from common.http.request_input import Values, read_parameters
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.logs import redaction, register_secrets
from tests.unit.http.site import Bare


def parameter(name: str, place: Place = Place.QUERY, is_required: bool = False, **schema: Any) -> Parameter:
    return Parameter(
        name=name, place=place, description="It.", schema=schema, example="", is_required=is_required
    )


def endpoint(call: Call[Bare]) -> Answer:
    """Do nothing."""
    return Answer(body=None)


ROUTE = Route(
    method="GET",
    path="/things/{thing_id}",
    endpoint=endpoint,
    access=Access.PUBLIC,
    answers={204: None},
    parameters=(
        parameter("thing_id", Place.PATH, type="string", pattern="^[a-z]+$"),
        parameter("limit", type="integer", minimum=1, maximum=100, default=20),
        parameter("is_new", type="boolean"),
        parameter("status", type="string", enum=["ON", "OFF"]),
        parameter("X-Reason", Place.HEADER, type="string", maxLength=5),
    ),
)


def read(query: str = "", thing_id: str = "a", **headers: str) -> Values:
    builder = EnvironBuilder(
        query_string=query, headers=[(k.replace("_", "-"), v) for k, v in headers.items()]
    )
    return read_parameters(Request(builder.get_environ()), ROUTE, {"thing_id": thing_id})


def violations(query: str = "", thing_id: str = "a", **headers: str) -> dict[str, str]:
    with pytest.raises(InvalidInput) as raised:
        read(query, thing_id, **headers)
    return {fault.pointer: fault.rule for fault in raised.value.violations}


def test_parameters_come_in_the_types_of_their_schemas() -> None:
    values = read("limit=5&is_new=false&status=ON", X_Reason="why")
    assert values.query == {"limit": 5, "is_new": False, "status": "ON"}
    assert (values.path, values.header) == ({"thing_id": "a"}, {"X-Reason": "why"})


def test_defaults_fill_in_and_nothing_else_does() -> None:
    values = read()
    assert (values.query, values.header) == ({"limit": 20}, {})


def test_all_violations_are_reported_at_once() -> None:
    found = violations("limit=0&is_new=maybe&status=on&limt=3", thing_id="A", X_Reason="too long")
    assert found == {
        "/path/thing_id": "must have the form that its description says",
        "/query/limit": "must be at least 1",
        "/query/is_new": "must be true or false",
        "/query/status": "must be one of ON, OFF, did you mean 'ON'?",
        "/header/X-Reason": "must have at most 5 characters",
        "/query/limt": "is not known here, did you mean 'limit'?",
    }


@pytest.mark.parametrize("text", ["", "1.0", "1e2", " 5", "\uff15", "0x5", "1_0", "9" * 30, "NaN"])
def test_only_plain_digits_are_an_integer(text: str) -> None:
    assert violations(f"limit={text}") == {"/query/limit": "must be a whole number"}


def test_a_parameter_given_twice_is_refused() -> None:
    assert violations("limit=1&limit=2") == {"/query/limit": "must be given once"}


def test_a_pattern_ends_where_the_text_ends() -> None:
    assert violations(thing_id="a\n") == {"/path/thing_id": "must have the form that its description says"}


def test_a_required_parameter_is_missed() -> None:
    values = Values()
    values.read(parameter("id", is_required=True, type="string"), [])
    assert [str(fault) for fault in values.violations] == ["/query/id: is required"]


@pytest.mark.parametrize("target", ["/things/letmein", "/things/a?status=letmein"])
def test_a_secret_of_the_platform_is_no_value_of_a_parameter(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "_known", set())
    register_secrets(["letmein"])
    path, _, query = target.partition("?")
    request = Request(EnvironBuilder(path=path, query_string=query).get_environ())
    with pytest.raises(InvalidInput, match="is a secret of the platform") as caught:
        read_parameters(request, ROUTE, {"thing_id": path.rpartition("/")[2]})
    assert "letmein" not in str(caught.value)
