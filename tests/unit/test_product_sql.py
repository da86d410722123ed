"""All SQL of the product, analyzed by Google's own analyzer: what it rejects, BigQuery would reject too."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pytest

from common.pipelines.compile import compile_pipeline
from common.pipelines.documents import read_document
from common.pipelines.pipeline import Pipeline, Step
from common.pipelines.plans import CheckJob, CopyJob, LoadJob, QueryJob, StatementType
from common.pipelines.tables import PUBLIC_DATA, Policy
from common.setup.tables import TENANT_SCHEMAS, Shape, central_tables, tenant_table
from common.setup.views import ViewDefinition, central_views, tenant_view
from common.warehouse.backups import restoring_statement
from common.warehouse.bigquery import SQL_FOLDER, statement
from local.googlesql import Analyzer, RejectedSql, column_type
from tests.unit.pipelines.examples import STEP_TYPES
from tests.unit.runs.resolved_jobs import resolved_job

ROOT = Path(__file__).resolve().parents[2]
PROJECT, CENTRAL, TENANT = "p-1", "tenants", "acme"
PLACES = {
    "project": PROJECT,
    "dataset": CENTRAL,
    "backup": f"{CENTRAL}_backup",
    "snapshots": f"{CENTRAL}_snapshots",
    "tenant_id": TENANT,
    "definition": "abcdef0123456789",
    "retention_days": "30",
    "table": "tenant_profiles",
    "partition": "created_at",
    "key": "tenant_id",
}
LABELS = {"managed_by": "convergence"}
JOBS = {
    "creation_time": "TIMESTAMP",
    "job_id": "STRING",
    "error_result": "STRUCT<reason STRING, location STRING, debug_info STRING, message STRING>",
    "total_bytes_billed": "INT64",
    "labels": "ARRAY<STRUCT<key STRING, value STRING>>",
}
ORDERS = {
    "order_id": "INT64",
    "customer_id": "INT64",
    "region": "STRING",
    "amount": "NUMERIC",
    "order_date": "DATE",
}
SOURCES = {
    "orders": ORDERS,
    "source_table": ORDERS,
    "raw_events": {"id": "INT64", "happened_at": "TIMESTAMP"},
}
"""The tables that examples read: a new one is described here."""
PARTS = {"setup/restore_table"}  # Filled in by code, and analyzed as it is then.

type Tables = dict[str, Mapping[str, str]]


def columns_of(shape: Shape) -> dict[str, str]:
    return {column.name: column_type({"type": column.type, "mode": column.mode}) for column in shape.columns}


@cache
def product_tables() -> Tables:
    """List all tables and views that the product's own statements may see."""
    tables: Tables = {
        f"{PROJECT}.region-us.INFORMATION_SCHEMA.JOBS": JOBS,
        **{f"{PROJECT}.{TENANT}.{name}": columns for name, columns in SOURCES.items()},
    }
    for definition in central_tables():
        for dataset in (CENTRAL, PLACES["backup"], PLACES["snapshots"]):
            tables[f"{PROJECT}.{dataset}.{definition.name}"] = columns_of(definition.shape)
    for file in TENANT_SCHEMAS.glob("*.json"):
        columns = columns_of(tenant_table(file.stem).shape)
        # What their statements call the dataset is a tenant's.
        tables |= {f"{PROJECT}.{dataset}.{file.stem}": columns for dataset in (CENTRAL, TENANT)}
    profile = tables[f"{PROJECT}.{CENTRAL}.tenant_profiles"]
    tables[f"{PROJECT}.{CENTRAL}.tenant_profiles_restored"] = profile
    tables[f"{PROJECT}.{PLACES['snapshots']}.tenant_profiles_20260131"] = profile
    waiting = [*central_views(), tenant_view()]
    while waiting:
        analyzer = Analyzer(tables, default_dataset=f"{PROJECT}.{TENANT}")
        ready = {view: columns for view in waiting if (columns := columns_of_view(analyzer, view))}
        assert ready, [view.name for view in waiting]
        for view, columns in ready.items():
            dataset = TENANT if view.name == tenant_view().name else CENTRAL
            tables[f"{PROJECT}.{dataset}.{view.name}"] = columns
            waiting.remove(view)
    return tables


def columns_of_view(analyzer: Analyzer, view: ViewDefinition) -> dict[str, str]:
    """Tell a view's columns; none where what it reads is not there yet. What else is wrong is raised."""
    try:
        return dict(analyzer.analyze(filled(view.text)).columns)
    except RejectedSql as error:
        if "Table not found" in str(error):
            return {}
        raise


def filled(text: str) -> str:
    """Put names in the `${places}` of a statement."""
    return re.sub(r"\$\{(\w+)\}", lambda place: PLACES[place[1]], text)


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement of the product: where it is, and what it needs."""

    place: str
    text: str
    parameters: Mapping[str, str]


def files() -> Iterator[Sql]:
    for file in sorted(SQL_FOLDER.rglob("*.sql")):
        name = str(file.relative_to(SQL_FOLDER).with_suffix(""))
        if name not in PARTS:
            found = statement(name)
            yield Sql(f"{name}.sql", filled(found.text), found.parameter_types)
    for file in sorted((ROOT / "local/demo/sql").glob("*.sql")):
        yield Sql(
            f"demo/{file.name}",
            filled(file.read_text()).replace(f".{CENTRAL}.tenant_c", f".{TENANT}.tenant_c"),
            {},
        )


def restorations() -> Iterator[Sql]:
    for definition in central_tables():
        places = {key: PLACES[key] for key in ("project", "dataset", "backup")} | {"table": definition.name}
        lacking = Shape(columns=definition.shape.columns[:1])
        text = restoring_statement(definition, definition.shape, LABELS).render(**places)
        yield Sql(f"restore {definition.name}", text, {})
        yield Sql(
            f"restore {definition.name} of one column",
            restoring_statement(definition, lacking, LABELS).render(**places),
            {},
        )


def snapshots() -> Iterator[Sql]:
    """List the backup's statements: the script, and the statement that it executes."""
    for file in sorted((ROOT / "terraform/sql").glob("*.sql")):
        text = filled(file.read_text())
        yield Sql(file.name, text, {})
        inner = re.search(r'"""(.*?)"""', text, re.DOTALL)
        assert inner
        yield Sql(f"{file.name}: executed", inner[1].replace("%s", "20260131"), {})


def documents() -> Iterator[Sql]:
    """List the statements in the pages: blocks of SQL, `bq query`, and sentences with a statement in them."""
    for file in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        text = file.read_text()
        found = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
        found += [quoted[1] for quoted in re.findall(r"bq query [^'\"`]*(['\"])(.*?)\1", text, re.DOTALL)]
        found += re.findall(r"`(CREATE TABLE [a-z][^`]*)`", text)
        for number, shown in enumerate(found, start=1):
            sql = re.sub(r"<\w+>", TENANT, shown.replace("PROJECT.", f"{PROJECT}."))
            given = re.search(r"-- Parameters: (.*)", sql)
            types = dict(part.split() for part in given[1].split(", ")) if given else {}
            yield Sql(f"{file.relative_to(ROOT)} #{number}", sql, types)


SHOWN_SOURCES = frozenset({PUBLIC_DATA, "gs://local-files"})
STATEMENTS = [*files(), *restorations(), *snapshots(), *documents()]


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer(product_tables(), default_dataset=f"{PROJECT}.{TENANT}")


def test_nothing_is_left_out() -> None:
    of_product = {*SQL_FOLDER.rglob("*.sql"), *(ROOT / "terraform/sql").glob("*.sql")}
    assert len(STATEMENTS) > len(of_product) + len(central_tables())
    assert {sql.place.partition(" #")[0] for sql in STATEMENTS} >= {"docs/runbook.md", "docs/exactly-once.md"}


@pytest.mark.parametrize("sql", STATEMENTS, ids=lambda sql: sql.place)
def test_a_statement_is_what_bigquery_accepts(analyzer: Analyzer, sql: Sql) -> None:
    assert [analysis.kind for analysis in analyzer.analyze_script(sql.text, sql.parameters)]


def test_the_views_are_what_bigquery_accepts_and_have_columns_with_names() -> None:
    for view in (*central_views(), tenant_view()):
        dataset = TENANT if view.name == tenant_view().name else CENTRAL
        assert all(product_tables()[f"{PROJECT}.{dataset}.{view.name}"])


# Pipelines


def pipelines() -> Iterator[tuple[str, bytes]]:
    """List the files of examples, and the pipelines that pages show."""
    for file in [*ROOT.glob("ps_templates/**/example.yml"), *ROOT.glob("configs/**/*.yml")]:
        yield str(file.relative_to(ROOT)), file.read_bytes()
    costs = (ROOT / "ps_templates/gcp/cost_billing/example.yml").read_bytes()
    yield "a standard export", costs.replace(b"export: detailed", b"export: standard")
    for file in sorted(
        [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("ps_templates/**/*.md")]
    ):
        blocks = re.findall(r"```ya?ml\n(.*?)```", file.read_text(), re.DOTALL)
        for number, block in enumerate(blocks, start=1):
            if "\nsteps:" in block and "pipeline:" in block:
                yield f"{file.relative_to(ROOT)} #{number}", block.encode()


PIPELINES = list(pipelines())
GIVEN_BY_STEPS = {
    "interval_start": "TIMESTAMP",
    "interval_end": "TIMESTAMP",
    "is_first_run": "BOOL",
}


def compiled(text: bytes) -> Pipeline:
    document = read_document(text, None)
    header = document["pipeline"]
    assert isinstance(header, dict)
    found = compile_pipeline(
        document,
        tenant_id=TENANT,
        config_id=str(header.get("id", "shown")),
        version=1,
        project_id=PROJECT,
        step_types=STEP_TYPES,
        policy=Policy(project_id=PROJECT, dataset=TENANT, allowed_sources=SHOWN_SOURCES),
    )
    return found.pipeline


def test_pipelines_of_pages_are_found() -> None:
    assert {"README.md #1", "ps_templates/bq_etl/query/example.yml"} <= {place for place, _ in PIPELINES}


@pytest.mark.parametrize("text", [text for _, text in PIPELINES], ids=[place for place, _ in PIPELINES])
def test_a_pipeline_that_is_shown_is_what_bigquery_accepts(text: bytes) -> None:
    pipeline = compiled(text)
    types = {parameter.name: parameter.type for parameter in pipeline.parameters}
    tables: Tables = {f"{PROJECT}.{TENANT}.{name}": columns for name, columns in SOURCES.items()}
    for step, job in ((one, job) for one in pipeline.steps for job in one.jobs):
        analyzer = Analyzer(tables, default_dataset=f"{PROJECT}.{TENANT}")
        target = f"{PROJECT}.{TENANT}.{job.destination}"
        if isinstance(job, CopyJob):
            tables[target] = tables[job.sources[0]]
            continue
        if isinstance(job, LoadJob):
            tables[target] = {column.name: column_type(asdict(column)) for column in job.columns}
        kinds = GIVEN_BY_STEPS | types
        if isinstance(job, CheckJob):
            assert analyzer.analyze(job.sql, {name: kinds[name] for name in job.parameters}).columns
        if not isinstance(job, QueryJob):
            continue
        tenants_text = job.queries[0] if job.queries else job.sql
        if job.statement_type is StatementType.MERGE and not job.on_schema_change:
            assert analyzer.analyze(job.sql, {name: kinds[name] for name in job.parameters}).kind == "MERGE"
            continue
        named = {name: kinds[name] for name in job.parameters if f"@{name}" in tenants_text}
        rows = dict(analyzer.analyze(tenants_text, named).columns)
        assert all(rows)
        tables[target] = analyzed(pipeline, step, tables, types, rows) if job.on_schema_change else rows
        if job.statement_type is StatementType.CREATE_VIEW:
            assert analyzer.analyze(job.sql).kind == "CREATE_VIEW"


def analyzed(
    pipeline: Pipeline, step: Step, tables: Tables, types: Mapping[str, str], rows: Mapping[str, str]
) -> dict[str, str]:
    """Analyze what an incremental step comes to, first and later; return the columns of its table."""
    first = resolved_job(pipeline, step, rows, is_there=False)
    kinds = {**types, **{one.name: one.type for one in first.parameters}}
    analyzer = Analyzer(tables, default_dataset=f"{PROJECT}.{TENANT}")
    made = dict(analyzer.analyze(first.work.sql, kinds).columns)
    there = {**tables, f"{PROJECT}.{TENANT}.{step.target_table}": made}
    later = resolved_job(pipeline, step, rows, table=made)
    kinds = {**types, **{one.name: one.type for one in later.parameters}}
    analysis = Analyzer(there, default_dataset=f"{PROJECT}.{TENANT}").analyze(later.work.sql, kinds)
    assert isinstance(later.work, QueryJob)
    assert analysis.kind == later.work.statement_type.value
    return made
