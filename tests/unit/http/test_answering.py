import logging
import re
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

from common.errors import NotConfigured, QueryRefused, RateLimited, Unavailable
from common.http.edge import SystemEdge, WrongKeys
from common.http.routing import Access, Answer, Call, Parameter, Place, Route, RouteTable
from common.http.server import answer
from common.logs import current_traceparent
from common.public_urls import PublicUrls
from common.tenants.keys import ALL_SCOPES, ApiKey, Scope, mint_key
from tests.unit.http.site import ADMIN_KEY, Bare, Site, edge, key_of

GUESSED = mint_key("acme")
ACME = key_of("acme")
NAME = Parameter(
    name="name", place=Place.PATH, description="A name.", schema={"type": "string"}, example="ada"
)


def whoami(call: Call[Bare]) -> Answer:
    """Say whose key it is."""
    return Answer(
        body={"status": "ready", "parts": [call.caller.tenant_id, call.source, current_traceparent()]}
    )


def careless(call: Call[Bare]) -> Answer:
    """Ask who calls on a route that takes no key."""
    return Answer(body={"status": "ready", "parts": [call.caller.tenant_id]})


def nothing(call: Call[Bare]) -> Answer:
    """Answer without a body."""
    return Answer(body=None, status=204)


def failing(error: Exception) -> Any:
    def fail(call: Call[Bare]) -> Answer:
        """Fail."""
        raise error

    return fail


def route(path: str, endpoint: Any, access: Access = Access.PUBLIC, **more: Any) -> Route[Bare]:
    return Route(
        **{"method": "GET", "path": path, "endpoint": endpoint, "access": access, "answers": {200: "health"}}
        | more
    )


ROUTES = RouteTable(
    route("/me", whoami, Access.READ),
    route("/me", nothing, Access.MANAGE, method="DELETE", answers={204: None}),
    route("/admin", nothing, Access.ADMIN, answers={204: None}),
    route("/careless", careless, problems=()),
    route("/names/{name}", nothing, parameters=(NAME,), answers={204: None}),
    route("/files", nothing, method="POST", takes_any_content=True, answers={204: None}),
    route(
        "/broken",
        failing(RuntimeError("no column api_key_hash in tenants.tenant_api_keys")),
        answers={204: None},
    ),
    route("/refused", failing(QueryRefused("SELECT secret FROM tenants.t", "invalidQuery"))),
    route("/down", failing(Unavailable("tenants.tenant_pipeline_runs: backendError"))),
    route("/busy", failing(RateLimited("too many onboardings", 90)), problems=(RateLimited,)),
    route("/unset", failing(NotConfigured("no onboarding token is configured")), problems=(NotConfigured,)),
)
SITE = Site(ROUTES, Bare())


def ask(method: str, path: str, **more: Any) -> TestResponse:
    return SITE.ask(method, path, **more)


def problem(response: TestResponse) -> str:
    kind: str = response.json["type"]  # type: ignore[index]
    return kind.removeprefix("urn:problem-type:convergence:")


# Who may


def test_the_tenant_is_the_keys() -> None:
    assert ask("GET", "/me", key=ACME).json["parts"][0] == "acme"  # type: ignore[index]


@pytest.mark.parametrize("given", ["", "other_api_0000000000000000", "acme", "\xd0\xba"])
def test_without_a_valid_key_the_answer_is_401_and_says_which_header(given: str) -> None:
    response = ask("GET", "/me", headers={"X-API-Key": given})
    assert (response.status_code, problem(response)) == (401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == 'ApiKey realm="convergence", header="X-API-Key"'


@pytest.mark.parametrize("scope", sorted(ALL_SCOPES))
def test_a_key_opens_the_routes_of_its_scopes_alone(scope: Scope) -> None:
    key = key_of("acme", frozenset({scope}))
    assert ask("GET", "/me", key=key).status_code == (200 if scope is Scope.READ else 403)
    assert ask("DELETE", "/me", key=key).status_code == (204 if scope is Scope.MANAGE else 403)


def test_an_admin_route_takes_the_admin_key_and_no_tenants_key() -> None:
    assert ask("GET", "/admin", headers={"X-Admin-Key": ADMIN_KEY}).status_code == 204
    assert ask("GET", "/admin", key=ACME).status_code == 401
    assert ask("GET", "/admin", headers={"X-Admin-Key": ACME.text}).status_code == 403


def test_an_admin_key_is_no_tenants_key() -> None:
    assert ask("GET", "/me", headers={"X-Admin-Key": ADMIN_KEY, "X-API-Key": ADMIN_KEY}).status_code == 401


def test_an_endpoint_that_asks_who_calls_on_a_public_route_fails_closed() -> None:
    response = Site(RouteTable(route("/careless", careless)), Bare())._client.get("/careless")
    assert response.status_code == 401


def test_a_source_that_guesses_keys_is_slowed_down_whatever_it_brings_then() -> None:
    clock = [0.0]
    wrong_keys = WrongKeys(max_tries=3, window_seconds=60, clock=lambda: clock[0])
    site = Site(ROUTES, Bare(edge=edge(wrong_keys=wrong_keys)))
    guess = key_of("nobody")
    assert [site.ask("GET", "/me", key=guess).status_code for _ in range(4)] == [401, 401, 401, 429]
    refused = site.ask("GET", "/me", key=ACME)
    assert (problem(refused), refused.headers["Retry-After"]) == ("rate-limited", "60")
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    assert site.ask("GET", "/me", key=ACME, headers=elsewhere).status_code == 200
    clock[0] = 61.0
    assert site.ask("GET", "/me", key=ACME).status_code == 200


def test_guesses_of_the_admin_key_count_and_missing_keys_and_scopes_do_not() -> None:
    site = Site(ROUTES, Bare(edge=edge(wrong_keys=WrongKeys(max_tries=2))))
    run_only = key_of("acme", frozenset({Scope.RUN}))
    for _ in range(5):
        assert site.ask("GET", "/me").status_code == 401
        assert site.ask("GET", "/me", key=run_only).status_code == 403
        assert site.ask("GET", "/admin").status_code == 401
    answers = [site.ask("GET", "/admin", headers={"X-Admin-Key": "guess"}).status_code for _ in range(3)]
    assert answers == [403, 403, 429]


def test_the_memory_of_wrong_keys_is_bounded() -> None:
    wrong_keys = WrongKeys(max_tries=1, capacity=2)
    for source in ("a", "b", "c"):
        wrong_keys.count(source)
    wrong_keys.check("a")
    for source in ("b", "c"):
        with pytest.raises(RateLimited):
            wrong_keys.check(source)


# Where to


@pytest.mark.parametrize("path", ["/", "/nothing", "/me/", "/names/a/b", "/names/", "/me%2F", "/ME"])
def test_an_unknown_path_is_a_404(path: str) -> None:
    response = ask("GET", path, key=ACME)
    assert (response.status_code, problem(response)) == (404, "not-found")


def test_an_unknown_method_is_a_405_that_lists_the_known_ones() -> None:
    response = ask("PUT", "/me")
    assert (response.status_code, problem(response)) == (405, "method-not-allowed")
    assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"


def test_options_lists_the_methods_without_a_key() -> None:
    response = ask("OPTIONS", "/me")
    assert (response.status_code, response.headers["Allow"]) == (204, "DELETE, GET, HEAD, OPTIONS")
    assert ask("OPTIONS", "/nothing").status_code == 404


def test_head_is_get_without_the_body() -> None:
    get, head = ask("GET", "/me", key=ACME), ask("HEAD", "/me", key=ACME)
    assert (head.status_code, head.data, head.headers["Content-Type"]) == (
        200,
        b"",
        get.headers["Content-Type"],
    )
    assert ask("HEAD", "/me").status_code == 401


def test_an_answer_without_a_body_has_no_content_type() -> None:
    response = ask("DELETE", "/me", key=ACME)
    assert (response.data, response.headers.get("Content-Type")) == (b"", None)


def test_the_host_header_decides_nothing() -> None:
    assert ask("GET", "/me", key=ACME, headers={"Host": "evil.example"}).status_code == 200


# Headers


@pytest.mark.parametrize("path", ["/me", "/nothing", "/broken", "/health", "/openapi.json"])
def test_every_answer_has_a_request_id_and_the_security_headers(path: str) -> None:
    headers = ask("GET", path).headers
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["X-Request-Id"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Content-Type"] in {"application/json", "application/problem+json"}
    assert "Strict-Transport-Security" not in headers


def test_over_https_the_answer_asks_to_stay_there() -> None:
    assert ask("GET", "/health", headers={"X-Forwarded-Proto": "https"}).headers["Strict-Transport-Security"]


def test_a_well_formed_request_id_is_kept_and_is_in_the_problem() -> None:
    response = ask("GET", "/nothing", headers={"X-Request-Id": "report-2024.01_01"})
    assert response.headers["X-Request-Id"] == "report-2024.01_01"
    assert response.json["request_id"] == "report-2024.01_01"  # type: ignore[index]


@pytest.mark.parametrize("given", ["short", "with space in it", "x" * 129, "<script>alert(1)</script>"])
def test_another_request_id_is_replaced(given: str) -> None:
    assert ask("GET", "/health", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


@pytest.mark.parametrize(
    "headers",
    [{"X-Long": "x" * 9000}, {f"X-{n}": "x" * 6000 for n in range(6)}, {f"X-{n}": "x" for n in range(101)}],
)
def test_headers_beyond_the_limits_are_a_431(headers: dict[str, str]) -> None:
    response = ask("GET", "/health", headers=headers)
    assert (response.status_code, problem(response)) == (431, "headers-too-large")


def test_control_characters_in_a_header_are_a_400() -> None:
    response = SITE._client.get("/health", environ_overrides={"HTTP_X_ODD": "a\x00b"})
    assert (response.status_code, problem(response)) == (400, "malformed-input")


@pytest.mark.parametrize(
    "target", ["/names/%FF", "/names/a%00b", "/names/%ED%A0%80", "/names/a?b=%FF", "/names/a?%00=1"]
)
def test_a_path_or_query_that_is_no_text_is_a_400(target: str) -> None:
    response = SITE._client.get(target)
    assert (response.status_code, problem(response)) == (400, "malformed-input")


@pytest.mark.parametrize("value", ["\xff", "\xed\xa0\x80", "caf\xe9"])
def test_a_header_that_is_no_utf_8_is_a_400(value: str) -> None:
    response = SITE._client.get("/health", environ_overrides={"HTTP_X_ODD": value})
    assert (response.status_code, problem(response)) == (400, "malformed-input")


def test_text_of_any_script_is_text() -> None:
    response = SITE._client.get("/names/caf%C3%A9", environ_overrides={"HTTP_X_ODD": "caf\xc3\xa9"})
    assert response.status_code == 204


def test_the_callers_trace_goes_on() -> None:
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert ask("GET", "/me", key=ACME, headers={"traceparent": given}).json["parts"][2] == given  # type: ignore[index]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "source"),
    [
        (0, "6.6.6.6", "127.0.0.1"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "6.6.6.6, 7.7.7.7, 8.8.8.8, 203.0.113.7, 34.120.1.2", "203.0.113.7"),
        (2, ", ,, 203.0.113.7,34.120.1.2", "203.0.113.7"),
        (2, "10.0.0.1", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (2, "", "127.0.0.1"),
        (2, "203.0.113.7, , 34.120.1.2", "127.0.0.1"),
        (1, "6.6.6.6, 2001:DB8:0:0::7", "2001:db8::7"),
        (1, "6.6.6.6, [2001:db8::7]:4711", "2001:db8::7"),
        (1, "6.6.6.6, fe80::7%eth0", "fe80::7"),
        (1, "6.6.6.6, ::ffff:203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7:4711", "203.0.113.7"),
        (1, "6.6.6.6, unknown", "127.0.0.1"),
        (1, "6.6.6.6, 203.0.113.7<script>", "127.0.0.1"),
        (1, "6.6.6.6, 999.0.113.7", "127.0.0.1"),
    ],
)
def test_the_source_is_what_trusted_proxies_have_seen(proxies: int, forwarded: str, source: str) -> None:
    site = Site(ROUTES, Bare(edge=edge(trusted_proxies=proxies)))
    response = site.ask("GET", "/me", key=ACME, headers={"X-Forwarded-For": forwarded})
    assert response.json["parts"][1] == source  # type: ignore[index]


def test_what_a_caller_puts_before_the_gateways_values_is_not_where_it_comes_from() -> None:
    site = Site(ROUTES, Bare(edge=edge(trusted_proxies=2, wrong_keys=WrongKeys(max_tries=3))))

    def ask_from(client: str, key: ApiKey, spoofed: str = "") -> int:
        forwarded = {"X-Forwarded-For": f"{spoofed}{client}, 34.120.1.2"}
        return site.ask("GET", "/me", key=key, headers=forwarded).status_code

    guesses = [ask_from("203.0.113.9", GUESSED, f"198.51.100.{n}, ") for n in range(4)]
    assert guesses == [401, 401, 401, 429]
    assert ask_from("203.0.113.9", ACME) == 429
    assert ask_from("198.51.100.7", ACME) == 200


def test_a_network_of_ipv6_addresses_guesses_as_one() -> None:
    site = Site(ROUTES, Bare(edge=edge(wrong_keys=WrongKeys(max_tries=3))))

    def ask_from(client: str, key: ApiKey) -> int:
        return site.ask("GET", "/me", key=key, headers={"X-Forwarded-For": client}).status_code

    guesses = [ask_from(f"2001:db8::{n}", GUESSED) for n in range(1, 5)]
    assert guesses == [401, 401, 401, 429]
    assert ask_from("2001:db8:0:1::1", ACME) == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/%6de", "/m%65", "/%6D%65", "/names/ac%6de", "/names/a%2Fb", "/names/a%5cb", "/names/a%255fb"),
        *("/names/a%2", "/names/a%zz", "/names/a\\b", "//me", "/names//a", "/./me", "/names/../me"),
        *("/names/..", "http://localhost/%6de", "http://localhost//me"),
    ],
)
def test_there_is_nothing_at_a_path_that_is_written_otherwise_than_its_own(path: str) -> None:
    response = Site(ROUTES, Bare()).ask_as_sent(path, ACME)
    assert (response.status_code, problem(response)) == (404, "not-found")
    assert response.json["detail"].startswith("there is nothing at this path: ")  # type: ignore[index]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_slash_at_the_end_of_a_path_is_told(method: str) -> None:
    site = Site(ROUTES, Bare())
    told = (site.ask(method, "/me/", key=ACME).json or {})["detail"]
    assert told == "there is nothing at this path: leave out the slash at its end"
    assert (site.ask(method, "/mine/", key=ACME).json or {})["detail"] == "there is nothing at this path"


@pytest.mark.parametrize("path", ["/me", "/me?a=%6d%2f..//", "/names/a_b-c.d~e", "http://localhost/me"])
def test_a_path_that_is_written_as_it_is_is_found(path: str) -> None:
    assert Site(ROUTES, Bare()).ask_as_sent(path, ACME).status_code != 404


# Failures


def test_an_unforeseen_error_is_a_500_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    response = ask("GET", "/broken")
    assert (response.status_code, problem(response)) == (500, "internal")
    assert "tenant" not in response.text.lower()
    assert "column" not in response.text


def test_an_unforeseen_error_is_logged_once_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    ask("GET", "/broken")
    with_stack = [record for record in caplog.records if record.exc_info]
    assert [record.message for record in with_stack] == ["request answered"]
    assert with_stack[0].levelno == logging.ERROR


def test_what_bigquery_refuses_is_a_500_without_its_words() -> None:
    response = ask("GET", "/refused")
    assert (response.status_code, "SELECT" in response.text, "secret" in response.text) == (500, False, False)


def test_a_passing_fault_is_a_503_without_bigquerys_words() -> None:
    response = ask("GET", "/down")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "tenant_pipeline_runs" not in response.text


def test_too_many_requests_are_a_429_that_says_when_to_come_back() -> None:
    response = ask("GET", "/busy")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "90")


def test_what_the_operator_has_not_set_up_is_a_503() -> None:
    assert problem(ask("GET", "/unset")) == "not-configured"


# Standing routes


def test_a_function_is_ready_when_its_parts_are() -> None:
    site = Site(ROUTES, Bare(), SystemEdge(readiness=lambda: {"warehouse": True}))
    assert site.ask("GET", "/health").json == {"status": "ready", "parts": ["warehouse"]}


def test_a_function_is_not_ready_when_a_part_is_not() -> None:
    site = Site(ROUTES, Bare(), SystemEdge(readiness=lambda: {"warehouse": False, "pubsub": True}))
    assert site.ask("GET", "/health").status_code == 503


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/openapi.json", 200), ("/nothing", 404)])
def test_system_routes_answer_where_nothing_else_can(path: str, status: int) -> None:
    def out_of_order() -> Bare:
        raise NotConfigured("no credentials")

    def answered(request: Request) -> Response:
        return answer(request, ROUTES, services=out_of_order, system=SystemEdge)

    client = Client(Request.application(answered))
    assert client.get(path).status_code == status
    assert client.options("/health").status_code == 204
    assert client.get("/unset").status_code == 503


def test_the_document_names_where_the_api_is() -> None:
    site = Site(ROUTES, Bare(), SystemEdge(public_urls=PublicUrls(own="https://convergence.example.com")))
    document = site.ask("GET", "/openapi.json").json
    assert document["servers"] == [{"url": "https://convergence.example.com"}]  # type: ignore[index]


def test_the_document_names_where_the_paths_of_other_functions_are() -> None:
    urls = {name: f"https://{name}.example.com" for name in ("admin", "onboarding", "pipelines")}
    public_urls = PublicUrls(own=urls["onboarding"], by_function=urls)
    site = Site(ROUTES, Bare(), SystemEdge(public_urls=public_urls))
    document: Any = site.ask("GET", "/openapi.json").json
    servers = {
        path: operations.get("servers", document["servers"])[0]["url"]
        for path, operations in document["paths"].items()
    }
    assert document["servers"] == [{"url": "https://onboarding.example.com"}]
    assert servers["/admin/bootstrap"] == "https://admin.example.com"
    assert servers["/api/v1/tenants/quota"] == "https://onboarding.example.com"
    assert servers["/api/v1/pipelines/run/{config_id}"] == "https://pipelines.example.com"
    assert servers["/health"] == "https://onboarding.example.com"


# Access lines


def test_each_request_is_one_access_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ask("GET", "/names/acme_api_secretsecretsecr?token=hidden")
    (line,) = [record for record in caplog.records if record.message == "request answered"]
    assert (line.method, line.route, line.status) == ("GET", "/names/{name}", 422)  # type: ignore[attr-defined]
    assert line.duration_ms >= 0  # type: ignore[attr-defined]
    assert "secret" not in str(line.__dict__)


@pytest.mark.parametrize(
    ("path", "status", "level", "kind"),
    [
        ("/unset", 503, logging.WARNING, "not-configured"),
        ("/busy", 429, logging.INFO, "rate-limited"),
        ("/nothing/here", 404, logging.INFO, "not-found"),
        ("/broken", 500, logging.ERROR, "internal"),
    ],
)
def test_a_request_that_fails_is_one_line_too_with_a_stack_where_nobody_foresaw_it(
    caplog: pytest.LogCaptureFixture, path: str, status: int, level: int, kind: str
) -> None:
    with caplog.at_level(logging.INFO):
        ask("GET", path)
    (line,) = [record for record in caplog.records if record.name.startswith("common.")]
    assert (line.message, line.levelno) == ("request answered", level)
    assert (line.status, line.problem) == (status, kind)  # type: ignore[attr-defined]
    assert (line.exc_info is not None) == (status == 500)
    assert hasattr(line, "error") == (status >= 500)


def test_the_access_line_names_the_tenant_even_where_the_request_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        ask("DELETE", "/me?surplus=1", key=ACME)
    (line,) = [record for record in caplog.records if record.message == "request answered"]
    assert line.tenant == "acme"  # type: ignore[attr-defined]
