"""Uploaded bytes, read: which texts are pipelines, and what each other one is told."""

import re

import pytest

from common.errors import InputTooLarge, MalformedInput, UnsupportedContentType
from common.pipelines.documents import MAX_BYTES, read_document
from tests.effort import calls_at_most

BLOCK = b"""# A comment.
pipeline:
  id: daily
  name: "Daily"
steps:
  - id: load
    config: {source_query: 'SELECT 1', target_table: t}
"""

CALLS_TO_THE_LIMIT = 100_000
"""Some thirty thousand are enough to get as deep as is allowed; what comes after it is not read."""


def rule_of(body: bytes | str) -> str:
    """Return the rule that a body breaks."""
    with pytest.raises(MalformedInput) as refused:
        read_document(body.encode() if isinstance(body, str) else body, "application/json")
    assert len(refused.value.violations) == 1
    return refused.value.violations[0].rule


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "application/yaml",
        "text/yaml; charset=UTF-8",
        'application/x-yaml; charset="utf-8"',
        "text/plain",
        "",
        None,
    ],
)
def test_yaml_is_read_under_any_content_type_that_curl_may_send(content_type: str | None) -> None:
    document = read_document(BLOCK, content_type)
    assert document["pipeline"] == {"id": "daily", "name": "Daily"}


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=x", "image/png", "text/yaml; charset=utf-16"]
)
def test_a_content_type_that_is_no_text_is_refused_and_told_another(content_type: str) -> None:
    with pytest.raises(UnsupportedContentType, match="--data-binary"):
        read_document(BLOCK, content_type)


def test_json_is_read_with_its_own_escapes_and_a_byte_order_mark() -> None:
    body = b'\xef\xbb\xbf\t{"pipeline": {"name": "\\ud83d\\ude80 \\/"}, "steps": [1, 2.5, null, true]}'
    assert read_document(body, None) == {"pipeline": {"name": "🚀 /"}, "steps": [1, 2.5, None, True]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1.0.0", "1.0.0"),
        (".inf", ".inf"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("-12", -12),
        ("1e3", 1000.0),
        ("0.5", 0.5),
        ('"true"', "true"),
        ("'12'", "12"),
        ("|\n  a\n  b", "a\nb\n"),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_an_unquoted_scalar_is_what_it_looks_like(text: str, value: object) -> None:
    read = read_document(f"key: {text}\n".encode(), None)["key"]
    assert read == value
    assert isinstance(read, type(value))
    assert isinstance(read, bool) == isinstance(value, bool)


def test_keys_are_always_text() -> None:
    assert read_document(b"on: 1\n2: a\nnull: b\n<<: c\n", None) == {
        "on": 1,
        "2": "a",
        "null": "b",
        "<<": "c",
    }


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    assert rule_of("a: 1\nb: 2\na: 3\n") == "line 3: the key 'a' is here a second time, first in line 1"
    assert rule_of('{"a": {"b": 1, "b": 2}}') == "has the key 'b' twice in one object"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("a: &x [1]\nb: *x\n", "line 1, column 4: anchors (&x) are not allowed: write the value out"),
        ("a: 1\nb: *x\n", "line 2, column 4: aliases (*name) are not allowed: write the value out"),
        (
            "a: 1\nb: !!python/object:os.system x\n",
            "line 2, column 4: tags (tag:yaml.org,2002:python/object:os.system) are not",
        ),
        ("a: !!binary aGk=\n", "line 1, column 4: tags (tag:yaml.org,2002:binary) are not allowed"),
        ("a: !local {b: 1}\n", "line 1, column 4: tags (!local) are not allowed"),
        ("a: 1\n---\nb: 2\n", "line 2: holds a second document: one file is one pipeline"),
        ("? [a, b]\n: 1\n", "line 1: a key must be a plain name"),
        ("a: [1\nb: 2\n", "line 2, column 2: a bracket is not closed"),
        ("a: [1, {b: 2,\n", "line 2, column 1: a bracket is opened here or above, and not closed"),
        ("a:\n\t- 1\n", "line 2, column 1: a tab can stand neither before a line nor before a value"),
        ("a:\t1\n", "line 1, column 3: a tab can stand neither before a line nor before a value"),
        ("- a\n- b\n", "must be a mapping with the keys `pipeline` and `steps`"),
        ("just words\n", "must be a mapping"),
        ("", "must be a mapping"),
        ("# Nothing but\n# comments.\n", "must be a mapping"),
        (b"a: \xff\n", "must be UTF-8 text; byte 3 is not"),
        ("\ufeffa: 1\n".encode("utf-16-le"), "must be UTF-8 text; it is UTF-16, so save it as UTF-8"),
        ("\ufeffa: 1\n".encode("utf-16-be"), "must be UTF-8 text; it is UTF-16, so save it as UTF-8"),
        ("a: 1\nb: x\x07\n", "line 2, column 5: holds U+0007, which no YAML may hold"),
        ("\0a: 1\n", "line 1, column 1: holds U+0000, which no YAML may hold"),
        ('{"a": NaN}', "holds the number NaN, which is not finite"),
        ('{"a": 1e999}', "holds the number 1e999, which is not finite"),
        ("a: 1e999\n", "line 1: holds the number 1e999, which is not finite"),
        ("a: " + "9" * 5000, "line 1: holds a number with too many digits"),
        ('{"a": ' + "9" * 5000 + "}", "holds a number with too many digits"),
        ('{"a": "\\ud800"}', "holds half of a surrogate pair, which is no character"),
        ('a: "\\ud800"\n', "holds half of a surrogate pair"),
        ('{"\\udfff": 1}', "holds half of a surrogate pair"),
    ],
)
def test_a_text_that_is_no_pipeline_file_is_told_why(body: bytes | str, rule: str) -> None:
    assert rule in rule_of(body)


def test_a_comment_within_an_unquoted_text_of_several_lines_is_told_to_go_behind_a_bar() -> None:
    for told in (
        rule_of("a:\n  b: SELECT 1 # c\n    FROM t\n"),
        rule_of("a:\n  b: SELECT 1\n    # c\n    FROM t\n"),
    ):
        assert "line 3" in told or "line 4" in told
        assert "a # within a text of several lines" in told
        assert "`|`" in told


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("* 5 * * *", "line 2, column 8: YAML takes a value that begins with * for an alias"),
        ("*/5 * * * *", "line 2, column 8: YAML takes a value that begins with * for an alias"),
        ("*name", "aliases (*name) are not allowed"),
        ("@daily", "line 2, column 7: no value can begin with @ in YAML"),
        ("`p.d.t`", "line 2, column 7: no value can begin with ` in YAML"),
        ("%d", "line 2, column 7: no value can begin with % in YAML"),
        ("SELECT 'a: b'", "line 2, column 16: YAML takes `: ` for the end of a key"),
        ("!important", "line 2, column 7: tags (!important) are not allowed"),
        ("&c Total", "line 2, column 7: anchors (&c) are not allowed"),
        ("[draft] Sales", "something stands behind the end of a value"),
        ("'a' b", "something stands behind the end of a value"),
        ("> 5 orders", "behind > or | a text begins in the line below"),
        ("- x", "no value can begin with - or ?"),
        (", x", "no value can begin with , in YAML"),
        (
            "{x: SELECT a, b FROM t, y: 1}",
            "in braces a comma ends a value: put the whole value before 'b FROM t'",
        ),
    ],
)
def test_a_value_that_lacks_its_quotes_is_told_to_have_them(value: str, rule: str) -> None:
    told = rule_of(f"a:\n  bc: {value}\nd: 1\n")
    assert rule in told
    assert "quotes" in told
    assert told.startswith("line 2")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *(
            (text, text)
            for text in ("12:30", "010", "0x1F", "0o17", "1_000", "yes", "on", "2024-01-01", ".inf", "=")
        ),
        ("'* 5 * * *'", "* 5 * * *"),
        ('"@daily"', "@daily"),
        ("a:b", "a:b"),
    ],
)
def test_a_text_stays_the_text_that_it_looks_like(value: str, read: str) -> None:
    assert read_document(f"a: {value}\n".encode(), None) == {"a": read}


@pytest.mark.parametrize(
    "text",
    [
        BLOCK.decode(),
        "pipeline:\n  id: a\nsteps:\n  - id: b\n",
        "# A comment swallows the rest.\npipeline: {id: a}\nsteps: []\n",
        "{pipeline: {id: a}, # A comment.\nsteps: []}\n",
        "steps:\n  - |\n    SELECT 1\n",
        "pipeline:\r\n  id: a\r\n  name: b\r\n",
    ],
)
def test_yaml_that_lost_its_line_breaks_is_told_of_data_binary(text: str) -> None:
    read_document(text.encode(), None)
    assert "--data-binary @file" in rule_of(text.replace("\r", "").replace("\n", ""))


def test_yaml_with_its_line_breaks_is_not_told_of_data_binary() -> None:
    assert "--data-binary" not in rule_of("a: 1\n b: 2\n")
    assert "--data-binary" not in rule_of("a: [")


def test_one_line_of_flow_style_is_a_document() -> None:
    assert read_document(b"{pipeline: {id: a}, steps: []}", None) == {"pipeline": {"id": "a"}, "steps": []}


def test_a_file_over_the_limit_of_size_is_refused() -> None:
    read_document(b"a: " + b"x" * (MAX_BYTES - 3), None)
    with pytest.raises(InputTooLarge, match="262,145 bytes"):
        read_document(b"a: " + b"x" * (MAX_BYTES - 2), None)


@pytest.mark.parametrize(
    "body",
    [
        "a: " + "[" * 200_000,
        "a: " + "{b: " * 50_000,
        "- " * 100_000,
        '{"a": ' + "[" * 100 + "]" * 100 + "}",
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_deep_nesting_is_refused_at_once(body: str) -> None:
    with (
        calls_at_most(CALLS_TO_THE_LIMIT),
        pytest.raises(InputTooLarge, match="nested more than 40 levels"),
    ):
        read_document(body.encode(), None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\"LIKE 'a\\_b'\"", "line 1: has \\\\_, of which YAML makes another character. .* double it"),
        ("\"r'\\bfoo'\"", "has \\\\b, of which"),
        ("\"r'\\d+'\"", "unknown escape character 'd' .* double it, or write the text behind `|`"),
        ("0.12345678901234567890", "of which digits would be lost: put it in quotes"),
        ("'a\x85b'", "holds U\\+0085, of which YAML makes a line break"),
        ("'a\u2028b'", "holds U\\+2028"),
    ],
)
def test_what_yaml_would_change_without_a_word_is_refused(text: str, words: str) -> None:
    assert re.search(words, rule_of(f"pipeline: {text}\n"))


def test_escapes_that_mean_what_they_look_like_are_kept() -> None:
    document = read_document(b'pipeline: "a\\\\d \\"b\\" \\n \\t \\/ \\u00e9"\n', None)
    assert document == {"pipeline": 'a\\d "b" \n \t / é'}


def test_a_character_that_json_escapes_by_halves_is_one_in_yaml_too() -> None:
    document = read_document(b'a: "x \\ud83d\\ude00 y" # no JSON\n"\\uD83D\\uDE00": 1\n', "application/yaml")
    assert document == {"a": "x \U0001f600 y", "\U0001f600": 1}
