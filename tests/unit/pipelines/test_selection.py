"""Of a pipeline the steps run that are chosen, and what they need or feed only where that is asked for."""

from typing import Any

import pytest

from common.errors import InvalidInput
from common.pipelines.selection import StepSelection, read_selection
from tests.unit.runs.examples import a_pipeline, a_step

# load ─ clean ─┬─ report
# rates ────────┘─ export; other stands alone
PIPELINE = a_pipeline(
    (a_step("load"), a_step("rates"), a_step("other")),
    (a_step("clean", 2, depends_on=("load",)),),
    (a_step("report", 3, depends_on=("clean", "rates")), a_step("export", 3, depends_on=("rates",))),
)


@pytest.mark.parametrize(
    ("steps", "upstream", "downstream", "chosen"),
    [
        (("clean",), False, False, {"clean"}),
        (("clean",), True, False, {"load", "clean"}),
        (("clean",), False, True, {"clean", "report"}),
        (("clean",), True, True, {"load", "clean", "report"}),
        (("report",), True, False, {"load", "rates", "clean", "report"}),
        (("rates",), False, True, {"rates", "report", "export"}),
        (("export", "load"), False, False, {"export", "load"}),
        (("other",), True, True, {"other"}),
    ],
)
def test_steps_are_chosen_with_what_is_asked_for_beside_them(
    steps: tuple[str, ...], upstream: bool, downstream: bool, chosen: set[str]
) -> None:
    assert StepSelection(steps=steps, upstream=upstream, downstream=downstream).of(PIPELINE) == chosen


def test_what_a_chosen_step_feeds_does_not_bring_what_that_needs_beside_it() -> None:
    selection = StepSelection(steps=("clean",), upstream=True, downstream=True)
    assert "rates" not in selection.of(PIPELINE)


def test_a_restricted_pipeline_closes_up_and_says_what_it_leaves_out() -> None:
    restricted = PIPELINE.restricted_to({"load", "report"})
    assert [[step.id for step in level] for level in restricted.levels] == [["load"], ["report"]]
    assert [step.level for step in restricted.steps] == [1, 2]
    assert restricted.left_out == ("rates", "other", "clean", "export")


def test_all_steps_that_there_are_not_are_named_with_what_was_meant_perhaps() -> None:
    with pytest.raises(InvalidInput) as refused:
        StepSelection(steps=("load", "reprot", "nothing")).of(PIPELINE)
    assert [str(fault) for fault in refused.value.violations] == [
        "/steps/1: no step has the ID reprot; did you mean report?",
        "/steps/2: no step has the ID nothing",
    ]


@pytest.mark.parametrize(
    ("body", "selection"),
    [
        ({}, None),
        ({"upstream": False, "downstream": False}, None),
        ({"steps": ["load"]}, StepSelection(steps=("load",))),
        (
            {"steps": ["load"], "upstream": True, "downstream": True},
            StepSelection(steps=("load",), upstream=True, downstream=True),
        ),
    ],
)
def test_a_request_is_read(body: dict[str, Any], selection: StepSelection | None) -> None:
    assert read_selection(body) == selection


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"steps": []}, "/steps"),
        ({"steps": [1]}, "/steps"),
        ({"steps": ["a"] * 1001}, "/steps"),
        ({"upstream": True}, "/upstream"),
        ({"downstream": True}, "/downstream"),
    ],
)
def test_a_request_that_chooses_nothing_is_refused(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_selection(body)
    assert [fault.pointer for fault in refused.value.violations] == [pointer]
