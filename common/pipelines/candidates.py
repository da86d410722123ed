"""Candidates: tables that a step's rows go to first, until its checks have let them through.

A plan names its candidate before there is a run; each run has one of its own. It expires by itself.
"""

import re
from dataclasses import replace
from datetime import timedelta

from common.pipelines.plans import CheckJob, CopyJob, ExtractJob, Job, LoadJob, QueryJob
from common.pipelines.tables import PLATFORM_TABLES

CANDIDATE = f"{PLATFORM_TABLES}candidate"
"""Stands in the plan of a step for its candidate, and for a table that it hands from job to job."""
RUN_ID = f"{PLATFORM_TABLES}run_id"
"""Stands for the run's ID in SQL of the platform's."""
LIFETIME = timedelta(days=1)
"""As long as a run can take: a candidate is made after its run has begun."""


_NAME = re.compile(rf"{PLATFORM_TABLES}[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}_.+")


def is_candidate(table: str) -> bool:
    """Tell whether a table is a candidate of some run: its rows are nobody's to read yet."""
    return _NAME.fullmatch(table) is not None


def candidate_of(run_id: str, step_id: str) -> str:
    """Name the candidate of a step in one run."""
    return f"{PLATFORM_TABLES}{run_id}_{step_id}"


def in_run(work: Job, run_id: str, step_id: str) -> Job:
    """Put the candidate of a run, and its ID, in the places that a job of the plan has for them.

    Both are of characters that any place of a statement can hold.
    """

    def named(text: str) -> str:
        return text.replace(CANDIDATE, candidate_of(run_id, step_id)).replace(RUN_ID, run_id)

    match work:
        case QueryJob():
            return replace(
                work,
                sql=named(work.sql),
                first_sql=named(work.first_sql),
                queries=tuple(named(query) for query in work.queries),
                destination=named(work.destination),
            )
        case LoadJob():
            return replace(work, destination=named(work.destination))
        case CopyJob():
            sources = tuple(named(source) for source in work.sources)
            return replace(work, sources=sources, destination=named(work.destination))
        case ExtractJob(source=source) if source == CANDIDATE:
            return replace(work, source=named(source))
        case CheckJob():
            return replace(work, sql=named(work.sql), checked=named(work.checked))
    return work
