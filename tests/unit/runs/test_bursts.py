"""Levels are given over so early that Pub/Sub's slow start does not keep a burst of long ones waiting."""

from tests.bench.bursts import burst, default_seconds


def test_the_last_of_two_thousand_long_levels_begins_within_five_minutes_and_no_message_is_given_up() -> None:
    assert burst(default_seconds()).is_kept
    assert not burst(480).is_kept
