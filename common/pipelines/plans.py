"""The plan of a step: the jobs that it consists of, in their order, each of one kind.

A job is data. What BigQuery is asked for by it, and what its answer says of it, is `common.warehouse`'s to
know; when it runs, and how often, is `common.runs`'s.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from common.pipelines.origins import Places
from common.quality.checks import Check

MAIN = "main"
"""The name of the job that does a step's work; the others are named for what they are there for."""

CHECKS = "checks"
"""The name of the job that does all checks of a table."""

PUBLISH = "publish"
"""The name of the job by which checked rows come to their table."""


class WriteDisposition(StrEnum):
    """What happens to the rows that a target table holds already."""

    TRUNCATE = "WRITE_TRUNCATE"
    APPEND = "WRITE_APPEND"
    EMPTY = "WRITE_EMPTY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitioning:
    """Time partitioning of a target table that the step creates."""

    field: str
    type: str = "DAY"
    expiration_days: int | None = None


class StatementType(StrEnum):
    """What a statement is, in the words of BigQuery's dry run."""

    SELECT = "SELECT"
    INSERT = "INSERT"
    MERGE = "MERGE"
    CREATE_VIEW = "CREATE_VIEW"


class SchemaUpdate(StrEnum):
    """How rows may change the columns of the table that they are added to."""

    ADD_COLUMNS = "ALLOW_FIELD_ADDITION"
    RELAX = "ALLOW_FIELD_RELAXATION"


class SchemaChange(StrEnum):
    """What happens where the columns of rows are not those of the table that they are written to."""

    FAIL = "fail"
    IGNORE = "ignore"
    APPEND_COLUMNS = "append_columns"


class FileFormat(StrEnum):
    """What is in files."""

    CSV = "CSV"
    JSON = "NEWLINE_DELIMITED_JSON"
    PARQUET = "PARQUET"
    AVRO = "AVRO"
    ORC = "ORC"


class LoadMode(StrEnum):
    """Which of the files that a load's URIs match are loaded."""

    NEW_FILES = "new_files"
    """Those that the table has not had, in the version that they have now."""
    ALL = "all"
    REPLACE_PARTITION = "replace_partition"
    """All of them, in the place of the rows that one partition has."""


class CopyOperation(StrEnum):
    """What a copy becomes: a table of its own, a read-only one, or one that shares storage."""

    COPY = "COPY"
    SNAPSHOT = "SNAPSHOT"
    CLONE = "CLONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of files, or a field of a STRUCT."""

    name: str
    type: str
    mode: str = "NULLABLE"
    description: str = ""
    fields: tuple["Column", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryJob:
    """A statement, and where BigQuery writes its rows: `destination`, a name in the tenant's own dataset.

    `parameters` are the names of those that `sql` uses. A statement of another type than SELECT says itself
    what it writes; then `queries` are the tenant's own texts in it, each one SELECT.
    """

    KIND: ClassVar[str] = "query"

    name: str = MAIN
    sql: str
    destination: str
    write_disposition: WriteDisposition = WriteDisposition.TRUNCATE
    parameters: tuple[str, ...] = ()
    partitioning: Partitioning | None = None
    clustering: tuple[str, ...] = ()
    maximum_bytes_billed: int | None = None
    places: Places = field(default=(), compare=False)
    """Where `sql` stands in the uploaded file, as far as that is known."""
    statement_type: StatementType = StatementType.SELECT
    queries: tuple[str, ...] = ()
    partition: str = ""
    """The one partition that is written, as BigQuery names it (20260131), or the name of a DATE parameter."""
    schema_update: tuple[SchemaUpdate, ...] = ()
    first_sql: str = ""
    """The SELECT whose rows make the destination where it is not there yet, or is to be made anew."""
    on_schema_change: SchemaChange | None = None
    """Of a statement that goes by its destination's columns, which are looked at right before it runs."""
    keys: tuple[str, ...] = ()
    """The columns by which rows are the same."""
    own_columns: tuple[str, ...] = ()
    """Columns of the destination that the statement fills itself."""
    lookback: int | None = None
    """How many partitions before a run's interval are written too; None where nothing goes by partitions."""
    is_protected: bool = False
    """Whether the destination is never made anew."""
    candidate_for: str = ""
    """The table that the destination's rows become once they are checked; "" where it is the target."""
    is_temporary: bool = False
    """Whether the destination is there for the step's later jobs alone: like a candidate, it expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadJob:
    """Files whose rows BigQuery writes to a table of the tenant's; without `columns` it finds them out.

    `uris` may hold variables and a wildcard; right before the job is made, `common.runs.files` puts the files
    in their place.
    """

    KIND: ClassVar[str] = "load"
    sql: ClassVar[str] = ""
    places: ClassVar[Places] = ()
    parameters: ClassVar[tuple[str, ...]] = ()

    name: str = MAIN
    uris: tuple[str, ...]
    format: FileFormat
    destination: str
    mode: LoadMode = LoadMode.NEW_FILES
    write_disposition: WriteDisposition = WriteDisposition.APPEND
    partition: str = ""
    """The one partition that is written, or the name of a DATE parameter, as in a query."""
    columns: tuple[Column, ...] = ()
    header_rows: int | None = None
    """None where BigQuery is to find out, without columns."""
    delimiter: str = ","
    quote: str = '"'
    null_marker: str = ""
    encoding: str = "UTF-8"
    has_quoted_newlines: bool = False
    ignores_unknown_values: bool = False
    max_bad_records: int = 0
    partitioning: Partitioning | None = None
    clustering: tuple[str, ...] = ()
    schema_update: tuple[SchemaUpdate, ...] = ()
    candidate_for: str = ""
    """As `QueryJob` has it."""

    @property
    def has_layout_later(self) -> bool:
        """Tell whether the rows are laid out when they are published: their columns are not known before."""
        return bool(self.candidate_for) and not self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesLoadedJob:
    """A note in the tenant's ledger of files that a step's load has loaded the files that it claimed."""

    KIND: ClassVar[str] = "files_loaded"
    write_disposition: ClassVar[WriteDisposition] = WriteDisposition.APPEND
    sql: ClassVar[str] = ""
    places: ClassVar[Places] = ()
    parameters: ClassVar[tuple[str, ...]] = ()

    name: str = "files"
    destination: str
    partition: str = ""
    partitioning: Partitioning | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractJob:
    """A table of the tenant's whose rows BigQuery writes to files."""

    KIND: ClassVar[str] = "extract"
    sql: ClassVar[str] = ""
    places: ClassVar[Places] = ()
    parameters: ClassVar[tuple[str, ...]] = ()
    destination: ClassVar[str] = ""

    name: str = MAIN
    source: str
    uris: tuple[str, ...]
    format: FileFormat = FileFormat.CSV
    compression: str = "NONE"
    delimiter: str = ","
    has_header: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyJob:
    """Tables whose rows become a table of the tenant's; `sources` are `project.dataset.table`."""

    KIND: ClassVar[str] = "copy"
    sql: ClassVar[str] = ""
    places: ClassVar[Places] = ()
    parameters: ClassVar[tuple[str, ...]] = ()

    name: str = MAIN
    sources: tuple[str, ...]
    destination: str
    operation: CopyOperation = CopyOperation.COPY
    write_disposition: WriteDisposition = WriteDisposition.TRUNCATE
    is_of_a_day: bool = False
    """Whether the run's day follows on the destination's name; what is there of a day then stays."""
    retention_days: int | None = None
    expires_at: datetime | None = None
    """When BigQuery deletes the destination, known with the run."""
    partition: str = ""
    """The one partition that is copied, as `QueryJob` has it; "" for all of them."""
    partition_type: str = "DAY"
    candidate_for: str = ""
    """As `QueryJob` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckJob:
    """A query whose one row has the counts of a table's checks, for the platform to read and judge."""

    KIND: ClassVar[str] = "check"
    destination: ClassVar[str] = ""
    places: ClassVar[Places] = ()

    name: str = CHECKS
    sql: str
    parameters: tuple[str, ...] = ()
    maximum_bytes_billed: int | None = None
    checks: tuple[Check, ...] = ()
    """What is expected, in the order in which the row has its counts."""
    table: str = ""
    """What the checked table is called by the tenant."""
    checked: str = ""
    """The table that is looked at, `project.dataset.table`."""


type Job = QueryJob | LoadJob | FilesLoadedJob | ExtractJob | CopyJob | CheckJob
"""One job of a step."""
