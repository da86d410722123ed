"""The attack suite against the functions themselves: no way through, and no honest query barred."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from common.http.schemas import violations_of
from tests.data_files import cases_in
from tests.functional.environment import PROJECT
from tests.functional.intruders import Duel, ask
from tests.functional.site import Site, Tenant

HERE = Path(__file__).parent
FIREWALL = HERE.parent / "unit" / "pipelines"
STEPS_AT_ONCE = 60
PARAMETERS = {"date": "DATE", "n": "INT64", "regions": "ARRAY<STRING>", "then": "TIMESTAMP"}
REQUESTS: list[dict[str, Any]] = cases_in(HERE / "attacks.yml")
FILES: list[dict[str, Any]] = cases_in(HERE / "file_attacks.yml")
QUERIES: list[dict[str, Any]] = cases_in(FIREWALL / "firewall_attacks.yml")
HONEST: list[dict[str, Any]] = cases_in(FIREWALL / "firewall_legitimate.yml")


def filled(value: Any, words: dict[str, str]) -> Any:
    """Put words into the places of a line, at any depth."""
    match value:
        case str():
            for name, word in words.items():
                value = value.replace(f"{{{name}}}", word)
            return value
        case dict():
            return {filled(key, words): filled(item, words) for key, item in value.items()}
        case list():
            return [filled(item, words) for item in value]
        case _:
            return value


def test_there_are_as_many_attacks_as_there_should_be() -> None:
    told = {(line["ask"], str(line)) for line in REQUESTS} | {(line["sql"], "") for line in QUERIES}
    assert len(told) == len(REQUESTS) + len(QUERIES) >= 120
    assert len(HONEST) >= 60


def test_no_request_gets_through(site: Site, duel: Duel) -> None:
    before = duel.state_of_victim()
    wrong = [said for line in REQUESTS if (said := objection(site, duel, filled(line, duel.words())))]
    assert wrong == []
    assert duel.state_of_victim() == before


def objection(site: Site, duel: Duel, line: dict[str, Any]) -> str:
    """Send the request of one line; say what is wrong with the answer, "" where nothing is."""
    key = {"none": None, None: duel.attacker.key}.get(line.get("key"), line.get("key"))
    headers = line.get("headers", {}) | ({"X-API-Key": key} if key else {})
    if "admin" in line:
        headers["X-Admin-Key"] = line["admin"]
    more = {"json": line["body"]} if "body" in line else {}
    if "raw" in line:
        more = {"data": line["raw"], "content_type": line.get("type", "application/json")}
    answer = ask(site, line["at"], line["ask"], headers, **more)
    if answer.status_code not in line["answer"]:
        return f"{line['tries']}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400 and violations_of("problem", answer.json):
        return f"{line['tries']}: no problem document"
    if line.get("never") and line["never"] in answer.text:
        return f"{line['tries']}: {line['never']} is in the answer"
    return ""


def test_no_part_of_a_file_gets_through(site: Site, duel: Duel) -> None:
    before = duel.state_of_victim()
    lines = [filled(line, duel.words()) for line in FILES]
    told = [said for line in lines if "with" in line and (said := objection_to_file(duel, line))]
    assert told == []
    assert steps_that_get_through(duel, [line for line in lines if "with" not in line]) == []
    assert duel.state_of_victim() == before
    assert len({line["tries"] for line in FILES}) == len(FILES) >= 80


def a_step(line: dict[str, Any], step_id: str = "a") -> dict[str, Any]:
    config = line.get("config", {"source_query": "SELECT 1 AS a", "target_table": "t"})
    step = {"id": step_id, "ps_type": line.get("type", "bq_etl.query"), "config": config}
    return {**step, **line.get("step", {})}


def uploaded(duel: Duel, *steps: dict[str, Any], **parts: Any) -> tuple[TestResponse, list[str]]:
    """Upload a file of the attacker's; return the answer, and the places that it tells of."""
    file = {"pipeline": {"name": "x"}, "steps": [*steps]} | parts
    answer = duel.attacker.call("POST", "/api/v1/pipelines/configs/evil", file)
    return answer, [error["pointer"] for error in (answer.get_json() or {}).get("errors", ())]


def objection_to_file(duel: Duel, line: dict[str, Any]) -> str:
    """Upload the file of one line; say what is wrong with the answer, "" where the right place is refused."""
    answer, places = uploaded(duel, a_step(line), **line["with"])
    is_told = answer.status_code == 400 or any(place.startswith(line["told"]) for place in places)
    is_refused = answer.status_code in {400, 422} and is_told
    return "" if is_refused else f"{line['tries']}: {answer.status_code} {answer.text[:300]}"


def steps_that_get_through(duel: Duel, lines: list[dict[str, Any]]) -> list[str]:
    """Upload one file of all lines' steps, one after the other; say which are not refused at their places."""
    steps = [a_step(line, f"s{number}") for number, line in enumerate(lines)]
    for before, step in pairwise(steps):
        step["depends_on"] = [before["id"]]
    answer, places = uploaded(duel, *steps)
    assert answer.status_code == 422, answer.text
    told = [f"config/{line['told']}" if "type" in line else line["told"] for line in lines]
    rights = [
        f"/steps/{number}/{place.removeprefix('/steps/0').lstrip('/')}" for number, place in enumerate(told)
    ]
    return [
        line["tries"]
        for line, right in zip(lines, rights, strict=True)
        if not any(place.startswith(right) for place in places)
    ]


def a_file(tenant: Tenant, queries: list[str]) -> dict[str, Any]:
    """Make a pipeline of these queries, as tenant acme of platform-prod would write them."""
    return {
        "pipeline": {"name": "Suite"},
        "parameters": {name: {"type": kind} for name, kind in PARAMETERS.items()},
        "steps": [
            {
                "id": f"s{number}",
                "ps_type": "bq_etl.query",
                "config": {"source_query": localized(sql, tenant), "target_table": f"t{number}"},
            }
            for number, sql in enumerate(queries)
        ],
    }


def localized(text: str, tenant: Tenant) -> str:
    return text.replace("acme", tenant.tenant_id).replace("platform-prod", PROJECT)


def test_no_query_gets_through(site: Site, duel: Duel) -> None:
    open_to(site, duel.attacker)
    tenant, through = duel.attacker, []
    for start in range(0, len(QUERIES), STEPS_AT_ONCE):
        chunk = QUERIES[start : start + STEPS_AT_ONCE]
        file = a_file(tenant, [line["sql"] for line in chunk])
        answer = tenant.call("POST", "/api/v1/pipelines/configs/suite", file)
        assert answer.status_code == 422, answer.text
        violations = answer.get_json()["errors"]
        told = {fault["pointer"].split("/")[2] for fault in violations if fault["pointer"].count("/") > 2}
        through += [line["tries"] for number, line in enumerate(chunk) if str(number) not in told]
    assert through == []


def test_honest_queries_pass(site: Site, duel: Duel) -> None:
    tenant = duel.attacker
    open_to(site, tenant)
    file = a_file(tenant, [line["sql"] for line in HONEST])
    answer = tenant.call("POST", "/api/v1/pipelines/configs/honest", file)
    assert answer.status_code in {200, 201}, answer.text


def open_to(site: Site, tenant: Tenant) -> None:
    """Allow the sources that the suite's honest queries read."""
    sources = ["shared-data.reference", "partner.sales.orders", f"{PROJECT}.shared"]
    path = f"/admin/tenants/{tenant.tenant_id}/sources"
    assert site.admin("PUT", path, {"sources": sources}).status_code == 200
