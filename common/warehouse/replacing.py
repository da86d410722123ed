"""Compare-and-set on append-only rows: of two changes that have read the same row, one is made."""

import uuid
from collections.abc import Mapping
from itertools import count
from typing import Any

from google.cloud import bigquery

from common.errors import AlreadyExists, WarehouseError
from common.warehouse.bigquery import Queries
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.translation import translated

_PATIENCE_SECONDS = 30.0


def replace_row(
    queries: Queries, name: str, replaced: str, tenant_id: str, values: Mapping[str, Any]
) -> bool:
    """Append a row by the statement `name`; False where somebody else has replaced that row.

    `replaced` names the row that is replaced, and so the job that does it. A client repeats an insert whose
    answer got lost: labels tell whose the job is. A job that failed has replaced nothing.
    """
    labels = {"tenant": tenant_id, "change": uuid.uuid4().hex}
    for attempt in count(1):
        job_id = f"{replaced}-{attempt}"
        try:
            queries.write(name, job_id=job_id, labels=labels, **values)
        except AlreadyExists:
            job = _job(queries, job_id)
            if _has_failed(job):
                continue
            return labels.items() <= dict(job.labels).items()
        return True
    raise AssertionError("count() never ends")


def _job(queries: Queries, job_id: str) -> bigquery.QueryJob:
    central = queries.central
    with translated():
        return central.client.get_job(  # type: ignore[return-value]
            job_id, location=central.location, retry=RETRY, timeout=TIMEOUT_SECONDS
        )


def _has_failed(job: bigquery.QueryJob) -> bool:
    try:
        with translated():
            job.result(timeout=_PATIENCE_SECONDS, job_retry=None)
    except WarehouseError:
        return bool(job.state == "DONE")
    return False
