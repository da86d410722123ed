"""A message is acknowledged when its work is done or can never be, and redelivered otherwise."""

import base64
import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from common import errors
from common.errors import ConvergenceError, Fault, InvalidInput, Unavailable
from common.logs import current_traceparent
from common.messages.receiving import Message, read_message, receive
from common.messages.verdicts import VERDICTS, Verdict, verdict

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
KEY = "acme_api_0123456789abcdef"


class DeadLetters:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Mapping[str, str]]] = []

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> None:
        self.sent.append((data, attributes))


def pushed(data: bytes = b"{}", **attributes: str) -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return {"message": {"data": encoded, "messageId": "1", "attributes": attributes}, "subscription": "s"}


def failing(error: Exception) -> Any:
    def work(message: Message) -> None:
        raise error

    return work


def test_a_pushed_message_is_read_whole() -> None:
    message = read_message(pushed(b"work", run="r1"))
    assert (message.id, message.data, message.attributes) == ("1", b"work", {"run": "r1"})


@pytest.mark.parametrize("body", [None, {}, {"message": "text"}, {"message": {"data": "%%%"}}])
def test_what_is_no_message_is_refused(body: Any) -> None:
    with pytest.raises(InvalidInput, match="no pushed Pub/Sub message"):
        read_message(body)


def test_work_goes_on_in_the_messages_trace() -> None:
    seen = []
    receive(pushed(traceparent=TRACEPARENT), lambda _: seen.append(current_traceparent()), DeadLetters())
    assert seen[0].split("-")[1] == TRACEPARENT.split("-")[1]


def test_a_passing_fault_has_the_message_redelivered() -> None:
    letters = DeadLetters()
    with pytest.raises(Unavailable):
        receive(pushed(), failing(Unavailable("BigQuery did not answer")), letters)
    assert letters.sent == []


def test_a_fault_that_we_do_not_know_has_the_message_redelivered() -> None:
    with pytest.raises(ZeroDivisionError):
        receive(pushed(), failing(ZeroDivisionError()), DeadLetters())


def test_a_message_that_can_never_be_handled_is_acknowledged_and_kept_with_its_reason() -> None:
    letters = DeadLetters()
    receive(pushed(b"bad", run="r1"), failing(InvalidInput([Fault("/level", "is no number")])), letters)
    ((data, attributes),) = letters.sent
    assert data == b"bad"
    assert attributes["run"] == "r1"
    assert "/level: is no number" in attributes["reason"]


def test_an_api_key_never_reaches_the_dead_letters() -> None:
    letters = DeadLetters()
    receive(pushed(api_key=KEY), failing(errors.Unauthenticated("the API key is not valid")), letters)
    assert KEY not in str(letters.sent)


def test_a_message_is_kept_as_its_function_wants_it_kept() -> None:
    letters = DeadLetters()
    receive(pushed(b"s3cr3t"), failing(errors.NotFound("no such config")), letters, lambda data: data[:1])
    assert letters.sent[0][0] == b"s"


def test_every_error_of_the_tree_has_a_verdict() -> None:
    tree = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, ConvergenceError) and kind is not ConvergenceError
    }
    assert tree == VERDICTS.keys()
    assert verdict(Unavailable("later")) is Verdict.REDELIVER
