"""By when a pipeline is expected, in its own time zone, and on which days it is not."""

from datetime import UTC, datetime

import pytest

from common.pipelines.lateness import Deadline, lateness_in

FILE = 'pipeline: {name: Daily}\nlate: {by: "06:00", timezone: Europe/Berlin}\n'


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "since", "by"),
    [
        ("2026-01-15T05:00", "2026-01-14T05:00", "2026-01-15T05:00"),
        ("2026-01-15T04:59", "2026-01-13T05:00", "2026-01-14T05:00"),
        ("2026-07-15T04:00", "2026-07-14T04:00", "2026-07-15T04:00"),
        # The clock is put forward on 29 March: that day has 23 hours.
        ("2026-03-29T12:00", "2026-03-28T05:00", "2026-03-29T04:00"),
    ],
)
def test_a_deadline_is_a_time_of_the_day_where_the_pipeline_is(now: str, since: str, by: str) -> None:
    lateness = lateness_in(FILE, "acme/daily")
    assert lateness
    assert lateness.last_deadline(at(now)) == Deadline(since=at(since), by=at(by))


def test_a_pipeline_is_expected_on_days_on_which_its_schedule_has_a_firing() -> None:
    text = FILE.replace(", timezone: Europe/Berlin", "") + 'schedule: {cron: "0 3 * * 1-5", timezone: UTC}\n'
    lateness = lateness_in(text, "acme/daily")
    assert lateness
    assert lateness.timezone == "UTC"
    friday, saturday, monday = at("2026-01-16T07:00"), at("2026-01-17T07:00"), at("2026-01-19T07:00")
    assert lateness.last_deadline(friday)
    assert lateness.last_deadline(saturday) is None
    assert lateness.last_deadline(monday)


@pytest.mark.parametrize(
    "text",
    [
        "pipeline: {name: translated}\n",
        "late: {by: soon}\n",
        "late: [\n",
        "late: {timezone: UTC}\n",
        'late: {by: "06:00", timezone: Moon/Base}\n',
        'late: {by: "06:00"}\nschedule: {cron: never}\n',
    ],
)
def test_a_kept_file_that_says_nothing_of_it_or_cannot_be_read_expects_nothing(text: str) -> None:
    assert lateness_in(text, "acme/daily") is None


def test_a_schedule_that_is_disabled_expects_nothing() -> None:
    lateness = lateness_in(FILE + 'schedule: {cron: "0 3 * * *", enabled: false}\n', "acme/daily")
    assert lateness
    assert lateness.last_deadline(at("2026-01-15T07:00")) is None
