"""Names that BigQuery takes for tables and columns: in letters of any script."""

import unicodedata

MAX_TABLE_BYTES = 1024
MAX_COLUMN_CHARACTERS = 300
TABLE_RULE = (
    "must name one table: letters of any script, digits, _, - and blanks inside, "
    "without a decorator ($) or a wildcard (*)"
)
COLUMN_RULE = (
    "must be a column: letters of any script, digits and _, beginning with no digit, at most 300 characters"
)

_LETTERS = {"L", "M"}
_WORD = {"L", "M", "N", "Pc"}
_TABLE = {*_WORD, "Pd"}


def is_table_name(text: str) -> bool:
    """Tell whether a table can be made under a name (without its dataset)."""
    fits = 0 < len(text.encode("utf-8", "replace")) <= MAX_TABLE_BYTES
    begins = text[:1] not in {"-", " "} and not text.endswith(" ")
    return fits and begins and all(_is_in(character, _TABLE) or character == " " for character in text)


def is_column_name(text: str) -> bool:
    """Tell whether a column can have a name."""
    fits = 0 < len(text) <= MAX_COLUMN_CHARACTERS
    return (
        fits
        and (text[0] == "_" or _is_in(text[0], _LETTERS))
        and all(_is_in(character, _WORD) for character in text)
    )


def _is_in(character: str, categories: set[str]) -> bool:
    category = unicodedata.category(character)
    return category in categories or category[0] in categories
