"""Times of cron expressions, held against brute force around changes of clocks; their faults in words."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest

from common.pipelines import crontab
from common.pipelines.clocks import Stretch
from common.pipelines.crontab import NICKNAMES, last_time_between, read_cron, times_after
from tests.unit.schedules.clock_changes import CRONS, Change, changes_of, differences

A_YEAR = timedelta(days=366)
# An hour, half an hour, a day that is left out, at midnight, a zone of quarters, seconds after midnight.
SAMPLE = {
    "Europe/Berlin": (2026,),
    "Australia/Lord_Howe": (2026,),
    "Pacific/Apia": (2011,),
    "Pacific/Chatham": (2026,),
    "America/Havana": (2026,),
    "America/Santiago": (2026,),
    "Africa/Casablanca": (2026,),
    "Asia/Pyongyang": (2015,),
    "America/St_Johns": (2010, 2011),
}


def sampled() -> list[Change]:
    return [
        change for zone, years in SAMPLE.items() for year in years for change in changes_of(zone, year, year)
    ]


@pytest.mark.parametrize("change", sampled(), ids=lambda change: f"{change.zone} {change.at:%Y-%m-%d}")
def test_the_times_around_a_change_of_clocks_are_those_of_brute_force_either_way(change: Change) -> None:
    assert differences(change) == []


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_never_ended_once_is_answered() -> None:
    """Looking back in steps of two hours, the end of summer time at 02:45 was stepped over for ever."""
    until = at("2026-04-04 14:14:59")
    assert last_time_between("0 */2 * * *", "Pacific/Chatham", until - A_YEAR, until) == at(
        "2026-04-04 12:15"
    )


@pytest.mark.parametrize("cron", ["0 0 * 2 MON#5", "0 0 29 2 *", "59 23 31 12 *"])
def test_no_question_looks_at_more_days_than_the_longest_look(
    cron: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[date] = []

    def look(day: date) -> tuple[date, ...]:
        looked_at.append(day)
        return ()

    monkeypatch.setattr(crontab, "_local_days", look)
    assert list(times_after(cron, "UTC", at("2026-01-01"))) == []
    assert last_time_between(cron, "UTC", at("0001-01-05"), at("2026-01-01")) is None
    assert len(looked_at) <= 2 * crontab.MAX_YEARS * 366 + 2


def test_of_a_day_no_more_times_are_made_than_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[datetime] = []
    moment = Stretch.moment

    def counted(stretch: Stretch, shown: datetime) -> datetime:
        made.append(shown)
        return moment(stretch, shown)

    monkeypatch.setattr(Stretch, "moment", counted)
    noon = at("2026-01-15 12:00")
    assert last_time_between("* * * * *", "Asia/Kolkata", noon - A_YEAR, noon) == noon
    assert next(times_after("* * * * *", "Asia/Kolkata", noon)) == at("2026-01-15 12:01")
    assert len(made) == 2


def test_the_first_days_of_the_calendar_are_no_fault() -> None:
    until = at("0001-01-06")
    assert last_time_between("0 0 * * *", "Pacific/Apia", at("0001-01-01"), until) is not None
    assert next(times_after("0 0 * * *", "America/New_York", at("0001-01-01"))) > at("0001-01-01")


def test_the_last_years_of_the_calendar_are_no_fault() -> None:
    assert list(times_after("0 0 1 1 *", "Pacific/Apia", at("9998-06-01")))[:1] == [at("9998-12-31 11:00")]
    assert list(times_after("0 0 1 1 *", "Pacific/Apia", datetime.max.replace(tzinfo=UTC))) == []


def test_a_fifth_monday_in_february_is_found() -> None:
    assert next(times_after("0 0 * 2 MON#5", "UTC", at("2026-01-01"))) == at("2044-02-29")


@pytest.mark.parametrize("nickname", NICKNAMES)
def test_a_nickname_is_what_it_stands_for(nickname: str) -> None:
    after = at("2026-01-15 10:30")
    assert list(islice(times_after(nickname.upper(), "Europe/Berlin", after), 3)) == list(
        islice(times_after(NICKNAMES[nickname], "Europe/Berlin", after), 3)
    )


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("61 5 * * *", "the minute is '61': it must be 0 to 59"),
        ("*/0 * * * *", "the minute is '\\*/0'"),
        ("0 25 * * *", "the hour is '25': it must be 0 to 23"),
        ("0 5 0 * *", "the day of the month is '0': it must be 1 to 31"),
        ("0 5 * 13 *", "the month is '13': it must be 1 to 12, or JAN to DEC"),
        ("0 5 * * MOO", "the day of the week is 'MOO': it must be 0 to 7, or SUN to SAT"),
        ("0 5 ? * MON-FRI", "the day of the month is \\?, .* write \\* for any"),
        ("\u0663 * * * *", "the minute is"),
        ("* * * *", "five fields .* it has 4"),
        ("0 * * * * *", "five fields .* it has 6"),
        ("@reboot", "@reboot is none of the nicknames"),
        ("0 0 30 2 *", "'0 0 30 2 \\*' never comes"),
        ("0 0 31 2,4 *", "never comes"),
    ],
)
def test_a_fault_of_an_expression_is_told_in_words(cron: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_cron(cron)


@pytest.mark.parametrize(
    "cron",
    [*CRONS, "0 0 L * *", "0 0 * * 5L", "0 9 * JAN-MAR mon", "0 0 30 2 1", " 0\t5 *  * * ", " @daily "],
)
def test_what_cron_knows_is_taken(cron: str) -> None:
    assert next(times_after(cron, "America/New_York", at("2026-01-01"))) > at("2026-01-01")
