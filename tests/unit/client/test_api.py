"""Calls of the API over real HTTP: what is sent, what comes of it, and what is sent again."""

import pytest

from common.client import (
    Api,
    ApiError,
    Call,
    Client,
    Content,
    Key,
    Problem,
    Retries,
    Unreachable,
    UnreadableAnswer,
)
from tests.unit.client.conftest import KEY
from tests.unit.client.server import ScriptedPlatform

READ = Call(method="GET", path="/api/v1/pipelines/queue")
MAKE = Call(method="POST", path="/api/v1/tenants/keys", content=Content.json({}))


def test_a_call_carries_its_key_its_type_and_its_query(api: Api, platform: ScriptedPlatform) -> None:
    platform.answer(200, {"ok": True})
    content = Content.yaml(b"pipeline: {}")
    call = Call(method="POST", path="/p", query={"a": "x y", "b": None, "c": True}, content=content)
    assert api.send(call).body == {"ok": True}
    (asked,) = platform.asked
    assert (asked.method, asked.target, asked.data) == ("POST", "/p?a=x+y&c=true", b"pipeline: {}")
    assert (asked.headers["X-API-Key"], asked.headers["Content-Type"]) == (KEY, "application/yaml")


def test_an_answer_without_a_body_is_one(api: Api, platform: ScriptedPlatform) -> None:
    platform.answer(204, b"")
    assert api.send(READ).body is None


def test_a_problem_has_its_kind_and_every_broken_rule_with_its_place(
    api: Api, platform: ScriptedPlatform
) -> None:
    errors = [
        {"pointer": "/steps/0", "rule": "is\nbad", "step": "a", "line": 7},
        {"pointer": "", "rule": "is worse"},
    ]
    platform.refuse(422, "invalid-input", title="Input breaks rules", errors=errors, request_id="r-1")
    with pytest.raises(Problem) as caught:
        api.send(READ)
    told = caught.value
    assert (told.status, told.kind, told.request_id) == (422, "invalid-input", "r-1")
    assert [(one.pointer, one.rule, one.step, one.line) for one in told.errors] == [
        ("/steps/0", "is\nbad", "a", 7),
        ("", "is worse", "", None),
    ]
    assert str(told) == (
        "GET /api/v1/pipelines/queue: 422 Input breaks rules: so it is: /steps/0: is bad; /: is worse"
    )


@pytest.mark.parametrize(
    "body", [b"<html>", b"[1]", b"", b'{"errors": 3, "detail": null}', b'{"errors": [1]}']
)
def test_a_refusal_that_is_no_problem_document_is_a_problem_still(
    body: bytes, api: Api, platform: ScriptedPlatform
) -> None:
    platform.answer(500, body)
    with pytest.raises(Problem, match="500") as caught:
        api.send(READ)
    assert (caught.value.kind, caught.value.errors) == ("", ())


def test_a_good_answer_that_is_no_json_is_none(api: Api, platform: ScriptedPlatform) -> None:
    platform.answer(200, b"<html>")
    with pytest.raises(UnreadableAnswer, match="200, and the body is no JSON"):
        api.send(READ)


def test_a_redirection_is_not_followed_for_the_key_would_go_along(
    api: Api, platform: ScriptedPlatform
) -> None:
    platform.answer(307, b"", Location=f"{platform.url}/elsewhere")
    platform.answer(200, {})
    with pytest.raises(UnreadableAnswer, match="a redirection"):
        api.send(READ)
    assert len(platform.asked) == 1


def test_nobody_at_the_address_is_told_in_a_line() -> None:
    with pytest.raises(Unreachable, match="the platform does not answer: ConnectionError"):
        Api(url="http://127.0.0.1:9", retries=Retries(attempts=1)).send(READ)


@pytest.mark.parametrize(
    "url", ["", "ftp://host", "https://", "https://user:pw@host", "https://host?a=1", "http://[host"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the platform's address"):
        Api(url=url)


def test_each_path_goes_to_its_functions_own_url(api: Api, platform: ScriptedPlatform) -> None:
    platform.answer(200, {})
    functions = Api(url=f"{platform.url}/convergence-{{function}}/", session=api.session)
    for path in ("/admin/tenants", "/api/v1/tenants/quota", "/api/v1/pipelines/queue", "/health"):
        functions.get(path)
    assert [asked.target for asked in platform.asked] == [
        "/convergence-admin/admin/tenants",
        "/convergence-onboarding/api/v1/tenants/quota",
        "/convergence-pipelines/api/v1/pipelines/queue",
        "/convergence-pipelines/health",
    ]


# Again


def test_what_passes_by_itself_is_asked_for_again(
    api: Api, platform: ScriptedPlatform, pauses: list[float]
) -> None:
    platform.break_off()
    platform.refuse(503, "unavailable", retry_after=5)
    platform.answer(200, {"ok": True})
    assert api.send(READ).body == {"ok": True}
    assert len(platform.asked) == 3
    assert pauses[1] == 5.0


def test_the_last_attempt_tells_what_was_wrong(
    api: Api, platform: ScriptedPlatform, pauses: list[float]
) -> None:
    platform.refuse(503, "unavailable")
    with pytest.raises(Problem, match="503"):
        api.send(READ)
    assert (len(platform.asked), len(pauses)) == (4, 3)


def test_what_could_be_done_twice_is_sent_once(api: Api, platform: ScriptedPlatform) -> None:
    for lay_down in (platform.break_off, lambda: platform.refuse(503, "unavailable")):
        platform.answers.clear()
        platform.asked.clear()
        lay_down()
        with pytest.raises(ApiError):
            api.send(MAKE)
        assert len(platform.asked) == 1


def test_a_request_refused_for_its_rate_is_sent_again_whatever_it_does(
    api: Api, platform: ScriptedPlatform, pauses: list[float]
) -> None:
    platform.refuse(429, "rate-limited", retry_after=2)
    platform.answer(201, {})
    assert api.send(MAKE).status == 201
    assert pauses == [2.0]


@pytest.mark.parametrize(
    ("status", "kind", "retry_after"),
    [
        (422, "invalid-input", 1),
        (429, "quota-exceeded", 1),
        (429, "rate-limited", 3600),
        (500, "internal", 1),
        (503, "not-configured", 1),
    ],
)
def test_what_does_not_pass_soon_is_told_at_once(
    status: int, kind: str, retry_after: int, api: Api, platform: ScriptedPlatform, pauses: list[float]
) -> None:
    platform.refuse(status, kind, retry_after=retry_after)
    with pytest.raises(Problem):
        api.send(READ)
    assert (len(platform.asked), pauses) == (1, [])


def test_a_run_that_is_asked_for_again_is_the_same_run(client: Client, platform: ScriptedPlatform) -> None:
    platform.break_off()
    platform.answer(200, {"pipeline_logging_id": "r"})
    assert client.runs.start("daily", {"date": "2024-01-01"})["pipeline_logging_id"] == "r"
    first, second = platform.asked
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] != ""
    assert second.body == {"date": "2024-01-01"}


def test_two_runs_have_two_idempotency_keys(client: Client, platform: ScriptedPlatform) -> None:
    platform.answer(202, {})
    client.runs.start("daily")
    client.runs.start("daily")
    first, second = (asked.headers["Idempotency-Key"] for asked in platform.asked)
    assert first != second


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_pauses_grow_and_are_never_longer_than_allowed(attempt: int) -> None:
    retries = Retries(first_pause_seconds=1.0, max_pause_seconds=3.0)
    pause = retries.pause_after(Unreachable("gone"), READ, attempt)
    assert pause is not None
    assert min(2 ** (attempt - 1) / 2, 3.0) <= pause <= min(2 ** (attempt - 1), 3.0)


# Secrets


def test_a_key_is_shown_by_four_characters_of_its_secret() -> None:
    key = Key.tenant(KEY)
    assert key.shown == "acme_api_AbCd…"
    assert Key.tenant("short").shown == "shor…"
    assert Key.operator("secret").shown == "$ADMIN_API_KEY"


def test_nothing_that_is_printed_holds_a_key(api: Api, platform: ScriptedPlatform) -> None:
    platform.break_off()
    call = Call(method="POST", path="/p", content=Content.json({"secret": KEY}), key=Key.operator(KEY))
    with pytest.raises(Unreachable) as caught:
        api.send(call)
    assert KEY not in f"{api!r} {call!r} {caught.value!r} {Client(api)!r}"


def test_a_name_in_a_path_leads_nowhere_else(client: Client, platform: ScriptedPlatform) -> None:
    platform.answer(200, {})
    for name in ("../../admin/tenants", "..", "a?b=c", "ä#"):
        client.configs.read(name)
    assert [asked.target.removeprefix("/api/v1/pipelines/configs/") for asked in platform.asked] == [
        "..%2F..%2Fadmin%2Ftenants",
        "%252E%252E",
        "a%3Fb%3Dc",
        "%C3%A4%23",
    ]
