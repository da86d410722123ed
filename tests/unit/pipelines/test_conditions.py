"""Conditions of steps: what they say, and every text that is none."""

from typing import Any

import pytest

from common.pipelines.conditions import MAX_DEPTH, Facts, NoCondition, read_condition
from tests.unit.pipelines.examples import a_document, a_step, compiled, violations_of

TYPES = {
    "region": "STRING",
    "date": "DATE",
    "rows": "INT64",
    "share": "FLOAT64",
    "rate": "NUMERIC",
    "full": "BOOL",
    "many": "ARRAY<STRING>",
    "at": "TIMESTAMP",
    "token": "secret",
}
VALUES: dict[str, Any] = {
    "region": "eu",
    "date": "2026-01-31",
    "rows": 5,
    "share": 0.5,
    "full": True,
    "rate": "0.1",
}
STATES = {"load": "FAILED", "check-it": "SKIPPED"}


def holds(text: str, **values: Any) -> bool:
    return read_condition(text, TYPES).holds(Facts(values=VALUES | values, states=STATES))


@pytest.mark.parametrize(
    "text",
    [
        "${full}",
        "${date} < ${region}",
        "true",
        "not false",
        "${region} == 'eu'",
        '${region} != "us"',
        "${region} in ('us', 'eu')",
        "${date} < '2026-02-01'",
        "${date} == '2026-01-31'",
        "${rows} >= 5 and ${rows} < 5.5",
        "${share} < ${rows}",
        "-1 < ${rows}",
        "${rate} == 0.1 and 0.1 == ${rate}",
        "${rate} < ${share} and ${rate} < ${rows}",
        "${rate} > 0.099999999 and ${rate} in (0, 0.10)",
        "${rate} != null",
        "steps.load == 'FAILED'",
        "steps.check-it in ('FAILED', 'SKIPPED')",
        "steps.of_no_state == 'COMPLETED'",
        "false and false or true",
        "not (${region} == 'us' or steps.load != 'FAILED')",
        "${full} == true and ${region} != null",
    ],
)
def test_what_is_true_holds_and_its_opposite_does_not(text: str) -> None:
    assert holds(text)
    assert not holds(f"not ({text})")


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">="])
def test_nothing_is_less_or_more_than_what_is_not_there(comparison: str) -> None:
    assert not holds(f"${{rows}} {comparison} 5", rows=None)
    assert holds("${rows} == null", rows=None)
    assert not holds(f"${{rate}} {comparison} 5", rate=None)
    assert holds("${rate} == null", rate=None)
    assert not holds("${full}", full=None)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "ends where a value"),
        ("${region}", "nothing is compared with"),
        ("'eu'", "nothing is compared with"),
        ("steps.load", "nothing is compared with"),
        ("${region} ==", "ends where a value"),
        ("${region} == 'eu' 'us'", "where it should end"),
        ("${region} = 'eu'", "is expected"),
        ("(${full}", r"ends where '\)'"),
        ("${full} and", "ends where a value"),
        ("${gone} == 1", "does not declare"),
        ("${many} == 'a'", "which is none of"),
        ("${at} == 'a'", "which is none of"),
        ("${token} == 'a'", "or a secret"),
        ("${region} == 1", "two kinds"),
        ("${date} == 'today'", "no day"),
        ("${full} < true", "more than == and !="),
        ("${region} < null", "more than == and !="),
        ("steps.load == 'DONE'", "a step's state"),
        ("steps.load < 'FAILED'", "a step's state"),
        ("steps.load == steps.check", "a step's state"),
        ("steps.load == ${region}", "a step's state"),
        ("__import__('os')", "is expected"),
        ("${region}.__class__ == 'a'", "is expected"),
        ("steps.load == 'FAILED' or 1 == 1; true", "is expected"),
        (f"{'(' * (MAX_DEPTH + 2)}true{')' * (MAX_DEPTH + 2)}", "nested"),
        ("not " * (MAX_DEPTH + 2) + "true", "nested"),
    ],
)
def test_what_is_no_condition_breaks_a_rule(text: str, rule: str) -> None:
    with pytest.raises(NoCondition, match=rule):
        read_condition(text, TYPES)


def test_a_condition_names_the_steps_that_it_waits_for() -> None:
    condition = read_condition("steps.load == 'FAILED' or steps.check-it == 'SKIPPED'", TYPES)
    assert condition.steps == {"load", "check-it"}


def test_a_step_comes_after_those_that_its_condition_asks_for() -> None:
    steps = [a_step("mend", target="m", run_if="steps.load == 'FAILED'"), a_step("load")]
    pipeline = compiled(a_document(*steps))
    assert [[step.id for step in level] for level in pipeline.levels] == [["load"], ["mend"]]
    assert pipeline.levels[1][0].depends_on == ("load",)


def test_defaults_hold_for_steps_that_say_nothing_else() -> None:
    defaults = {"timeout_minutes": 7, "on_failure": "continue", "priority": "BATCH", "retry": {"attempts": 1}}
    steps = [a_step("a"), a_step("b", target="b", on_failure="stop", timeout_minutes=9)]
    first, second = compiled(a_document(*steps, defaults=defaults)).steps
    assert (first.timeout_minutes, first.on_failure, first.priority, first.retry.attempts) == (
        7,
        "continue",
        "BATCH",
        1,
    )
    assert (second.timeout_minutes, second.on_failure, second.priority) == (9, "stop", "BATCH")


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (a_document(a_step(run_if="steps.load == 'FAILED'")), "/steps/0/run_if: names the step itself"),
        (
            a_document(a_step(run_if="steps.lod == 'FAILED'"), a_step("lord", target="l")),
            "/steps/0/run_if: no step has the ID lod; did you mean lord?",
        ),
        (
            a_document(a_step(run_if="${gone} == 1")),
            "/steps/0/run_if: step load: the condition names the parameter gone, "
            "which the file does not declare",
        ),
        (a_document(a_step(run_if="")), "/steps/0/run_if: must not be empty"),
        (
            a_document(a_step(on_failure="go")),
            "/steps/0/on_failure: must be one of stop, continue, skip_dependents",
        ),
        (
            a_document(defaults={"run_if": "true"}),
            "/defaults/run_if: is no key here; known are timeout_minutes, retry, on_failure, priority",
        ),
        (a_document(pipeline={"name": "D", "max_parallel": 0}), "/pipeline/max_parallel: must be at least 1"),
    ],
)
def test_what_breaks_a_rule_is_told_with_its_place(document: dict[str, Any], fault: str) -> None:
    assert violations_of(document) == [fault]


def test_a_secret_is_compared_nowhere() -> None:
    parameters = {"token": {"type": "STRING", "secret": True}}
    (fault,) = violations_of(a_document(a_step(run_if="${token} == 'a'"), parameters=parameters))
    assert "or a secret" in fault


def test_a_step_cannot_ask_for_one_of_its_own_level() -> None:
    levels = {"level_1": [{"step": "a"}, {"step": "b"}]}
    steps = [a_step("a", target="a", run_if="steps.b == 'FAILED'"), a_step("b", target="b")]
    (fault,) = violations_of(a_document(*steps, dependencies=levels))
    assert fault.startswith("/steps/0/run_if: a asks for the state of b, which runs in the same level")
