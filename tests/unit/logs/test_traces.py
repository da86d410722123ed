import re

import pytest

from common.logs import Trace, continued

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_traceparent_is_read_and_written() -> None:
    trace = Trace.parse(f"00-{TRACE}-{SPAN}-01")
    assert trace == Trace(trace_id=TRACE, span_id=SPAN, is_sampled=True)
    assert trace is not None
    assert trace.traceparent == f"00-{TRACE}-{SPAN}-01"


def test_a_traceparent_of_a_later_version_is_read() -> None:
    assert Trace.parse(f"cc-{TRACE}-{SPAN}-00") == Trace(trace_id=TRACE, span_id=SPAN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-0١",  # noqa: RUF001 - a digit, but not one of the format's
    ],
)
def test_a_malformed_traceparent_is_none(text: str) -> None:
    assert Trace.parse(text) is None


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"{TRACE}/1;o=1", Trace(trace_id=TRACE, span_id="0000000000000001", is_sampled=True)),
        (f"{TRACE.upper()}/255;o=0", Trace(trace_id=TRACE, span_id="00000000000000ff")),
        (f"{TRACE}/18446744073709551615", Trace(trace_id=TRACE, span_id="f" * 16)),
    ],
)
def test_googles_own_header_is_read(header: str, trace: Trace) -> None:
    assert Trace.parse_cloud(header) == trace


@pytest.mark.parametrize("header", [TRACE, f"{TRACE}/0", f"{TRACE}/99999999999999999999;o=1"])
def test_googles_own_header_without_a_usable_span_gets_one(header: str) -> None:
    trace = Trace.parse_cloud(header)
    assert trace is not None
    assert trace.trace_id == TRACE
    assert re.fullmatch("[0-9a-f]{16}", trace.span_id)


@pytest.mark.parametrize("header", ["", "abc/1", f"{'0' * 32}/1", f"{TRACE}/x", f"{TRACE}/1;o=1;more"])
def test_a_malformed_header_of_googles_is_none(header: str) -> None:
    assert Trace.parse_cloud(header) is None


def test_the_standard_header_comes_first_then_googles_then_a_new_trace() -> None:
    standard, cloud = f"00-{TRACE}-{SPAN}-00", f"{'1' * 32}/7"
    assert continued(standard, cloud).trace_id == TRACE
    assert continued("broken", cloud).trace_id == "1" * 32
    assert continued("", "") != continued("", "")


def test_a_traceparent_is_a_valid_job_label() -> None:
    assert re.fullmatch(r"[a-z0-9_-]{1,63}", Trace.new().traceparent)
