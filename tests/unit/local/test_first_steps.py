"""The next step is said at the start and after each that was taken, with a command that works."""

import pytest

from local.first_steps import FirstSteps, Step
from local.options import options_from_environment

WAY = [
    ("/admin/bootstrap", 200, "make a tenant"),
    ("/api/v1/tenants/onboard", 201, "upload a pipeline"),
    ("/api/v1/pipelines/configs/report", 201, "run it"),
    ("/api/v1/pipelines/run/report", 202, "look at the runs"),
]


def first_steps(said: list[str], step: Step = Step.BOOTSTRAP) -> FirstSteps:
    return FirstSteps(url="http://here", shown_admin_key="$ADMIN_API_KEY", say=said.append, step=step)


def test_each_step_that_is_taken_says_the_next_one_once() -> None:
    said: list[str] = []
    steps = first_steps(said)
    assert steps.next().startswith("Next: make the central tables")
    for path, status, following in WAY:
        for _ in range(2):
            steps.heard("POST", path, status)
        assert said.pop().startswith(f"Next: {following}")
        assert said == []


def test_the_pipeline_to_run_is_the_one_that_was_uploaded() -> None:
    said: list[str] = []
    first_steps(said, Step.UPLOAD).heard("POST", "/api/v1/pipelines/configs/report", 201)
    assert "/api/v1/pipelines/run/report" in said[0]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/admin/bootstrap", 503),
        ("GET", "/admin/bootstrap", 200),
        ("POST", "/admin/scheduler/pause", 200),
        ("POST", "/", 200),
    ],
)
def test_what_takes_no_step_says_nothing(method: str, path: str, status: int) -> None:
    said: list[str] = []
    first_steps(said).heard(method, path, status)
    assert said == []


def test_an_operator_may_make_the_tenant_too() -> None:
    said: list[str] = []
    first_steps(said, Step.ONBOARD).heard("POST", "/admin/tenants", 201)
    assert said[0].startswith("Next: upload a pipeline")


def test_a_step_that_was_skipped_is_not_asked_for_any_more() -> None:
    said: list[str] = []
    steps = first_steps(said)
    steps.heard("POST", "/api/v1/pipelines/run/report", 202)
    steps.heard("POST", "/admin/bootstrap", 200)
    assert [text.splitlines()[0] for text in said] == [
        "Next: look at the runs. All that can be called is in docs/api.md."
    ]


@pytest.mark.parametrize(
    "variable", ["PORT", "BIGQUERY_PORT", "PUBSUB_PORT", "SCHEDULER_PORT", "STORAGE_PORT"]
)
@pytest.mark.parametrize("given", ["web", "-1", "65536", "80.5", "٣"])
def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, given: str) -> None:
    monkeypatch.setenv(variable, given)
    with pytest.raises(ValueError, match=f"{variable} is a port from 1 to 65535, not '{given}'"):
        options_from_environment()


def test_ports_and_a_first_tenant_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, given in {"BIGQUERY_PORT": "9050", "PUBSUB_PORT": "8085", "TENANT": "acme"}.items():
        monkeypatch.setenv(variable, given)
    options = options_from_environment()
    assert (options.bigquery_port, options.pubsub_port, options.scheduler_port) == (9050, 8085, 0)
    assert options.tenant == "acme"
