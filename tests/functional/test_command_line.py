"""The command line and its client on the functions, over HTTP: a day of a tenant, a look of an operator."""

import functools
import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cli.app import main
from common.client import Api, Client, Key, Operator
from local.gateway import Gateway
from tests.functional.environment import ADMIN_KEY
from tests.functional.site import Site, Tenant

PIPELINE = """\
pipeline: {id: daily, name: Daily}
parameters:
  least: {type: INT64, default: 1}
steps:
  - id: orders
    ps_type: bq_etl.query
    config: {source_query: "SELECT ${date} AS day, n FROM UNNEST([1, 2, 3]) AS n", target_table: orders}
  - id: total
    ps_type: bq_etl.query
    config: {source_query: "SELECT SUM(n) AS n FROM orders WHERE n >= ${least}", target_table: total}
"""
FAILING = """\
pipeline: {id: failing, name: Failing}
steps:
  - {id: one, ps_type: bq_etl.query, config: {source_query: SELECT 1 / 0 AS n, target_table: ones}}
"""


def renamed(config_id: str) -> str:
    """Write the file `daily` under another ID, with tables of its own."""
    text = PIPELINE.replace("id: daily", f"id: {config_id}")
    return re.sub(r"(target_table: |FROM )(orders|total)", rf"\1{config_id}_\2", text)


BUILT_ONCE = functools.cache(typer.main.get_command)
"""The tree of commands, which a process builds for each of its calls: it has one, but here."""

type Convergence = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    """Serve the functions behind a gateway, as `make run` does."""
    gateway = Gateway("127.0.0.1", 0)
    functions = {name: client.application for name, client in site.functions.items()}
    with gateway.serving(functions):
        yield gateway.url
    gateway.close()


@pytest.fixture
def convergence_as(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Tenant], Convergence]:
    """Return what makes, for a tenant, what runs a command in a folder of its own."""

    def convergence_of(tenant: Tenant) -> Convergence:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(typer.main, "get_command", BUILT_ONCE)
        for name, value in {
            "URL": url,
            "API_KEY": tenant.key,
            "ADMIN_KEY": ADMIN_KEY,
            "CONFIG_DIR": str(tmp_path / "config"),
        }.items():
            monkeypatch.setenv(f"CONVERGENCE_{name}", value)

        def run(*arguments: str) -> tuple[int, str, str]:
            monkeypatch.setattr(sys, "argv", ["convergence", *arguments])
            monkeypatch.setattr(sys, "stdin", io.StringIO())
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
            printed = capsys.readouterr()
            assert tenant.key not in printed.out + printed.err
            return int(ended.value.code or 0), printed.out, printed.err

        return run

    return convergence_of


@pytest.fixture
def shared_convergence(convergence_as: Callable[[Tenant], Convergence], shared_tenant: Tenant) -> Convergence:
    """Return what runs a command as the tenant of all tests here."""
    return convergence_as(shared_tenant)


@pytest.fixture(scope="module")
def known_tenant(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard a tenant that has `daily` and `failing` at the most, and runs of one test alone."""
    return site.onboard(next(tenant_ids))


@pytest.fixture
def known_convergence(convergence_as: Callable[[Tenant], Convergence], known_tenant: Tenant) -> Convergence:
    """Return what runs a command as a tenant of which all is known."""
    return convergence_as(known_tenant)


@pytest.fixture(scope="module")
def other_tenant(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard another tenant, which is billed for nothing."""
    return site.onboard(next(tenant_ids))


@pytest.fixture
def delivered(site: Site) -> Iterator[None]:
    """Deliver messages as they come, while a run is followed."""
    over = threading.Event()

    def deliver() -> None:
        while not over.wait(0.1):
            site.drain()

    thread = threading.Thread(target=deliver)
    thread.start()
    yield
    over.set()
    thread.join()


def as_json(outcome: tuple[int, str, str]) -> Any:
    code, out, error = outcome
    assert code == 0, error
    return json.loads(out)


@pytest.mark.usefixtures("delivered")
def test_a_file_becomes_a_run_that_is_followed_to_its_end(
    shared_convergence: Convergence, tmp_path: Path
) -> None:
    convergence = shared_convergence
    (tmp_path / "followed.yml").write_text(renamed("followed"))
    assert convergence("validate", "followed.yml")[0] == 0
    code, planned, _ = convergence("diff", ".", "--exit-code")
    assert (code, planned.splitlines()[0]) == (1, "+ followed")
    assert convergence("deploy", ".")[0] == 0
    assert convergence("diff", ".", "--exit-code")[0] == 0
    used = as_json(convergence("quota", "--json"))["daily"]["used"]
    given = ("--date", "2024-01-01", "--param", "least=2")
    code, out, error = convergence("run", "followed", *given, "--follow")
    assert code == 0, error
    assert "level 2  total  COMPLETED" in out
    found = as_json(convergence("status", "--json"))
    assert (found["status"], found["parameters"]["least"]) == ("COMPLETED", 2)
    told = convergence("logs")[1]
    assert "admitted: followed version 1" in told
    assert told.rstrip().splitlines()[-1].split("  ")[1].startswith("COMPLETED after")
    (run,) = as_json(convergence("history", "followed", "--json"))
    assert run["pipeline_logging_id"] == found["pipeline_logging_id"]
    assert as_json(convergence("quota", "--json"))["daily"]["used"] == used + 1


@pytest.mark.usefixtures("delivered")
def test_a_run_that_fails_ends_with_its_own_code_and_bigquerys_words(
    shared_convergence: Convergence, tmp_path: Path
) -> None:
    (tmp_path / "failing.yml").write_text(FAILING)
    shared_convergence("deploy", "failing.yml")
    code, out, _ = shared_convergence("run", "failing", "--follow")
    assert (code, "division by zero" in out) == (10, True)
    assert "division by zero" in shared_convergence("logs")[1]
    assert (
        shared_convergence(
            "retry", as_json(shared_convergence("status", "--json"))["pipeline_logging_id"], "--follow"
        )[0]
        == 10
    )


def test_a_changed_file_is_shown_line_by_line_and_becomes_a_version(
    shared_convergence: Convergence, tmp_path: Path
) -> None:
    (tmp_path / "changed.yml").write_text(renamed("changed"))
    shared_convergence("deploy", ".")
    (tmp_path / "changed.yml").write_text(renamed("changed").replace("name: Daily", "name: Nightly"))
    shown = shared_convergence("diff", ".")[1].splitlines()
    assert "-pipeline: {id: changed, name: Daily}" in shown
    assert "+pipeline: {id: changed, name: Nightly}" in shown
    (saved,) = as_json(shared_convergence("deploy", ".", "--json"))["saved"]
    assert saved["version"] == 2


def test_pipelines_without_a_file_go_by_prune_alone_and_never_unasked(
    known_convergence: Convergence, tmp_path: Path
) -> None:
    convergence = known_convergence
    (tmp_path / "daily.yml").write_text(PIPELINE)
    (tmp_path / "failing.yml").write_text(FAILING)
    convergence("deploy", ".")
    (tmp_path / "failing.yml").unlink()
    assert "left alone: failing" in convergence("deploy", ".")[1]
    assert convergence("deploy", ".", "--prune")[0] == 2
    assert as_json(convergence("diff", ".", "--prune", "--json"))["to_remove"] == ["failing"]
    assert convergence("deploy", ".", "--prune", "--yes")[0] == 0
    assert as_json(convergence("diff", ".", "--json"))["without_file"] == []


def test_a_refused_file_stops_no_other_and_lets_nothing_be_taken_away(
    known_convergence: Convergence, tmp_path: Path
) -> None:
    convergence = known_convergence
    (tmp_path / "failing.yml").write_text(FAILING)
    convergence("deploy", "failing.yml")
    (tmp_path / "failing.yml").unlink()
    (tmp_path / "daily.yml").write_text(PIPELINE)
    (tmp_path / "bad.yml").write_text(
        PIPELINE.replace("id: daily", "id: bad").replace("SELECT SUM(n) AS n", "DROP")
    )
    code, _, error = convergence("deploy", ".", "--prune", "--yes")
    assert code == 1
    assert re.search(
        r"line 10, column \d+, step total, /steps/1/config/source_query: step total begins with", error
    )
    kept = as_json(convergence("diff", ".", "--json"))
    assert (kept["new"], kept["unchanged"], kept["without_file"]) == (["bad"], ["daily"], ["failing"])


def test_a_quote_a_backfill_and_its_cancellation(shared_convergence: Convergence, tmp_path: Path) -> None:
    (tmp_path / "by_day.yml").write_text(renamed("by_day"))
    shared_convergence("deploy", ".")
    quoted = as_json(shared_convergence("quote", "by_day", "--date", "2024-01-01", "--json"))
    assert (quoted["is_valid"], quoted["date"]) == (True, "2024-01-01")
    code, out, _ = shared_convergence("quote", "by_day", "--file", "by_day.yml")
    assert (code, out.splitlines()[-1]) == (0, "In all: reads unknown, costs unknown, at least 0.0000 USD")
    (tmp_path / "by_day.yml").write_text(renamed("by_day").replace("SUM(n)", "SUM(nowhere)"))
    assert shared_convergence("quote", "by_day", "--file", "by_day.yml")[0] == 1
    plan = as_json(
        shared_convergence(
            "backfill", "by_day", "--from", "2024-01-01", "--to", "2024-01-04", "--yes", "--json"
        )
    )
    assert (plan["runs"], plan["dry_run"]) == (3, False)
    shown = as_json(shared_convergence("backfills", "show", plan["backfill_id"], "--json"))
    assert sum(shown["states"].values()) == 3
    assert len(as_json(shared_convergence("queue", "--json"))) == 2
    assert shared_convergence("backfills", "cancel", plan["backfill_id"], "--yes")[0] == 0


def test_schedules_keys_and_credentials(shared_convergence: Convergence, tmp_path: Path) -> None:
    scheduled = renamed("scheduled").replace("parameters:", 'schedule: {cron: "0 4 * * *"}\nparameters:')
    (tmp_path / "scheduled.yml").write_text(scheduled)
    shared_convergence("deploy", ".")
    assert shared_convergence("schedules", "pause", "scheduled")[0] == 0
    assert "paused" in shared_convergence("schedules")[1]
    assert as_json(shared_convergence("schedules", "resume", "scheduled", "--json"))[0]["paused"] is False
    code, _, error = shared_convergence("keys", "new", "--to", "key.txt", "--scope", "read", "--days", "3")
    assert code == 0, error
    made = next(key for key in as_json(shared_convergence("keys", "--json")) if key["scopes"] == ["read"])
    assert (tmp_path / "key.txt").read_text().startswith(made["key_prefix"])
    assert shared_convergence("keys", "revoke", made["api_key_id"], "--yes")[0] == 0
    (tmp_path / "aws.json").write_text('{"access_key_id": "an-id", "secret_access_key": "a-secret"}')
    assert shared_convergence("credentials", "put", "mine", "--provider", "aws", "--file", "aws.json")[0] == 0
    assert [one["credential_id"] for one in as_json(shared_convergence("credentials", "--json"))] == ["mine"]
    assert shared_convergence("credentials", "delete", "mine", "--yes")[0] == 0


def test_a_graph_over_two_files(shared_convergence: Convergence, tmp_path: Path) -> None:
    (tmp_path / "source.yml").write_text(renamed("source"))
    report = FAILING.replace("failing", "report").replace("SELECT 1 / 0 AS n", "SELECT n FROM source_total")
    (tmp_path / "report.yml").write_text(report)
    shared_convergence("deploy", ".")
    drawn = shared_convergence("graph", "report", "--across")[1]
    assert all(name in drawn for name in ('["source"]', '["report"]', '("source_total")'))


def test_another_tenants_things_are_not_found(shared_convergence: Convergence, other_tenant: Tenant) -> None:
    other_tenant.upload("theirs", FAILING.replace("failing", "theirs"))
    run_id = other_tenant.run("theirs")
    for command in (
        ("status", run_id),
        ("logs", run_id),
        ("cancel", run_id),
        ("run", "theirs"),
        ("graph", "theirs"),
    ):
        code, out, error = shared_convergence(*command)
        assert (code, out) == (4, ""), command
        assert "Next: " in error


def test_an_operator_looks_and_changes(shared_convergence: Convergence, other_tenant: Tenant) -> None:
    convergence, tenant = shared_convergence, other_tenant
    assert tenant.tenant_id in convergence("admin", "tenants")[1]
    assert "Admitted" in convergence("admin", "overview")[1]
    assert "STARTER" in convergence("admin", "plan", tenant.tenant_id, "STARTER")[1]
    assert convergence("admin", "suspend", tenant.tenant_id, "--yes")[0] == 0
    assert "ACTIVE" in convergence("admin", "reactivate", tenant.tenant_id)[1]
    actions = [
        entry["action"]
        for entry in as_json(convergence("admin", "audit", "--tenant", tenant.tenant_id, "--json"))
    ]
    assert actions.count("change_tenant") >= 3
    assert convergence("admin", "dispatcher")[0] == 0
    assert convergence("admin", "bootstrap")[0] == 0


@pytest.mark.usefixtures("shared_tenant")
def test_the_client_does_what_its_nouns_say(url: str, known_tenant: Tenant, site: Site) -> None:
    tenant = known_tenant
    api = Api(url=url, key=Key.tenant(tenant.key))
    client, operator = Client(api), Operator(Api(url=url, key=Key.operator(ADMIN_KEY)))
    assert client.tenant.quota()["tenant_id"] == tenant.tenant_id
    assert operator.tenant(tenant.tenant_id)["status"] == "ACTIVE"
    assert len({one["tenant_id"] for one in islice(operator.tenants(limit=1), 2)}) == 2
    tenant.upload("daily", PIPELINE)
    first = client.runs.start("daily", {"date": "2024-01-01"}, "once")
    assert (
        client.runs.start("daily", {"date": "2024-01-01"}, "once")["pipeline_logging_id"]
        == first["pipeline_logging_id"]
    )
    site.drain()
    client.runs.start("daily")
    site.drain()
    assert len(list(client.runs.each(limit=1))) == 2
    assert [one["status"] for one in client.runs.receipt(first["pipeline_logging_id"])["attempts"]] == [
        "COMPLETED"
    ] * 2


@pytest.mark.usefixtures("delivered")
def test_what_was_used_is_told_to_the_tenant_and_for_invoices(
    shared_convergence: Convergence, shared_tenant: Tenant, tmp_path: Path
) -> None:
    (tmp_path / "used.yml").write_text(renamed("used"))
    assert shared_convergence("deploy", ".")[0] == 0
    assert shared_convergence("run", "used", "--follow")[0] == 0
    found = as_json(shared_convergence("usage", "--by", "step", "--json"))
    rows = [row for row in found["rows"] if row["pipeline_id"] == "used"]
    assert [(row["step_id"], row["runs"], row["jobs"]) for row in rows] == [("orders", 1, 1), ("total", 1, 1)]
    code, out, note = shared_convergence("usage")
    assert (code, out.split()[:4]) == (0, ["Pipeline", "Runs", "Failed", "Jobs"])
    assert "for a TiB in US" in note
    code, out, _ = shared_convergence("admin", "usage", "--tenant", shared_tenant.tenant_id, "--csv")
    header, line = out.splitlines()
    assert (code, header.split(",")[0], line.split(",")[0]) == (0, "tenant_id", shared_tenant.tenant_id)
    assert shared_tenant.tenant_id in shared_convergence("admin", "usage")[1]


def test_the_quota_tells_of_budgets_and_what_is_spent(
    convergence_as: Callable[[Tenant], Convergence], url: str, other_tenant: Tenant, site: Site
) -> None:
    site.drain()
    client = Client(Api(url=url, key=Key.tenant(other_tenant.key)))
    client.tenant.set_budget({"max_bytes_per_run": 2**30, "max_cost_per_month": 12.5})
    told = convergence_as(other_tenant)("quota")[1].splitlines()
    assert "This month 0 B were billed, 0 B are held" in told
    assert told[-1] == "Budget of the tenant: max_bytes_per_run 1.0 GiB, max_cost_per_month 12.5"
