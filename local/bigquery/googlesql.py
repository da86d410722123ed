"""What GoogleSQL does not have and DuckDB would take: refused with BigQuery's kind of sentence.

It is found among the tokens, so that its place can be told. This is no analyzer: what is refused here is
certainly wrong, and what is not may be.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

from local_bigquery.sql.dialect import BigQueryDialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from common.pipelines.tokens import Kind, LexicalViolation
from common.pipelines.tokens import tokens as sql_tokens
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.proxy import Forward

_NO_FUNCTIONS = """
    ADD_MONTHS AGE ARG_MAX ARG_MIN ARRAY_AGG_DISTINCT ARRAY_CONTAINS ARRAY_EXTRACT ARRAY_HAS
    ARRAY_POSITION ARRAY_PREPEND ARRAY_APPEND ARRAY_SORT ARRAY_UNIQUE BASE64 BOOL_AND BOOL_OR CENTURY
    CONCAT_WS CONTAINS DATEADD DATEDIFF DATENAME DATEPART DATE_PART DAY DAYNAME DAYOFMONTH DAYOFWEEK
    DAYOFYEAR DATE_FORMAT DECODE ENCODE EPOCH EPOCH_MS ENDSWITH EVERY FILTER FIRST FORMAT_NUMBER
    FROM_BASE64_URL FROM_UNIXTIME GENERATE_SERIES GETDATE GROUP_CONCAT HOUR ISFINITE ISINF ISNAN ISNULL
    JSON_EACH JSON_EXTRACT_PATH LAST LAST_DAY_OF_MONTH LCASE LEN LEVENSHTEIN LISTAGG LIST_AGG LIST_VALUE
    LOCATE LOG2 MAKE_DATE MAKE_TIMESTAMP MAP MEDIAN MID MINUTE MODE MONTH MONTHNAME NOW NVL NVL2
    PERCENTILE_APPROX POSITION PRINTF QUANTILE QUANTILE_CONT QUANTILE_DISC QUARTER READ_CSV READ_JSON
    READ_PARQUET REGEXP_FULL_MATCH REGEXP_LIKE REGEXP_MATCHES REGEXP_SPLIT_TO_ARRAY ROW SECOND SIZE
    SPLIT_PART STARTSWITH STRFTIME STRING_SPLIT STRING_TO_ARRAY STRPTIME STRUCT_EXTRACT STRUCT_PACK
    STRUCT_INSERT SUBSTRING_INDEX TODAY TO_CHAR TO_DATE TO_DAYS TO_NUMBER TO_TIMESTAMP TO_VARCHAR
    ARRAY_AVG ARRAY_IS_DISTINCT ARRAY_MAX ARRAY_MIN ARRAY_SUM
    TO_SECONDS TRY TRY_CAST UCASE UNIXEPOCH UUID WEEKDAY YEAR YEARWEEK ZIP
"""
NO_FUNCTIONS = frozenset(_NO_FUNCTIONS.split())
"""Functions of other dialects that BigQuery has not."""
NO_PREFIXES = ("LIST_", "MAP_", "DUCKDB_", "PRAGMA_")
_NO_TYPES = """
    BLOB CHAR DOUBLE FLOAT FLOAT4 FLOAT8 HUGEINT INT1 INT128 INT16 INT2 INT32 INT4 INT8 LONG NVARCHAR REAL
    SHORT TEXT TIMESTAMPTZ TIMESTAMP_NTZ UBIGINT UINTEGER USMALLINT UTINYINT UUID VARBINARY VARCHAR
"""
NO_TYPES = frozenset(_NO_TYPES.split())
NO_STATEMENTS = {
    "DESCRIBE": "DescribeStatement",
    "DESC": "DescribeStatement",
    "EXPLAIN": "ExplainStatement",
    "SHOW": "ShowStatement",
}
NO_OPERATORS = {"::": ":", "%": "%", "**": "*", "//": "/", "==": "="}
NO_PHRASES = {
    ("SELECT", "UNNEST"): "Unexpected keyword UNNEST",
    ("DISTINCT", "ON"): "Unexpected keyword ON",
    ("*", "EXCLUDE"): "Expected end of input but got keyword EXCLUDE",
    ("ORDER BY", "ALL"): "Unexpected keyword ALL",
    ("USING", "SAMPLE"): "Expected end of input but got keyword USING",
    ("ILIKE",): 'Expected end of input but got identifier "ILIKE"',
    ("JOIN", "LATERAL"): "LATERAL join is not supported",
    (",", "LATERAL", "("): "LATERAL join is not supported",
    ("NATURAL", "JOIN"): "Natural join not supported",
    ("WITHIN", "GROUP", "("): "Expected end of input but got keyword WITHIN",
    ("ASOF", "JOIN"): 'Expected end of input but got identifier "ASOF"',
    ("SEMI", "JOIN"): 'Expected end of input but got identifier "SEMI"',
    ("ANTI", "JOIN"): 'Expected end of input but got identifier "ANTI"',
    ("SIMILAR", "TO"): 'Expected end of input but got identifier "SIMILAR"',
    ("FETCH", "FIRST"): "Expected end of input but got keyword FETCH",
    ("INTERSECT", "ALL"): "Expected keyword DISTINCT but got keyword ALL",
    ("EXCEPT", "ALL"): "Expected keyword DISTINCT but got keyword ALL",
    ("(", "VALUES", "("): 'Unexpected "("',
    (",", "]"): 'Unexpected "]"',
    (")", "FILTER", "(", "WHERE"): 'Expected end of input but got "("',
}
"""Each with what the parser says where it meets the phrase."""
QUERIES = frozenset({"SELECT", "FROM", "WITH", "("})
"""How a query begins: a comma may stand behind the last column of one that has no FROM."""
QUANTIFIERS = frozenset({"ALL", "ANY", "SOME"})
COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ESCAPED = frozenset("abfnrtv\\?\"'`uUxX01234567\n")
"""What can stand behind the backslash of an escape."""
QUOTED = frozenset({TokenType.STRING, TokenType.IDENTIFIER, TokenType.RAW_STRING, TokenType.BYTE_STRING})
CASTS = frozenset({"CAST", "SAFE_CAST", "TRY_CAST"})
NAMES_BEFORE = frozenset({".", "INTO", "TABLE", "FROM", "JOIN", "VIEW", "UPDATE", "MERGE", "FUNCTION"})
"""What follows these is a name of somebody's own."""


_RESERVED = """
    ALL AND ANY ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT
    DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR
    FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTO IS JOIN LATERAL LEFT LIKE LIMIT
    LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY
    RECURSIVE RESPECT RIGHT ROLLUP ROWS SET SOME TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING
    WHEN WHERE WINDOW WITHIN
"""
RESERVED = frozenset(_RESERVED.split())
"""Words that nothing can be called without backticks."""


class GoogleSql:
    """Refuse jobs whose SQL BigQuery would refuse, dry runs too."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when nothing is found in its SQL."""
        if call.sql and (message := refusal(call.sql)):
            return await fail_job(call, "invalidQuery", message)
        return await forward(call)

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


@lru_cache(maxsize=1024)
def refusal(sql: str) -> str:
    """Return why BigQuery would not take a statement, "" where nothing is found."""
    try:
        tokens = BigQueryDialect().tokenize(sql)
    except SqlglotError:
        return ""  # The parser will say so.
    if any(token.text.upper() == "FUNCTION" for token in tokens):
        return ""  # Its body may be of another language.
    return next(chain(_illegal_escapes(sql), _refusals(tokens)), "")


def _illegal_escapes(sql: str) -> Iterator[str]:
    """Refuse a backslash that begins no escape, as in a pattern that is not written as r'…'."""
    try:
        strings = [token for token in sql_tokens(sql) if token.kind is Kind.STRING]
    except LexicalViolation:
        return
    for token in strings:
        quote = min(token.text.find(sign) for sign in "'\"" if sign in token.text)
        prefix = token.text[:quote].lower()
        if "r" in prefix:
            continue
        for escape in ESCAPE.finditer(token.text):
            if escape[1] not in (ESCAPED - {"u", "U"} if prefix else ESCAPED):
                before = token.text[: escape.start()]
                line = token.line + before.count("\n")
                column = len(before) - before.rfind("\n") if "\n" in before else token.column + len(before)
                yield f"Syntax error: Illegal escape sequence: {escape[0]} at [{line}:{column}]"


def _refusals(tokens: Sequence[Token]) -> Iterator[str]:
    words = [_word(token) for token in tokens]
    calls: list[str] = []
    yield from _refusals_of_brackets(tokens, words)
    for place, (token, word) in enumerate(zip(tokens, words, strict=True)):
        before, after = words[place - 1] if place else "", words[place + 1 : place + 2]
        if word == "(":
            calls.append(before)
        elif word == ")" and calls:
            calls.pop()
        yield from _refusals_of_characters(token, word)
        yield from _refusals_of_syntax(tokens, words, place)
        if after == ["("] and before not in NAMES_BEFORE and _is_foreign(word):
            yield f"Function not found: {token.text} at {_position(token)}"
        if word == "LIMIT" and words[place + 2 : place + 3] == [","]:
            yield f'Syntax error: Expected end of input but got "," at {_position(tokens[place + 2])}'
        is_message = words[0] == "ASSERT" and not calls  # Of an assertion, which is a text.
        if word == "AS" and place + 1 < len(tokens) and calls[-1:] != ["WITH"] and not is_message:
            yield from _refusals_of_name(tokens[place + 1], within=calls[-1] if calls else "")


def _refusals_of_brackets(tokens: Sequence[Token], words: Sequence[str]) -> Iterator[str]:
    """Refuse a comma behind the last of what is no list of columns, and statements that there are not."""
    if statement := NO_STATEMENTS.get(words[0] if words else ""):
        yield f"Statement not supported: {statement}"
    if not words or words[0] not in QUERIES:
        return
    holds_query: list[bool] = []
    for place, word in enumerate(words):
        if word == "(":
            holds_query.append(words[place + 1 : place + 2] != [] and words[place + 1] in QUERIES)
        elif word == ")" and holds_query and not holds_query.pop() and words[place - 1] == ",":
            yield f'Syntax error: Unexpected ")" at {_position(tokens[place])}'


def _refusals_of_characters(token: Token, word: str) -> Iterator[str]:
    """Refuse what is no ASCII outside quotes and comments; Google's lexer tells its first byte."""
    for place, character in enumerate(token.text if word else ""):
        if not character.isascii():
            column = token.col - (token.end - token.start) + place
            byte = character.encode()[0]
            yield f'Syntax error: Illegal input character "\\{byte:o}" at [{token.line}:{column}]'


def _refusals_of_syntax(tokens: Sequence[Token], words: Sequence[str], place: int) -> Iterator[str]:
    if sign := NO_OPERATORS.get(words[place]):
        yield f'Syntax error: Unexpected "{sign}" at {_position(tokens[place])}'
    if place and words[place] in QUANTIFIERS and words[place - 1] in COMPARISONS:
        yield f"Syntax error: Unexpected keyword {words[place]} at {_position(tokens[place])}"
    for phrase, said in NO_PHRASES.items():
        last = place + len(phrase)
        if tuple(words[place:last]) == phrase:
            yield f"Syntax error: {said} at {_position(tokens[last - 1])}"


def _refusals_of_name(token: Token, within: str) -> Iterator[str]:
    """Judge what follows AS; a column of UNPIVOT's IN may be called by a text."""
    if within in CASTS and _word(token) in NO_TYPES:
        yield f"Type not found: {token.text} at {_position(token)}"
    if token.token_type not in QUOTED and token.text.upper() in RESERVED:
        yield f"Syntax error: Unexpected keyword {token.text.upper()} at {_position(token)}"
    if token.token_type is TokenType.STRING and within != "IN":
        yield f'Syntax error: Unexpected string literal "{token.text}" at {_position(token)}'


def _word(token: Token) -> str:
    """Return a word or sign in capitals; "" for what stands in quotes."""
    return token.text.upper() if token.token_type not in QUOTED else ""


def _is_foreign(word: str) -> bool:
    return word in NO_FUNCTIONS or word.startswith(NO_PREFIXES)


def _position(token: Token) -> str:
    return f"[{token.line}:{token.col - (token.end - token.start)}]"
