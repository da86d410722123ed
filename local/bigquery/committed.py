"""What `local_bigquery` writes down of a job after its rows are committed, made up for by their receipt."""

from typing import Any

from local_bigquery.catalog import tables
from local_bigquery.jobs import query
from local_bigquery.models import ExplainQueryStage, JobConfiguration, JobStatistics, Table
from sqlglot import exp

from local.bigquery import partitions
from local.bigquery.statements import trees_of

Counts = dict[str, int]


def statistics_of(configuration: JobConfiguration, counts: Counts) -> JobStatistics:
    """Return the statistics of a job that has changed so many rows."""
    rows = str(sum(counts.values()))
    if configuration.load:
        return JobStatistics.model_validate({"load": {"outputRows": rows, "badRecords": "0"}})
    if configuration.copy_:
        return JobStatistics.model_validate({"copy": {"copiedRows": rows, "copiedLogicalBytes": "0"}})
    return JobStatistics.model_validate({"query": _query_statistics(configuration, counts, rows)})


def with_rows_written(configuration: JobConfiguration, statistics: JobStatistics, rows: int) -> JobStatistics:
    """Have a query's plan say how many rows it wrote, as the last stage of BigQuery's does."""
    if not (statistics.query and configuration.query and configuration.query.destinationTable):
        return statistics
    partition = partitions.split(configuration.query.destinationTable.tableId or "")[1]
    if partition and configuration.query.writeDisposition == "WRITE_TRUNCATE":
        return statistics  # The other partitions' rows were written again with it: its own can be counted.
    stage = ExplainQueryStage.model_validate({"name": "S00: Output", "recordsWritten": str(rows)})
    of_query = statistics.query.model_copy(update={"queryPlan": [stage]})
    return statistics.model_copy(update={"query": of_query})


def describe_destination(configuration: JobConfiguration) -> None:
    """Note the partitioning, clustering and schema that a job gives to its destination."""
    config = configuration.load or configuration.copy_ or configuration.query
    if not (config and config.destinationTable):
        return
    reference = tables.reference(config.destinationTable)
    columns = [field.name for field in tables.columns(*reference)]
    tables.annotate(reference, tables.layout(columns, config, config.writeDisposition or ""))
    if configuration.load and configuration.load.schema_:
        tables.annotate(reference, Table(schema=configuration.load.schema_))


def _query_statistics(configuration: JobConfiguration, counts: Counts, rows: str) -> dict[str, Any]:
    trees = trees_of(configuration.query.query or "")
    if len(trees) != 1:
        return {"statementType": "SCRIPT"}
    (tree,) = trees
    kind = {"statementType": query.statement_type(tree)}
    if isinstance(tree, (exp.Query, exp.Create)):
        return kind
    return kind | {"numDmlAffectedRows": rows, "dmlStats": {key: str(count) for key, count in counts.items()}}
