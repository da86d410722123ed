"""An estimate learns from what earlier ones came to, and says nothing where there were none."""

from common.costs.learning import NOTHING_LEARNED, Learned


def test_an_estimate_comes_to_what_those_before_it_came_to() -> None:
    learned = Learned(runs=3, estimated=300, billed=100)
    assert (learned.ratio, learned.expected(30)) == (0.3333, 10)


def test_what_is_not_known_is_not_made_up() -> None:
    assert (NOTHING_LEARNED.ratio, NOTHING_LEARNED.expected(30)) == (None, None)
    assert Learned(runs=3, estimated=300, billed=100).expected(None) is None
    assert Learned(runs=3, estimated=0, billed=0).ratio is None


def test_steps_that_were_found_in_a_cache_are_expected_to_be_again() -> None:
    assert Learned(runs=3, estimated=300, billed=0).expected(30) == 0
