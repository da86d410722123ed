"""The halves of a job that merges: its rows written beside the target, and the merge of them from there.

A job that merges a query of the tenant's is compiled once more with the candidate in the query's place. Where
the rows are made by the platform's own statement, this runs into the candidate, which is empty; `publish_sql`
of the plan then merges what is there.
"""

from collections.abc import Mapping
from dataclasses import replace

from common.pipelines.candidates import CANDIDATE
from common.pipelines.check_types import CheckSql
from common.pipelines.checked_plans import Merging
from common.pipelines.job_compiler import JobCompiler
from common.pipelines.job_templates import Config, JobTemplate, Statement
from common.pipelines.plans import PUBLISH, Job, QueryJob, StatementType, WriteDisposition
from common.pipelines.statement_compiler import CompiledStatement, StatementCompiler
from common.pipelines.yaml_documents import Value


def merging_of(template: JobTemplate, job: Job, compiler: JobCompiler, publish: CheckSql) -> Merging | None:
    """Divide a job without violations in its halves; None where it is no statement that merges.

    `publish` selects all rows of a `${table}`.
    """
    if not isinstance(job, QueryJob) or compiler.target is None or template.statement is None:
        return None
    candidate = replace(compiler.target, table=CANDIDATE)
    if job.on_schema_change:
        (name,) = template.statement.queries
        query = Statement(text=f"${{{name}}}", fields={name: template.statement.fields[name]})
        made = _compiled(compiler.statements, query, {}, is_select=True)
        select = publish.filled({"table": f"`{candidate}`"})
        again = replace(compiler, statements=_with(compiler.statements, {name: select}), violations=[])
        publishing = again.compile(template)
        if made is None or not isinstance(publishing, QueryJob):
            return None
        rows = replace(
            _beside(job, made),
            statement_type=StatementType.SELECT,
            write_disposition=WriteDisposition.EMPTY,
            queries=(made.sql,),
            places=made.places,
            first_sql="",
            clustering=(),
        )
        return Merging(rows=rows, publishing=replace(publishing, name=PUBLISH))
    if template.publishing is None:
        return None
    targets = dict.fromkeys(template.sources_of("destination"), CANDIDATE)
    filling = _compiled(compiler.statements, template.statement, targets, is_select=False)
    merge = _compiled(compiler.statements, template.publishing, {}, is_select=False)
    if filling is None or merge is None:
        return None
    publishing = replace(job, name=PUBLISH, sql=merge.sql, parameters=merge.parameters, queries=merge.queries)
    return Merging(rows=_beside(job, filling), publishing=publishing)


def _beside(job: QueryJob, made: CompiledStatement) -> QueryJob:
    return replace(
        job,
        sql=made.sql,
        parameters=made.parameters,
        queries=made.queries,
        destination=CANDIDATE,
        candidate_for=job.destination,
    )


def _compiled(
    statements: StatementCompiler, statement: Statement, given: Mapping[str, Value], *, is_select: bool
) -> CompiledStatement | None:
    writes = frozenset(statement.tables)  # They have been judged where the step's own statement was.
    return _with(statements, given).compile(statement, (), is_select=is_select, writes=writes)


def _with(statements: StatementCompiler, given: Mapping[str, Value]) -> StatementCompiler:
    """Return the compiler with other values of some fields; what it reads and finds is its own."""
    config = statements.config
    changed = Config(given={**config.given, **given}, schema=config.schema, pipeline=config.pipeline)
    return replace(statements, config=changed, violations=[], reads=set())
