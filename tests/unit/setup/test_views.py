"""The views as files. What they show is tried on the local BigQuery, in tests/contract/warehouse."""

import re
from dataclasses import replace

import pytest
import sqlglot

from common.setup.views import ViewDefinition, central_views, tenant_view

PLACES = {
    "project": "a-project", "dataset": "tenants", "tenant_id": "acme", "definition": "0123456789abcdef",
}  # fmt: skip


def rendered(view: ViewDefinition) -> str:
    """Put identifiers in a view's places."""
    return re.sub(r"\$\{(\w+)\}", lambda place: PLACES[place[1]], view.text)


def test_the_central_views_come_before_those_that_read_them() -> None:
    assert [view.name for view in central_views()] == [
        "current_api_keys",
        "current_firings",
        "current_pipeline_configs",
        "current_pipeline_queue",
        "current_pipeline_runs",
        "current_step_logs",
        "current_subscriptions",
        "current_tenant_profiles",
        "tenant_pipeline_execution_view",
    ]


@pytest.mark.parametrize("view", [*central_views(), tenant_view()], ids=lambda view: view.name)
def test_each_file_is_one_statement_that_creates_the_view_of_its_name(view: ViewDefinition) -> None:
    (statement,) = sqlglot.parse(rendered(view), read="bigquery")
    assert isinstance(statement, sqlglot.exp.Create)
    assert statement.this.name == view.name
    assert f"('definition', '{PLACES['definition']}')" in rendered(view)


def test_every_table_that_the_tenants_view_reads_is_filtered_to_the_tenant() -> None:
    (statement,) = sqlglot.parse(rendered(tenant_view()), read="bigquery")
    assert statement
    selects = [table.find_ancestor(sqlglot.exp.Select) for table in statement.find_all(sqlglot.exp.Table)
               if table.db == "tenants"]  # fmt: skip
    assert len(selects) == 6
    for select in selects:
        assert select
        assert "tenant_id = 'acme'" in select.args["where"].sql("bigquery")


def test_a_changed_text_has_another_fingerprint_fit_for_a_label() -> None:
    view = tenant_view()
    changed = replace(view, text=view.text + " ")
    assert view.fingerprint != changed.fingerprint
    assert re.fullmatch(r"[0-9a-f]{16}", view.fingerprint)
