import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from common.costs.budgets import Budget, Owner, Spending
from common.costs.prices import price_of
from common.http.endpoints.budgets import spending_body
from common.http.endpoints.runs import parameters_of
from common.http.endpoints.tenants import quota_body
from common.http.schemas import violations_of
from common.pipelines.secret_values import NoSeal
from common.runs.quotas import Limits, Use, quotas
from common.runs.run import RunStatus, StepStatus
from common.runs.run_queries import Allowed
from common.runs.views import AttemptView, Figures, RunDetails, StepView, levels_of
from common.tenants.keys import Scope
from tests.fakes.clock import START
from tests.unit.http.site import key_of
from tests.unit.http.world import OTHER, World
from tests.unit.runs.examples import RUN_ID, a_run

RUN = "/api/v1/pipelines/run/daily"
LEVELS = (("extract",), ("transform",))


@pytest.fixture
def world() -> World:
    return World()


# Run


def test_a_run_is_accepted_with_its_id_and_links(world: World) -> None:
    response = world.ask("POST", RUN, json={"date": "2024-01-01"})
    assert response.status_code == 202
    body = response.json or {}
    run_id = body.pop("pipeline_logging_id")
    status = f"https://convergence.example.com/api/v1/pipelines/status/{run_id}"
    assert body == {
        "pipeline_id": "daily",
        "tenant_id": "acme",
        "status": "PENDING",
        "message": "the run is admitted",
        "links": {
            "status": status,
            "history": "https://convergence.example.com/api/v1/pipelines/history?pipeline_id=daily",
        },
    }
    assert response.headers["Location"] == status


def test_a_run_takes_its_parameters_its_key_and_its_trace_along(world: World) -> None:
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body = {"date": "2024-01-01", "parameters": {"region": "US"}, "trigger_by": "nightly"}
    world.ask("POST", RUN, json=body, headers={"traceparent": given})
    run = world.levels.take().run
    assert {parameter.name: parameter.value for parameter in run.parameters} == {
        "date": "2024-01-01",
        "region": "US",
        "token": None,
    }
    assert (run.trigger.by, run.trigger.api_key_id, run.traceparent) == ("nightly", "key-of-acme", given)


def test_a_run_with_a_secret_needs_the_operators_key_ring() -> None:
    world = World(NoSeal())
    response = world.ask("POST", RUN, json={"parameters": {"token": "s3cr3t"}})
    assert response.status_code == 503
    assert (response.json or {})["type"].endswith(":not-configured")
    assert "CREDENTIALS_KEYRING" in (response.json or {})["detail"]
    assert "s3cr3t" not in response.text
    assert world.store.run_rows == []
    assert world.ask("POST", RUN, json={"region": "US"}).status_code == 202


@pytest.mark.parametrize(
    "token", [["s3cr3t"], True, {"sealed": "s3cr3t"}, {"key_version": "k1", "data": "s3cr3t"}]
)
def test_a_secret_that_is_refused_is_not_told(world: World, token: Any) -> None:
    response = world.ask("POST", RUN, json={"token": token})
    assert response.status_code == 422
    assert "s3cr3t" not in response.text


def test_a_run_needs_no_body(world: World) -> None:
    assert world.ask("POST", RUN).status_code == 202


def test_the_tenant_of_a_run_cannot_be_asked_for(world: World) -> None:
    response = world.ask("POST", RUN, json={"tenant_id": "other"})
    assert response.status_code == 422
    assert world.store.run_rows == []


def test_another_tenants_config_is_not_there(world: World) -> None:
    assert world.ask("POST", RUN, key=OTHER).status_code == 404


def test_a_repeat_with_the_same_idempotency_key_is_the_same_run(world: World) -> None:
    answers = [world.ask("POST", RUN, headers={"Idempotency-Key": "nightly-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert len({(answer.json or {})["pipeline_logging_id"] for answer in answers}) == 1


def test_an_idempotency_key_cannot_be_used_for_another_request(world: World) -> None:
    key = {"Idempotency-Key": "nightly-1"}
    world.ask("POST", RUN, headers=key)
    assert world.ask("POST", RUN, headers=key, json={"date": "2024-01-02"}).status_code == 409


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "\xc3\xbc"])
def test_an_idempotency_key_is_1_to_255_visible_characters(world: World, key: str) -> None:
    assert world.ask("POST", RUN, headers={"Idempotency-Key": key}).status_code == 422


def test_beyond_the_plan_a_run_is_refused_with_the_limits_numbers(world: World) -> None:
    for _ in range(2):
        world.ask("POST", RUN)
    response = world.ask("POST", RUN)
    assert response.status_code == 429
    problem = response.json or {}
    assert (problem["limit_name"], problem["used"], problem["limit"]) == ("daily", 2, 2)
    assert int(response.headers["Retry-After"]) == 12 * 3600


@pytest.mark.parametrize("scope", [Scope.READ, Scope.MANAGE])
def test_a_run_needs_the_scope_run(world: World, scope: Scope) -> None:
    assert world.ask("POST", RUN, key=key_of("acme", frozenset({scope}))).status_code == 403


@pytest.mark.parametrize(
    "path", ["/api/v1/pipelines/run/1st", "/api/v1/pipelines/run/a;b", f"{RUN}{'x' * 200}"]
)
def test_a_config_id_has_a_form(world: World, path: str) -> None:
    assert world.ask("POST", path).status_code == 422


def test_parameters_come_at_the_top_level_and_under_their_own_name() -> None:
    assert parameters_of({"a": 1, "parameters": {"b": 2, "queue": 3}, "trigger_by": "x"}) == {
        "a": 1,
        "b": 2,
        "queue": 3,
    }


def test_a_parameter_given_in_both_places_is_refused(world: World) -> None:
    response = world.ask("POST", RUN, json={"date": "2024-01-01", "parameters": {"date": "2024-01-02"}})
    assert (response.json or {})["errors"] == [
        {"pointer": "/parameters/date", "rule": "is given at the top level too"}
    ]


def test_a_wrong_parameter_is_told_where_the_request_has_it(world: World) -> None:
    response = world.ask("POST", RUN, json={"x/y": 1, "parameters": {"date": "2024-02-30", "a~b": 2}})
    pointers = [violation["pointer"] for violation in (response.json or {})["errors"]]
    assert sorted(pointers) == ["/parameters/a~0b", "/parameters/date", "/x~1y"]


@pytest.mark.parametrize("value", [{"a": 1}, [["nested"]], [None]])
def test_a_parameter_is_a_scalar_or_an_array_of_scalars(world: World, value: object) -> None:
    assert world.ask("POST", RUN, json={"region": value}).status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        (
            {"params": {"region": "eu"}},
            "/params",
            "must be a string or a number or true or false or a list or null, did you mean 'parameters'?",
        ),
        ({"parameters": ["eu"]}, "/parameters", "must be an object"),
        ({"parameters": None}, "/parameters", "must be an object"),
        ({"params": ["eu"]}, "/params", "did you mean 'parameters'?"),
        ({"Queue": True}, "/Queue", "did you mean 'queue'?"),
        ({"Date": "2024-01-01"}, "/Date", "is no parameter of this pipeline; did you mean date?"),
        ({"parameters": {"queue": True}}, "/parameters/queue", "is no parameter of this pipeline; it has"),
    ],
)
def test_a_wrong_member_is_told_which_one_is_meant(world: World, body: Any, pointer: str, rule: str) -> None:
    response = world.ask("POST", RUN, json=body)
    (told,) = (response.json or {})["errors"]
    assert (response.status_code, told["pointer"]) == (422, pointer)
    assert rule in told["rule"]


def test_a_run_of_chosen_steps_is_asked_for(world: World) -> None:
    response = world.ask("POST", RUN, json={"steps": ["transform"], "upstream": False})
    assert response.status_code == 202
    assert world.levels.take().run.left_out == ("extract",)


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        (
            {"steps": ["extract", "transfrom"]},
            "/steps/1",
            "no step has the ID transfrom; did you mean transform?",
        ),
        ({"downstream": True}, "/downstream", "is of use beside `steps` only: name steps, or leave it out"),
        ({"steps": "transform"}, "/steps", "must be a list"),
        ({"steps": []}, "/steps", "must have at least 1 items"),
        ({"steps": ["extract"], "upstream": "yes"}, "/upstream", "must be true or false"),
    ],
)
def test_a_choice_of_steps_that_is_none_is_told(world: World, body: Any, pointer: str, rule: str) -> None:
    response = world.ask("POST", RUN, json=body)
    told = (response.json or {})["errors"]
    assert (response.status_code, told) == (422, [{"pointer": pointer, "rule": rule}])


def test_the_user_who_is_named_goes_on_the_record(world: World) -> None:
    for headers in ({"X-User-ID": "ada@acme.example"}, {}):
        assert world.ask("POST", RUN, json={}, headers=headers).status_code == 202
    assert [world.levels.take().run.trigger.user_id for _ in range(2)] == ["ada@acme.example", ""]
    assert world.ask("POST", RUN, json={}, headers={"X-User-ID": "a b"}).status_code == 422


# Cancel and retry


def test_a_running_run_is_cancelled(world: World) -> None:
    world.rows.runs[RUN_ID] = (a_run(levels=LEVELS), RunStatus.RUNNING)
    response = world.ask("POST", f"/api/v1/pipelines/cancel/{RUN_ID}")
    assert (response.status_code, (response.json or {})["message"]) == (202, "the run is being cancelled")


def test_a_cancelled_run_stays_cancelled(world: World) -> None:
    world.rows.runs[RUN_ID] = (a_run(levels=LEVELS), RunStatus.CANCELLED)
    response = world.ask("POST", f"/api/v1/pipelines/cancel/{RUN_ID}")
    assert (response.status_code, (response.json or {})["status"]) == (200, "CANCELLED")


def test_a_run_that_has_ended_cannot_be_cancelled(world: World) -> None:
    world.rows.runs[RUN_ID] = (a_run(levels=LEVELS), RunStatus.COMPLETED)
    assert world.ask("POST", f"/api/v1/pipelines/cancel/{RUN_ID}").status_code == 409


def test_a_failed_run_is_retried_once(world: World) -> None:
    world.rows.runs[RUN_ID] = (a_run(levels=LEVELS), RunStatus.FAILED)
    answers = [world.ask("POST", f"/api/v1/pipelines/retry/{RUN_ID}") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert [(answer.json or {})["retry_of"] for answer in answers] == [RUN_ID, RUN_ID]
    assert world.levels.take().run.retry_of == RUN_ID


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"version": "latest"}, 202),
        ({"version": "same"}, 202),
        ({"version": "newest"}, 422),
        ({"version": 2}, 422),
        ({"from": "no-such-step"}, 422),
        ({"from": ""}, 422),
    ],
)
def test_a_retry_says_by_which_version_and_from_which_step(
    world: World, body: dict[str, Any], status: int
) -> None:
    world.rows.runs[RUN_ID] = (a_run(levels=LEVELS), RunStatus.FAILED)
    assert world.ask("POST", f"/api/v1/pipelines/retry/{RUN_ID}", json=body).status_code == status


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_another_tenants_run_is_not_there(world: World, action: str) -> None:
    world.rows.runs[RUN_ID] = (a_run(levels=LEVELS), RunStatus.FAILED)
    assert world.ask("POST", f"/api/v1/pipelines/{action}/{RUN_ID}", key=OTHER).status_code == 404


# Status


OUTLINE = (("extract",), ("transform",))


def a_view(run_id: str = RUN_ID, steps: Sequence[StepView] = (), **changes: Any) -> RunDetails:
    view = RunDetails(
        run_id=run_id,
        tenant_id="acme",
        config_id="daily",
        config_version=1,
        status=RunStatus.RUNNING if steps else RunStatus.PENDING,
        trigger_type="api",
        started_at=START,
        run_date=date(2026, 3, 15),
        parameters={"date": "2026-03-15"},
        levels=levels_of(OUTLINE, steps),
    )
    return replace(view, **changes)


def a_step_view(step_id: str = "extract", **changes: Any) -> StepView:
    view = StepView(
        step_id=step_id,
        ps_type="bq_etl.query",
        attempt=1,
        status=StepStatus.COMPLETED,
        started_at=START,
        ended_at=START + timedelta(seconds=2),
        duration_ms=2000,
        rows_processed=3,
        bytes_processed=0,
        bytes_billed=0,
        job_id=f"cvg-step-{RUN_ID}-{step_id}-1",
        job_name="main",
        target_table="acme.extracted",
    )
    return replace(view, **changes)


def an_attempt(step_id: str = "extract", job_id: str | None = "cvg-step-1") -> AttemptView:
    return AttemptView(
        step_id=step_id,
        level=1,
        attempt=1,
        status="COMPLETED",
        job_id=job_id,
        job_name="main",
        metadata={"job_type": "query", "slot_ms": 12},
    )


def test_a_runs_status_shows_levels_and_steps(world: World) -> None:
    world.rows.views = [a_view(steps=[a_step_view()])]
    body = world.ask("GET", f"/api/v1/pipelines/status/{RUN_ID}").json or {}
    assert (body["status"], body["start_time"], body["run_date"]) == (
        "RUNNING",
        "2026-03-15T12:00:00.000000Z",
        "2026-03-15",
    )
    assert body["parameters"] == {"date": "2026-03-15"}
    first, second = body["levels"]
    assert (first["status"], first["steps"][0]["ps_type"]) == ("COMPLETED", "bq_etl.query")
    assert (second["status"], second["steps"][0]["job_id"]) == ("PENDING", None)


@pytest.mark.parametrize("path", [f"status/{RUN_ID}", f"runs/{RUN_ID}/receipt", f"runs/{RUN_ID}/statements"])
def test_another_tenants_run_cannot_be_seen(world: World, path: str) -> None:
    world.rows.views = [a_view()]
    assert world.ask("GET", f"/api/v1/pipelines/{path}", key=OTHER).status_code == 404


def test_a_receipt_lists_each_job_of_a_run(world: World) -> None:
    world.rows.views = [a_view(status=RunStatus.COMPLETED)]
    world.rows.attempts = {RUN_ID: [an_attempt(), an_attempt("transform", job_id=None)]}
    body = world.ask("GET", f"/api/v1/pipelines/runs/{RUN_ID}/receipt").json or {}
    assert [(attempt["step_id"], attempt["metadata"]) for attempt in body["attempts"]] == [
        ("extract", {"job_type": "query", "slot_ms": 12})
    ]


# History


def test_the_history_is_the_tenants_own_without_steps(world: World) -> None:
    world.rows.views = [a_view(), a_view("other-run", tenant_id="other")]
    body = world.ask("GET", "/api/v1/pipelines/history").json or {}
    assert [run["pipeline_logging_id"] for run in body["runs"]] == [RUN_ID]
    assert (body["next_cursor"], "levels" in body["runs"][0]) == (None, False)


def test_a_full_page_leads_to_the_next(world: World) -> None:
    world.rows.views = [a_view(), a_view("another-run")]
    cursor = (world.ask("GET", "/api/v1/pipelines/history?limit=1").json or {})["next_cursor"]
    assert world.ask("GET", f"/api/v1/pipelines/history?cursor={cursor}").status_code == 200
    assert (world.rows.asked[1].before_time, world.rows.asked[1].before_id) == (START, RUN_ID)


@pytest.mark.parametrize(
    "more", ["&status=FAILED", "&pipeline_id=daily", "&from=2024-01-01", "&to=2099-01-01"]
)
def test_a_cursor_goes_on_with_the_filters_that_it_was_made_with(world: World, more: str) -> None:
    world.rows.views = [a_view(), a_view("another-run")]
    path = "/api/v1/pipelines/history?limit=1"
    for one, other in (("", more), (more, "")):
        cursor = (world.ask("GET", path + one).json or {})["next_cursor"]
        assert world.ask("GET", f"{path}{one}&cursor={cursor}").status_code == 200
        refused = world.ask("GET", f"{path}{other}&cursor={cursor}")
        assert refused.status_code == 422
        assert "other filters" in refused.text


def test_a_page_that_ends_with_a_run_that_has_waited_goes_on_where_it_was_asked_for(world: World) -> None:
    world.rows.views = [a_view(queued_at=START - timedelta(hours=1)), a_view("another-run")]
    body = world.ask("GET", "/api/v1/pipelines/history?limit=1").json or {}
    assert body["runs"][0]["queued_at"] == "2026-03-15T11:00:00.000000Z"
    world.ask("GET", f"/api/v1/pipelines/history?cursor={body['next_cursor']}")
    assert world.rows.asked[1].before_time == START - timedelta(hours=1)


def test_the_history_tells_figures_where_it_is_asked_for_them(world: World) -> None:
    figures = {"rows_processed": 3, "bytes_processed": 2**40, "bytes_billed": 2**40}
    world.rows.views = [a_view(), a_view("other"), a_view("waits", status=RunStatus.QUEUED)]
    world.rows.figures = {RUN_ID: Figures(**figures)}
    plain = world.ask("GET", "/api/v1/pipelines/history").json or {}
    assert all("figures" not in run for run in plain["runs"])
    assert world.rows.asked_figures == []
    told = world.ask("GET", "/api/v1/pipelines/history?figures=true").json or {}
    assert world.rows.asked_figures == [([RUN_ID, "other"], START)]
    first, second, third = (run["figures"] for run in told["runs"])
    assert first == {**figures, "own_project_bytes_billed": None, "cost": 6.25}
    assert set(second.values()) == set(third.values()) == {None}


def test_a_run_tells_what_its_steps_have_come_to(world: World) -> None:
    own = a_step_view("transform", bytes_billed=50, bytes_processed=7, rows_processed=None, job_project="own")
    world.rows.views = [a_view(steps=[a_step_view(bytes_billed=2**40), own])]
    told = world.ask("GET", f"/api/v1/pipelines/status/{RUN_ID}").json or {}
    assert told["figures"] == {
        "rows_processed": 3,
        "bytes_processed": 7,
        "bytes_billed": 2**40,
        "own_project_bytes_billed": 50,
        "cost": 6.25,
    }
    assert [one["cost"] for level in told["levels"] for one in level["steps"]] == [6.25, None]
    assert told["price"]["per_tebibyte"] == 6.25


def test_the_history_is_filtered(world: World) -> None:
    query = "status=FAILED&pipeline_id=daily&from=2024-01-01&to=2024-01-18T12:00:00%2B02:00&limit=100"
    assert world.ask("GET", f"/api/v1/pipelines/history?{query}").status_code == 200
    (wanted,) = world.rows.asked
    assert (wanted.status, wanted.config_id, wanted.page_size) == ("FAILED", "daily", 100)
    assert wanted.since == datetime(2024, 1, 1, tzinfo=UTC)
    assert wanted.until == datetime(2024, 1, 18, 10, tzinfo=UTC)


def test_a_time_is_taken_as_rfc_3339_has_it_and_refused_in_words(world: World) -> None:
    history = "/api/v1/pipelines/history?from="
    assert world.ask("GET", f"{history}2024-01-01T00:00:00z").status_code == 200
    assert world.ask("GET", f"{history}2024-01-01t00:00:00Z").status_code == 200
    for text in ("2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00"):  # The plus arrives as a blank.
        (fault,) = (world.ask("GET", history + text).json or {})["errors"]
        assert "with its zone" in fault["rule"]
        assert "+ is written %2B" in fault["rule"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "status=completed",
        "status=COMPLETE",
        "from=yesterday",
        "from=2024-02-30",
        "from=2024-01-01T00:00:00",
        "to=2024-01-01T99:00:00Z",
        "cursor=",
        "cursor=abc",
        "cursor=WzEsIDJd",
        "cursor=../../etc",
        "offset=20",
        "pipeline_id=1",
        "from=2024-01-02&to=2024-01-01",
        "from=2024-01-01&to=2024-01-01",
    ],
)
def test_a_wrong_filter_is_refused_with_its_place(world: World, query: str) -> None:
    response = world.ask("GET", f"/api/v1/pipelines/history?{query}")
    assert response.status_code == 422
    assert all(
        "cursor" in fault["pointer"] or "/query/" in fault["pointer"]
        for fault in (response.json or {})["errors"]
    )


@pytest.mark.parametrize(
    "position",
    [
        '["2024-01-01T00:00:00Z", "\\ud800", "{hash}"]',
        '["2024-01-01T00:00:00Z", "a\\u0000", "{hash}"]',
        '["2024-01-01T00:00:00Z", ["a"], "{hash}"]',
        '["2024-01-01T00:00:00Z", NaN, "{hash}"]',
        '"abc"',
        "[" * 5000,
    ],
)
def test_a_cursor_that_no_query_could_be_asked_with_is_none_of_ours(world: World, position: str) -> None:
    world.rows.views = [a_view(), a_view("another-run")]
    made = (world.ask("GET", "/api/v1/pipelines/history?limit=1").json or {})["next_cursor"]
    own = json.loads(base64.urlsafe_b64decode(made + "=" * (-len(made) % 4)))
    cursor = base64.urlsafe_b64encode(position.replace("{hash}", own[-1]).encode()).decode().rstrip("=")
    world.rows.asked.clear()
    response = world.ask("GET", f"/api/v1/pipelines/history?cursor={cursor}")
    assert (response.status_code, world.rows.asked) == (422, [])


# Quotas


def test_the_quota_body_keeps_its_schema() -> None:
    limits, use = Limits(daily=6, monthly=180, concurrent=3), Use(today=2, month=9, running=4)
    allowed = Allowed(
        quotas=quotas(use, limits, START),
        budgets={Owner.TENANT: Budget(max_cost_per_month=12.5)},
        spending={"daily": Spending(billed=2**40, held=1, boundless=2, unknown=3)},
    )
    body = quota_body("acme", "STARTER", allowed.quotas) | spending_body(allowed, price_of("Nowhere"))
    assert (body["spending"]["used"], body["spending"]["cost_used"]) == (2**40, None)
    assert body["concurrent"]["remaining"] == 0
    assert (body["daily"]["percent"], body["daily"]["remaining"]) == (33.3, 4)
    uses = {"daily", "monthly", "concurrent"}
    written = {
        name: {**part, "resets_at": "2026-03-16T00:00:00Z"} if name in uses else part
        for name, part in body.items()
    }
    written["price"] |= {"as_of": "2026-03-01"}
    assert violations_of("quota", written) == []


# Queue


def fill_slots(world: World) -> None:
    world.store.tenants["acme"].limits = Limits(daily=9, monthly=9, concurrent=1)
    world.ask("POST", RUN)


def test_a_run_over_the_concurrent_limit_waits_where_it_may(world: World) -> None:
    fill_slots(world)
    assert world.ask("POST", RUN, json={"queue": False}).status_code == 429
    response = world.ask("POST", RUN, json={"queue": True})
    assert (response.status_code, (response.json or {})["status"]) == (202, "QUEUED")
    status = world.ask("GET", f"/api/v1/pipelines/status/{(response.json or {})['pipeline_logging_id']}")
    assert (status.status_code, (status.json or {})["status"]) == (200, "QUEUED")


def test_a_waiting_run_is_cancelled_like_any_other(world: World) -> None:
    fill_slots(world)
    run_id = (world.ask("POST", RUN, json={"queue": True}).json or {})["pipeline_logging_id"]
    cancel = f"/api/v1/pipelines/cancel/{run_id}"
    assert world.ask("POST", cancel, key=OTHER).status_code == 404
    for _ in range(2):
        response = world.ask("POST", cancel)
        assert (response.status_code, (response.json or {})["status"]) == (200, "CANCELLED")


def test_the_queue_is_listed_in_its_order(world: World) -> None:
    fill_slots(world)
    asked = [(world.ask("POST", RUN, json={"queue": True}).json or {}) for _ in range(2)]
    listed = (world.ask("GET", "/api/v1/pipelines/queue").json or {})["runs"]
    assert {run["pipeline_logging_id"] for run in listed} == {run["pipeline_logging_id"] for run in asked}
    assert [run["position"] for run in listed] == [1, 2]
    assert world.ask("GET", "/api/v1/pipelines/queue", key=OTHER).json == {"runs": []}
