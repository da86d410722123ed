"""The plan of a step: the jobs that it consists of, in their order, each of one kind.

A job is data. What BigQuery is asked for by it, and what its answer says of it, is `common.warehouse`'s to
know; when it runs, and how often, is `common.runs`'s.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from common.pipelines.origins import Places

MAIN = "main"
"""The name of the job that does a step's work; the others are named for what they are there for."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryJob:
    """A statement whose rows BigQuery writes to `destination`, a name in the tenant's own dataset.

    `parameters` are the names of those that `sql` uses.
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


type Job = QueryJob
"""One job of a step."""
