"""Levels' messages are signed by the platform's own functions, and no other is believed."""

import pytest

from common.errors import Forbidden, MalformedInput
from common.messages.levels import LevelReceiver
from common.messages.receiving import Message
from common.runs.level_messages import SIGNATURE, LevelKeys, decode, encode
from tests.unit.runs.examples import a_message
from tests.unit.runs.test_levels import Platform

OLD, NEW = "an-old-key-of-the-platforms-functions", "a-new-key-of-the-platforms-functions"


def test_what_is_signed_is_believed_as_it_is_and_under_each_key() -> None:
    signature = LevelKeys(keys=(OLD,)).sign(b"level")
    for keys in ((OLD,), (OLD, NEW), (NEW, OLD)):
        LevelKeys(keys=keys).check(b"level", signature)


@pytest.mark.parametrize("signature", ["", "0" * 64, "ü", LevelKeys(keys=(NEW,)).sign(b"level")])
def test_what_nobody_of_ours_has_signed_is_refused(signature: str) -> None:
    with pytest.raises(Forbidden):
        LevelKeys(keys=(OLD,)).check(b"level", signature)


def test_what_was_changed_is_refused() -> None:
    keys = LevelKeys(keys=(OLD,))
    with pytest.raises(Forbidden):
        keys.check(b"another level", keys.sign(b"level"))


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b'{"level": NaN}'])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        decode(data)


def test_a_message_that_says_something_twice_is_refused() -> None:
    data = encode(a_message())
    with pytest.raises(MalformedInput, match="is no level message"):
        decode(data[:-1] + b', "level": 2}')


def test_where_there_is_no_key_nothing_is_signed_and_nothing_asked_for() -> None:
    assert LevelKeys().sign(b"level") == ""
    LevelKeys().check(b"level", "")


def test_a_short_key_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(ValueError, match="LEVELS_KEYS"):
        LevelKeys(keys=(OLD, "short"))


def test_no_key_is_shown() -> None:
    assert OLD not in repr(LevelKeys(keys=(OLD,)))


def test_a_level_is_carried_out_for_its_signature_alone() -> None:
    platform, keys = Platform(), LevelKeys(keys=(OLD,))
    receive = LevelReceiver(worker=platform.worker, keys=keys)
    data = encode(a_message())
    for attributes in ({}, {SIGNATURE: LevelKeys(keys=(NEW,)).sign(data)}):
        with pytest.raises(Forbidden):
            receive(Message(id="1", data=data, attributes=attributes))
    assert platform.step_states() == {}
    receive(Message(id="1", data=data, attributes={SIGNATURE: keys.sign(data)}))
    assert set(platform.step_states()) == {"extract"}
