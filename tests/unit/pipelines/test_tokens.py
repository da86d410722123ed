"""SQL cut into tokens: whatever looks like code to BigQuery is code here."""

import pytest

from common.pipelines.tokens import Kind, LexicalViolation, masked, tokens, with_line_feeds


def kinds(sql: str) -> list[tuple[str, str]]:
    """Return the tokens without the blanks, as (kind, text)."""
    return [(piece.kind.value, piece.text) for piece in tokens(sql) if piece.kind is not Kind.SPACE]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a -- b 'c\nd", [("name", "a"), ("comment", "-- b 'c"), ("name", "d")]),
        ("a # b\nd", [("name", "a"), ("comment", "# b"), ("name", "d")]),
        (
            "a /* /* */ b */",
            [("name", "a"), ("comment", "/* /* */"), ("name", "b"), ("symbol", "*"), ("symbol", "/")],
        ),
        ("'it''s'", [("string", "'it'"), ("string", "'s'")]),
        (r"'a\'b' c", [("string", r"'a\'b'"), ("name", "c")]),
        (r"r'a\'b' c", [("string", r"r'a\'b'"), ("name", "c")]),
        (r"'\\' c", [("string", r"'\\'"), ("name", "c")]),
        ("rB\"x\" b'y' R'z'", [("string", 'rB"x"'), ("string", "b'y'"), ("string", "R'z'")]),
        ("foor'x'", [("name", "foor"), ("string", "'x'")]),
        ("'''a'b''c\nd''' e", [("string", "'''a'b''c\nd'''"), ("name", "e")]),
        ('"""a"b""" e', [("string", '"""a"b"""'), ("name", "e")]),
        (r"'''a\'''b''' e", [("string", r"'''a\'''b'''"), ("name", "e")]),
        ("'' ''", [("string", "''"), ("string", "''")]),
        ("`a-b`.c", [("quoted", "`a-b`"), ("symbol", "."), ("name", "c")]),
        (
            "'-- no comment' \"/*\" `#`",
            [("string", "'-- no comment'"), ("string", '"/*"'), ("quoted", "`#`")],
        ),
        ("${a} @b @@c.d", [("variable", "${a}"), ("parameter", "@b"), ("system", "@@c.d")]),
        ("1e5 t$2", [("number", "1e5"), ("name", "t"), ("symbol", "$"), ("number", "2")]),
    ],
)
def test_a_statement_is_cut_as_bigquery_cuts_it(sql: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(sql) == expected


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("a\n/* b", "a comment that begins in line 2"),
        ("'a\nb'", "a string that begins in line 1"),
        (r"'a\'", "a string that begins in line 1"),
        ("'''a''", "a string that begins in line 1"),
        ('"a', "a string that begins in line 1"),
        ("`a\n`", "a quoted name that begins in line 1"),
        (r"`a\x2e`", "a quoted name that begins in line 1"),
        ("``", "a quoted name that begins in line 1"),
        ("'a\\\nb'", "a string that begins in line 1"),
    ],
)
def test_what_does_not_end_is_refused(sql: str, what: str) -> None:
    with pytest.raises(LexicalViolation, match=f"has {what}"):
        tokens(sql)


@pytest.mark.parametrize(
    "character", ["\0", "\v", "\x1f", "\x85", "\u2028", "\u202e", "\u2066", "\u200f", "\u061c", "\ue000"]
)
@pytest.mark.parametrize("sql", ["a{}b", "'{}'", "-- {}", "`{}`"])
def test_what_controls_or_turns_text_is_refused_wherever_it_stands(sql: str, character: str) -> None:
    with pytest.raises(LexicalViolation, match=f"U\\+{ord(character):04X} in line 1"):
        tokens(sql.format(character))


SCRIPTS = {
    "a no-break space": "\xa0",
    "an ideographic space": "\u3000",
    "a joiner": "\u200d",
    "a non-joiner": "\u200c",
    "a zero-width space": "\u200b",
    "a byte order mark": "\ufeff",
    "a tag of a flag": "\U000e0067",
}


@pytest.mark.parametrize("character", SCRIPTS.values(), ids=SCRIPTS)
def test_what_scripts_and_emoji_are_written_with_is_for_strings_and_comments(character: str) -> None:
    for sql in ("'a{}b'", '"""{}"""', "r'{}'", "SELECT 1 -- {}", "# {}", "/* {} */"):
        written = sql.format(character)
        assert "".join(piece.text for piece in tokens(written)) == written
    for sql in ("a{}b", "`{}`", "@a{}", "1{}", "SELECT{}1"):
        with pytest.raises(LexicalViolation, match=f"U\\+{ord(character):04X} in line 1"):
            tokens(sql.format(character))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT \u2018a\u2019", "has \u2018 in line 1, column 8: SQL takes '"),
        ("SELECT 1 AS \u201ca\u201d", 'has \u201c in line 1, column 13: SQL takes "'),
        ("SELECT a\n\u2013 1", "has \u2013 in line 2, column 1: SQL takes -"),
        ("SELECT a\u00d72", "has \u00d7 in line 1, column 9: SQL takes \\*"),
        ("SELECT a\uff0cb", "has \uff0c in line 1, column 9: SQL takes ,"),
        ("SELECT größe", "has ö in line 1, column 10: a name with such a character stands in backticks"),
        ("SELECT 日本", "has 日 in line 1, column 8: a name with such a character stands in backticks"),
    ],
)
def test_outside_quotes_and_comments_nothing_is_sql_but_ascii(sql: str, said: str) -> None:
    with pytest.raises(LexicalViolation, match=said):
        tokens(sql)


def test_letters_of_any_script_are_kept() -> None:
    assert "".join(piece.text for piece in tokens("`größe`, `日本`")) == "`größe`, `日本`"
    assert "".join(piece.text for piece in tokens("'größe 日本 🚀' -- Привет")) == "'größe 日本 🚀' -- Привет"


def test_a_masked_statement_keeps_code_and_lines_and_loses_the_rest() -> None:
    sql = "SELECT '''tenants\n.k''' /* from\n x */, `a` -- y\nFROM t"
    assert masked(tokens(sql)) == "SELECT '$'\n  \n, `a`  \nFROM t"


def test_every_line_ends_with_a_line_feed() -> None:
    assert with_line_feeds("a\r\nb\rc\nd") == "a\nb\nc\nd"
