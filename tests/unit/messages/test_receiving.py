"""A message is acknowledged when its work is done or can never be, and redelivered otherwise."""

import base64
import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from common import errors
from common.errors import ConvergenceError, InvalidInput, MessageRefused, Unavailable, Violation
from common.logs import current_traceparent
from common.logs.context import current_context
from common.messages.receiving import Message, Redelivered, read_message, receive
from common.messages.verdicts import VERDICTS, Verdict, verdict
from common.runs.dead_letters import RejectedBy
from local.pubsub.messages import Content
from local.refusals import Refusal

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
KEY = "acme_api_0123456789abcdef"


class DeadLetters:
    """Keeps what is published; as strict as Pub/Sub."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Mapping[str, str]]] = []
        self.takes_nothing = False

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> None:
        try:
            Content(data=data, attributes=attributes).check()
        except Refusal as refusal:
            raise MessageRefused(str(refusal)) from refusal
        if self.takes_nothing:
            raise MessageRefused("none at all")
        self.sent.append((data, attributes))


def got(
    event: Any, work: Any, letters: DeadLetters, by: RejectedBy = RejectedBy.RUN_LEVEL, **more: Any
) -> None:
    receive(event, work, letters, by, **more)


def pushed(data: bytes = b"{}", /, **attributes: str) -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return {"message": {"data": encoded, "messageId": "1", "attributes": attributes}, "subscription": "s"}


def failing(error: Exception) -> Any:
    def work(message: Message) -> None:
        raise error

    return work


def test_a_pushed_message_is_read_whole() -> None:
    message = read_message(pushed(b"work", run="r1"))
    assert (message.id, message.data, message.attributes) == ("1", b"work", {"run": "r1"})


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"message": "text"},
        {"message": {"data": "%%%"}},
        {"message": {"data": "\u00e9"}},
        {"message": {"data": 7}},
        {"message": {"attributes": ["run"]}},
        {"message": {"attributes": {"run": 7}}},
        {"message": {"attributes": {"run": "\ud800"}}},
        {"message": {"attributes": {"\udfff": "r1"}}},
        {"message": {"attributes": {"run": "r\0"}}},
    ],
)
def test_what_is_no_message_is_refused_and_its_push_dropped(body: Any) -> None:
    with pytest.raises(InvalidInput, match="no pushed Pub/Sub message"):
        read_message(body)
    letters = DeadLetters()
    got(body, failing(AssertionError("no work")), letters)
    assert letters.sent == []


def test_work_goes_on_in_the_messages_trace() -> None:
    seen = []
    got(pushed(traceparent=TRACEPARENT), lambda _: seen.append(current_traceparent()), DeadLetters())
    assert seen[0].split("-")[1] == TRACEPARENT.split("-")[1]


def test_a_passing_violation_has_the_message_redelivered() -> None:
    letters = DeadLetters()
    with pytest.raises(Redelivered) as answered:
        got(pushed(), failing(Unavailable("BigQuery did not answer")), letters)
    assert answered.value.code == 503
    assert letters.sent == []


def test_a_violation_that_we_do_not_know_has_the_message_redelivered() -> None:
    with pytest.raises(ZeroDivisionError):
        got(pushed(), failing(ZeroDivisionError()), DeadLetters())


def test_a_message_that_can_never_be_handled_is_acknowledged_and_kept_with_its_reason() -> None:
    letters = DeadLetters()
    got(pushed(b"bad", run="r1"), failing(InvalidInput([Violation("/level", "is no number")])), letters)
    ((data, attributes),) = letters.sent
    assert data == b"bad"
    assert attributes["run"] == "r1"
    assert "/level: is no number" in attributes["reason"]


STRANGERS = {
    "data": "x",
    "topic": "x",
    "timeout": "x",
    "ordering_key": "x",
    "reason": "another",
    "rejected_by": "run_level",
    "CloudPubSubDeadLetterSourceSubscription": "pipeline-levels-push",
    "CloudPubSubDeadLetterSourceSubscriptionProject": "p",
    "googclient_traceparent": "x",
}


def test_a_rejected_message_says_itself_neither_why_nor_by_whom() -> None:
    letters = DeadLetters()
    got(pushed(b"{}", **STRANGERS), failing(errors.NotFound("no config")), letters, RejectedBy.RUN_REQUEST)
    ((_, attributes),) = letters.sent
    assert attributes == {
        "data": "x",
        "topic": "x",
        "timeout": "x",
        "ordering_key": "x",
        "reason": "no config",
        "rejected_by": "run_request",
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {f"name{number}": "x" for number in range(100)},
        {"name": "x" * 1025},
        {"name": "é" * 600},
        {"x" * 257: "x"},
        {"": "x"},
    ],
)
def test_a_message_whose_attributes_are_too_many_or_too_long_is_kept_with_its_reason(
    attributes: dict[str, str],
) -> None:
    letters = DeadLetters()
    got(pushed(b"{}", **attributes), failing(errors.NotFound("no config")), letters)
    ((_, kept),) = letters.sent
    assert kept["reason"] == "no config"


@pytest.mark.parametrize("words", ["é" * 5000, "\ud800", "nul \0"])
def test_a_reason_is_one_that_pubsub_takes(words: str) -> None:
    letters = DeadLetters()
    got(pushed(), failing(errors.NotFound(words)), letters)
    assert letters.sent[0][1]["reason"].encode()


def test_a_rejected_message_that_cannot_be_kept_is_dropped_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    letters = DeadLetters()
    letters.takes_nothing = True
    got(pushed(), failing(errors.NotFound("no config")), letters)
    assert letters.sent == []
    assert [record.message for record in caplog.records] == ["message rejected", "rejected message dropped"]


def test_a_strangers_words_are_no_labels_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    seen = []
    work = lambda _: seen.append(dict(current_context().labels))  # noqa: E731
    for by in RejectedBy:
        got(pushed(tenant="victim", run="r1"), work, DeadLetters(), by)
    assert seen == [{"tenant": "victim", "run": "r1"}, {}, {}]


def test_an_api_key_never_reaches_the_dead_letters() -> None:
    letters = DeadLetters()
    got(pushed(api_key=KEY), failing(errors.Unauthenticated("the API key is not valid")), letters)
    assert KEY not in str(letters.sent)


def test_a_message_is_kept_as_its_function_wants_it_kept() -> None:
    letters = DeadLetters()
    got(pushed(b"s3cr3t"), failing(errors.NotFound("no such config")), letters, as_kept=lambda data: data[:1])
    assert letters.sent[0][0] == b"s"


def test_every_error_of_the_tree_has_a_verdict() -> None:
    tree = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, ConvergenceError) and kind is not ConvergenceError
    }
    assert tree == VERDICTS.keys()
    assert verdict(Unavailable("later")) is Verdict.REDELIVER
