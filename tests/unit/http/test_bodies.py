import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from common.errors import (
    ConvergenceError,
    InputTooLarge,
    InvalidInput,
    MalformedInput,
    UnsupportedContentType,
)
from common.http.request_input import read_content, read_json
from common.http.routing import Content
from common.json_bodies import parse_json


def read(data: bytes, content_type: str = "application/json", **headers: str) -> object:
    builder = EnvironBuilder(
        method="POST",
        data=data,
        content_type=content_type,
        headers=[(k.replace("_", "-"), v) for k, v in headers.items()],
    )
    return read_json(read_content(Request(builder.get_environ()), 1000), "run_request")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
    ],
)
def test_json_is_read(content_type: str) -> None:
    assert read(b'{"date": "2024-01-01"}', content_type) == {"date": "2024-01-01"}


def test_a_mark_before_the_text_is_left_out() -> None:
    assert read(b'\xef\xbb\xbf{"date": "2024-01-01"}') == {"date": "2024-01-01"}


@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain"])
@pytest.mark.parametrize("data", [b"", b" \r\n"])
def test_no_body_is_an_empty_object(data: bytes, content_type: str) -> None:
    assert read(data, content_type) == {}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/jsonp",
        "application/json, text/plain",
    ],
)
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedContentType):
        read(b"{}", content_type)


def test_a_compressed_body_is_refused() -> None:
    with pytest.raises(UnsupportedContentType):
        read(b"\x1f\x8b", Content_Encoding="gzip")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": 1} {"b": 2}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e400}',
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"a": "\\u0000"}',
        '{"a\\u0000b": 1}',
        '{"a": [["b\\u0000"]]}',
        '{"a": ' + "9" * 5000 + "}",
        "\ufeff{}",
        '{"a": "line\nbreak"}',
        "[1, 2",
        "nul",
    ],
)
def test_what_is_no_plain_json_cannot_be_read(text: str) -> None:
    with pytest.raises(MalformedInput):
        parse_json(text)


def test_a_duplicate_key_is_named() -> None:
    with pytest.raises(MalformedInput, match="'tenant_id'"):
        parse_json('{"tenant_id": "acme", "tenant_id": "victim"}')


def test_a_syntax_error_says_where() -> None:
    with pytest.raises(MalformedInput, match="line 2, column 1"):
        parse_json('{"a":\n}')


@pytest.mark.parametrize("text", ["[" * 33 + "]" * 33, "[" * 100_000, '{"a":' * 40 + "1" + "}" * 40])
def test_nesting_beyond_the_limit_is_refused(text: str) -> None:
    with pytest.raises(InputTooLarge):
        parse_json(text)


def test_nesting_within_the_limit_is_read() -> None:
    assert parse_json("[" * 32 + "]" * 32)


def test_one_point_nought_is_the_integer_one() -> None:
    assert [type(number) for number in parse_json("[1.0, 1e3, 1.5, 1e300]")] == [int, int, float, float]


def test_a_body_of_another_encoding_cannot_be_read() -> None:
    with pytest.raises(MalformedInput, match="UTF-8: byte 10"):
        read(b'{"date": "\xff"}')


def test_a_body_that_is_no_object_breaks_a_rule() -> None:
    with pytest.raises(InvalidInput, match="must be an object"):
        read(b"[]")


@pytest.mark.parametrize("length", [1000, 1001])
def test_a_body_may_have_as_many_bytes_as_the_route_takes(length: int) -> None:
    data = b'{"date": "2024-01-01"}'.ljust(length)
    if length <= 1000:
        assert read(data) == {"date": "2024-01-01"}
    else:
        with pytest.raises(InputTooLarge, match="1000 bytes"):
            read(data)


def test_a_chunked_body_cannot_pass_the_limit() -> None:
    environ = EnvironBuilder(method="POST", data=b"x" * 1001).get_environ()
    del environ["CONTENT_LENGTH"]
    environ["wsgi.input_terminated"] = True
    with pytest.raises(InputTooLarge):
        read_content(Request(environ), 1000)


def test_raw_content_that_is_no_utf_8_cannot_be_text() -> None:
    with pytest.raises(MalformedInput, match="byte 2"):
        _ = Content(data=b"ok\xff", content_type="text/yaml").text


@pytest.mark.parametrize("text", ["[]", '""', "0", "null", "true"])
def test_small_json_values_are_read(text: str) -> None:
    try:
        parse_json(text)
    except ConvergenceError:
        pytest.fail("plain JSON")
