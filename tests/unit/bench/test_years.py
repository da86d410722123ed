"""What the bench says of a query's reading follows from the query's text and parameters."""

from datetime import timedelta

from common.times import utc_now
from tests.bench.years import ROWS_OF_A_YEAR, TENANTS, readings_of

NOW = utc_now()


def test_a_days_filter_is_read_through_a_view_that_keeps_it() -> None:
    values = {"tenant_id": "acme", "run_id": "r", "since": NOW - timedelta(days=3)}
    found = {one.table: one for one in readings_of("runs/status", values)}
    assert found.keys() == {"tenant_pipeline_runs", "tenant_step_logs"}
    assert found["tenant_pipeline_runs"].days == 4
    assert found["tenant_step_logs"].clusters == ("tenant_id", "pipeline_logging_id")
    assert found["tenant_step_logs"].rows_of_tenant == ROWS_OF_A_YEAR * 4 // 365 // TENANTS


def test_more_days_read_more_of_the_year_and_no_more_than_all_of_it() -> None:
    def days(since: int) -> int:
        values = {"tenant_id": "acme", "run_id": "r", "since": NOW - timedelta(days=since)}
        return max(one.days for one in readings_of("runs/status", values))

    assert days(3) < days(200) < days(400) == 365


def test_a_query_that_names_no_tenant_reads_all_of_them() -> None:
    found = list(readings_of("schedules/timetable", {"since": NOW - timedelta(days=400)}))
    assert [one.rows_of_tenant == one.rows_of_days for one in found] == [True] * len(found)
    assert found
