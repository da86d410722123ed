r"""Literals of bytes as BigQuery reads them: `b'\xff'` is one byte, `b'ü'` is two, `rb'\d'` has a backslash.

sqlglot makes characters of them, which do not tell the first from the second, and knows no raw ones.
"""

import re

from local_bigquery.sql import script
from local_bigquery.sql.dialect import BigQueryDialect
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from local.bigquery.array_paths import READERS, PathDialect

QUOTES = ("'", '"', "'''", '"""')
RAW = tuple(first + second for first, second in ("rb", "rB", "Rb", "RB", "br", "bR", "Br", "BR"))
_LITERAL = re.compile(r"""(?P<prefix>[rRbB]+)(?P<quote>'''|\"\"\"|'|")(?P<text>.*)(?P=quote)""", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:[xX]([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL)
_CONTROLS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


NAMES = frozenset({"GLOB", "NOTNULL", "REGEXP", "RETURNING", "RLIKE", "UNCACHE", "XOR"})
"""Words of other dialects that are names for BigQuery."""


class BytesTokenizer(BigQuery.Tokenizer):
    """Cuts statements as sqlglot does, raw bytes as raw strings, and takes no other words for keywords."""

    KEYWORDS = {  # noqa: RUF012 - sqlglot has it so.
        word: kind for word, kind in BigQuery.Tokenizer.KEYWORDS.items() if word not in NAMES
    }

    RAW_STRINGS = [  # noqa: RUF012 - sqlglot has it so.
        *BigQuery.Tokenizer.RAW_STRINGS,
        *((prefix + quote, quote) for prefix in RAW for quote in QUOTES),
    ]


class ScriptTokenizer(BytesTokenizer):
    """Cuts scripts, in which no word begins a command that is taken as a whole."""

    COMMANDS = set()  # noqa: RUF012 - as above.


def install() -> None:
    """Let both readers read them."""
    for dialect in (BigQueryDialect, PathDialect):
        dialect.tokenizer_class = BytesTokenizer
    script.Tokenizer = ScriptTokenizer
    for parser in READERS:
        parser.PRIMARY_PARSERS = {
            **parser.PRIMARY_PARSERS,
            TokenType.RAW_STRING: parse_raw,
            TokenType.BYTE_STRING: parse_bytes,
        }


def parse_raw(self: Parser, token: Token) -> exp.Expr:
    """Read a raw string, or raw bytes."""
    if self.sql[token.start : token.start + 2] in RAW:
        return parse_bytes(self, token)
    return self.expression(exp.RawString(this=token.text), token)


def parse_bytes(self: Parser, token: Token) -> exp.Expr:
    """Read bytes; the characters of what it gives are their numbers."""
    written = bytes_of(self.sql[token.start : token.end + 1])
    is_bytes = self.dialect.BYTE_STRING_IS_BYTES_TYPE or None
    return self.expression(exp.ByteString(this=written.decode("latin-1"), is_bytes=is_bytes), token)


def bytes_of(literal: str) -> bytes:
    """Return the bytes that a literal stands for."""
    found = _LITERAL.fullmatch(literal)
    if found is None:
        return b""
    written = found["text"].encode()
    return written if "r" in found["prefix"].lower() else _ESCAPE.sub(_unescaped, written)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    if escape[1] or escape[2]:
        return bytes([int(escape[1], 16) if escape[1] else int(escape[2], 8) % 256])
    return _CONTROLS.get(escape[3], escape[3])
