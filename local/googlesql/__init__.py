"""Google's own analyzer of GoogleSQL (PyPI `zetasql`), in this process; a development dependency.

    analyzer = Analyzer({"p.d.orders": {"id": "INT64", "tags": "ARRAY<STRING>"}}, default_dataset="p.d")
    analysis = analyzer.analyze("SELECT id FROM orders WHERE id > @least", {"least": "INT64"})
    analysis.columns   # (("id", "INT64"),): a column without a name has ""
    analysis.tables    # frozenset({"p.d.orders"}): what BigQuery would call the referenced tables
    analysis.kind      # "QUERY", "INSERT", "CREATE_VIEW", ...

What GoogleSQL rejects raises `RejectedSql`, whose text is what BigQuery says: "Unrecognized name: x at
[1:8]". `analyze_script` analyzes a script of plain statements, one by one. `column_type` names the type of a
field of a BigQuery schema, as tables and parameters want it. An `Analyzer` is one catalog: build one for all
statements that see the same tables (building takes about 0.1 s, a statement 0.02 s), or a small one where
tables come and go, and `close` it. Table names are `project.dataset.table`, and those of metadata
`project.dataset.INFORMATION_SCHEMA.NAME`; statements may leave out the project, and the dataset too where it
is `default_dataset`.

The first process of a machine compiles the analyzer: 30 to 60 CPU-seconds, 1 GB. The result is kept under
`build/cache/googlesql`, and every later process maps it within milliseconds. `load` does that part alone, for
those who want it done in the background. The packages come with the development tools: import this package
where it is used, not at the top of a module that has to run without them. Calls are safe from any thread.

Limits: no wildcard tables; of BigQuery's functions only what the analyzer has built in, and `functions.py`.
"""

from local.googlesql.analyzer import Analysis, Analyzer, RejectedSql
from local.googlesql.engine import load
from local.googlesql.types import column_type

__all__ = ["Analysis", "Analyzer", "RejectedSql", "column_type", "load"]
