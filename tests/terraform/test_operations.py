"""Alerts, the runbook, and the log lines that metrics are made of."""

import ast
import re
from collections.abc import Iterator

from tests.terraform.configuration import ROOT, local_values, resources
from tests.terraform.documents import runbook_sections

LABELS = {"tenant", "run", "level", "step"}


def test_every_alert_has_its_section_in_the_runbook() -> None:
    assert set(local_values()["alerts"]) <= runbook_sections()


def test_the_runbook_has_a_section_for_the_budget_and_for_a_restore() -> None:
    assert {"budget", "restore-a-table"} <= runbook_sections()


def test_every_function_is_watched_for_errors() -> None:
    watched = re.search(r'service_name=~"([^"]+)"', local_values()["run_services"])
    assert watched
    folders = [main.parent.name for main in (ROOT / "functions").glob("*/main.py")]
    assert "console" in folders
    for name in folders:
        assert re.fullmatch(watched[1], f"convergence-{name.replace('_', '-')}"), name
    for alert in ("function-errors", "error-logs"):
        assert "${local.run_services}" in local_values()["alerts"][alert]["query"]


def test_no_alert_waits_for_metrics_that_a_first_apply_cannot_know() -> None:
    policy = resources("google_monitoring_alert_policy")["alert"]
    condition = policy["conditions"][0]["condition_prometheus_query_language"][0]
    assert condition["disable_metric_validation"] is True


def logged() -> Iterator[tuple[str, set[str]]]:
    """Yield each event that the code logs: its message, and the fields that it gives."""
    for top in ("common", "functions"):
        for file in (ROOT / top).rglob("*.py"):
            for call in ast.walk(ast.parse(file.read_text())):
                if isinstance(call, ast.Call) and _is_event(call):
                    yield call.args[0].value, _fields(call)  # type: ignore[attr-defined]


def _is_event(call: ast.Call) -> bool:
    is_logger = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "logger"
    return is_logger and bool(call.args) and isinstance(call.args[0], ast.Constant)


def _fields(call: ast.Call) -> set[str]:
    extra = next((word.value for word in call.keywords if word.arg == "extra"), None)
    keys = extra.keys if isinstance(extra, ast.Dict) else []
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def test_each_message_that_a_metric_counts_is_one_that_the_code_logs() -> None:
    events = dict(logged())
    for name, metric in local_values()["log_metrics"].items():
        for message in re.findall(r'jsonPayload\.message=\\"([^"\\]+)', metric["filter"]):
            assert message in events, name
            used = re.findall(r"jsonPayload\.(\w+)", f"{metric['filter']} {metric['labels']}")
            assert set(used) - {"message"} <= events[message], name


def test_metric_labels_are_labels_of_the_log_lines() -> None:
    for name, metric in local_values()["log_metrics"].items():
        labels = re.findall(r"'labels\.(\w+)", str(metric["labels"]))
        assert set(labels) <= LABELS, name
