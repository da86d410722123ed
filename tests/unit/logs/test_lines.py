import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import InvalidInput, NotConfigured, QueryRefused, Unavailable, Violation
from common.logs import Trace, log_context
from common.logs.lines import JsonLine, TextLine

KEY = "acme_api_CYQQO8EL1kCjKfMG"
TRACE = Trace(trace_id="a" * 32, span_id="b" * 16, is_sampled=True)


class Written(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def written() -> Written:
    handler = Written()
    handler.setFormatter(JsonLine("my-project"))
    return handler


@pytest.fixture
def logger(written: Written) -> Iterator[logging.Logger]:
    logger = logging.getLogger("tests.logs")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(written)
    yield logger
    logger.removeHandler(written)
    logger.propagate = True


def only(written: Written) -> dict[str, Any]:
    (line,) = written.lines
    assert "\n" not in line
    fields: dict[str, Any] = json.loads(line)
    return fields


def log_failure(logger: logging.Logger) -> None:
    try:
        int(KEY)
    except ValueError:
        logger.exception("request failed")


def test_an_event_is_one_json_line_in_cloud_loggings_fields(logger: logging.Logger, written: Written) -> None:
    with log_context(trace=TRACE, tenant="acme", run="r1", level=2):
        logger.warning("step %s\nclaimed", "x", extra={"step": "extract", "attempt": 1})
    line = only(written)
    assert line["severity"] == "WARNING"
    assert line["message"] == "step x\nclaimed"
    assert line["time"].endswith("Z")
    assert line["attempt"] == 1
    assert line["logging.googleapis.com/trace"] == f"projects/my-project/traces/{'a' * 32}"
    assert line["logging.googleapis.com/spanId"] == "b" * 16
    assert line["logging.googleapis.com/trace_sampled"] is True
    assert line["logging.googleapis.com/labels"] == {
        "tenant": "acme",
        "run": "r1",
        "level": "2",
        "step": "extract",
    }
    location = line["logging.googleapis.com/sourceLocation"]
    assert location["file"].endswith("test_lines.py")
    assert (location["function"], location["line"].isdigit()) == (
        "test_an_event_is_one_json_line_in_cloud_loggings_fields",
        True,
    )


def test_an_event_outside_of_any_context_has_no_trace_and_no_labels(
    logger: logging.Logger, written: Written
) -> None:
    logger.info("started")
    line = only(written)
    assert "logging.googleapis.com/trace" not in line
    assert line["logging.googleapis.com/labels"] == {}


def test_an_exception_comes_with_its_stack(logger: logging.Logger, written: Written) -> None:
    log_failure(logger)
    line = only(written)
    assert line["stack_trace"].startswith("Traceback")
    assert "CYQQO8EL1kCjKfMG" not in line["stack_trace"]


def test_a_field_cannot_replace_one_that_cloud_logging_reads(
    logger: logging.Logger, written: Written
) -> None:
    logger.info("started", extra={"severity": "EMERGENCY", "time": "never"})
    line = only(written)
    assert (line["severity"], line["severity_"], line["time_"]) == ("INFO", "EMERGENCY", "never")


def test_no_field_of_an_event_holds_a_secret(logger: logging.Logger, written: Written) -> None:
    with log_context(tenant=KEY):
        logger.error(
            "given %s", KEY, extra={"header": {"X-Admin-Key": "X-Admin-Key: hunter22"}, "list": [KEY]}
        )
    assert "CYQQO8EL1kCjKfMG" not in written.lines[0]
    assert "hunter22" not in written.lines[0]


def test_a_value_that_is_no_json_is_written_as_text(logger: logging.Logger, written: Written) -> None:
    logger.info("odd", extra={"value": {1, 2}, "kind": ValueError("x"), "nan": float("nan")})
    assert (only(written)["kind"], only(written)["nan"]) == ("x", "nan")


def test_text_is_one_readable_line(logger: logging.Logger, written: Written) -> None:
    written.setFormatter(TextLine())
    with log_context(tenant="acme"):
        logger.info("step claimed\nby us", extra={"step": "a", "query": 'x = "1"', "empty": ""})
    (line,) = written.lines
    assert line[12:] == ' INFO    step claimed by us tenant=acme step=a query="x = \\"1\\"" empty=""'


def raise_it(error: Exception) -> None:
    raise error


def log_raised(logger: logging.Logger, error: Exception) -> None:
    try:
        raise_it(error)
    except Exception:
        logger.exception("work left for the next minute")


BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
FORGED = "00:00:00.000 INFO    all is well"


@pytest.mark.parametrize("broken", [*BREAKS, "\x1b[2K", "\x7f", "\u202e", "\ud800"])
@pytest.mark.parametrize("line_format", [TextLine(), JsonLine("my-project")], ids=["text", "json"])
def test_no_text_of_an_event_breaks_out_of_its_line(
    logger: logging.Logger, written: Written, broken: str, line_format: logging.Formatter
) -> None:
    written.setFormatter(line_format)
    hostile = f"x{broken}{FORGED}"
    extra = {"error": hostile, "list": [hostile], "step": hostile}
    # Not logged: what a test logs is in its report, which takes no half of a character.
    record = logger.makeRecord(logger.name, logging.INFO, __file__, 1, hostile, (), None, extra=extra)
    with log_context(tenant=hostile):
        written.handle(record)
    (line,) = written.lines
    assert line.splitlines() == [line]
    assert line.isprintable()


def test_an_exceptions_text_forges_no_line(logger: logging.Logger, written: Written) -> None:
    written.setFormatter(TextLine())
    log_raised(logger, ValueError(f"x\n{FORGED}\u2028{FORGED}"))
    (text,) = written.lines
    _, *stack = text.split("\n")
    assert all(line.startswith("  | ") and line.splitlines() == [line] for line in stack)


@pytest.mark.parametrize(
    ("error", "has_stack"),
    [
        (NotConfigured("not set up yet"), False),
        (InvalidInput([Violation("/steps/0", "is no step")]), False),
        (Unavailable("BigQuery did not answer"), False),
        (QueryRefused("no such column"), True),
        (KeyError("oops"), True),
    ],
)
@pytest.mark.parametrize("line_format", [TextLine(), JsonLine("my-project")], ids=["text", "json"])
def test_what_explains_itself_comes_without_a_stack(
    logger: logging.Logger,
    written: Written,
    line_format: logging.Formatter,
    error: Exception,
    has_stack: bool,
) -> None:
    written.setFormatter(line_format)
    log_raised(logger, error)
    (line,) = written.lines
    assert ("Traceback" in line) == has_stack
    assert ("error" in line) or has_stack


def test_text_has_the_stack_below(logger: logging.Logger, written: Written) -> None:
    written.setFormatter(TextLine())
    log_failure(logger)
    (line,) = written.lines
    assert line.splitlines()[1] == "  | Traceback (most recent call last):"
    assert "CYQQO8EL1kCjKfMG" not in line


def test_the_level_of_a_run_is_not_the_level_of_a_line(logger: logging.Logger, written: Written) -> None:
    logger.info("level completed", extra={"level": 3})
    line = only(written)
    assert (line["severity"], line["logging.googleapis.com/labels"]) == ("INFO", {"level": "3"})


def test_a_record_made_by_hand_is_written(written: Written) -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%s", ("y",), sys.exc_info())
    assert json.loads(written.format(record))["message"] == "y"
