"""What is wrong with a text that is no YAML, in words: most often a value lacks its quotes."""

import re

_QUOTES = "put the whole value in quotes"
ESCAPES = "In double quotes a backslash begins an escape: double it, or write the text behind `|`"
_RULES = (
    (r"while scanning an alias", f"YAML takes a value that begins with * for an alias: {_QUOTES}"),
    (r"while scanning an anchor", f"YAML takes a value that begins with & for an anchor: {_QUOTES}"),
    (r"while scanning a tag", f"YAML takes a value that begins with ! for a tag: {_QUOTES}"),
    (r"found character '\\t'", "a tab can stand neither before a line nor before a value: use blanks"),
    (r"found character '(.)' that cannot start", f"no value can begin with {{0}} in YAML: {_QUOTES}"),
    (
        r"mapping values are not allowed",
        f"YAML takes `: ` for the end of a key, and a line has one key: {_QUOTES}, or indent the key",
    ),
    (
        r"while scanning a block scalar",
        f"behind > or | a text begins in the line below: {_QUOTES}, or begin the text there",
    ),
    (
        r"found unexpected end of stream while scanning a quoted scalar",
        "a quote is opened here or above, and not closed",
    ),
    (
        r"unknown escape character '(.)'",
        f"has \\{{0}}, which is no escape. {ESCAPES}",
    ),
    (
        r"while parsing a flow (?:mapping|sequence)",
        f"a bracket is not closed, or a value in brackets holds one of , : [ ] {{{{ }}}}: {_QUOTES}",
    ),
    (
        r"expected <block end>, but found '(?:<scalar>|,|\[|\]|\{|\}|\?|:)'",
        "something stands behind the end of a value (its closing quote or bracket, or a # within a text of "
        f"several lines), or a line is not indented like those around it: {_QUOTES}, write a text of several "
        "lines behind `|`, or mend the blanks",
    ),
    (r"expected <block end>", "a line is not indented like those around it"),
    (r"but found '<stream end>'", "a bracket is opened here or above, and not closed"),
    (r"expected the node content, but found '(.+)'", f"no value can begin with {{0}} in YAML: {_QUOTES}"),
    (
        r"(?:mapping keys|sequence entries) are not allowed",
        f"no value can begin with - or ? in YAML: {_QUOTES}",
    ),
    (r"could not find expected ':'", "a line has neither a key with a colon behind it nor a - before it"),
)
_PATTERNS = [(re.compile(pattern), rule) for pattern, rule in _RULES]


def rule_for(problem: str) -> str:
    """Say in words what the reader of YAML says in its own; where there are none, those."""
    for pattern, rule in _PATTERNS:
        if found := pattern.search(problem):
            return rule.format(*found.groups())
    return f"is no YAML: {problem}"
