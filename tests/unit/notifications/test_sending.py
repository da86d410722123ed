"""Notices over real HTTP and SMTP: what is sent, how it is signed, and what an answer means."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.errors import Forbidden, InvalidInput, Unavailable
from common.notifications.destinations import Destinations
from common.notifications.notices import Cause, News, Notice
from common.notifications.senders import Sender
from common.notifications.subscriptions import Medium, Subscriber
from tests.fakes.clock import START, VirtualClock
from tests.unit.notifications.receivers import Receiver, mail_receiver, trickling_receiver, web_receiver

SECRET = "a-secret-of-a-hook"
RUN = {
    "tenant_id": "acme",
    "pipeline_id": "daily",
    "pipeline_logging_id": "run-1",
    "status": "FAILED",
    "run_date": "2024-01-18",
    "links": {"status": "https://convergence.example.com/api/v1/pipelines/status/run-1"},
}
CAUSE = Cause(
    step="orders", error_class="late_data", message="<!channel> no table", job_id="job-1", next_step="Retry."
)
NOTICE = Notice(news=News.FAILURE, run=RUN, cause=CAUSE)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with web_receiver() as served:
        yield served


@pytest.fixture
def mailbox() -> Iterator[Receiver]:
    with mail_receiver() as served:
        yield served


def send(medium: Medium, secret: dict[str, Any], *, notice: Notice = NOTICE, is_local: bool = True) -> None:
    sender = Sender(destinations=Destinations(allows_loopback=is_local), clock=VirtualClock())
    to = ("data@customer.example",) if medium is Medium.EMAIL else ()
    subscriber = Subscriber(number=0, medium=medium, credential="c", news=frozenset(News), to=to)
    sender.send(notice, subscriber, secret)


def test_a_webhook_is_signed_with_its_moment(receiver: Receiver) -> None:
    send(Medium.WEBHOOK, {"url": receiver.url, "secret": SECRET})
    ((path, headers, data),) = receiver.came
    timestamp = headers["X-Convergence-Timestamp"]
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + data, hashlib.sha256).hexdigest()
    assert (path, timestamp) == ("/hook", str(int(START.timestamp())))
    assert headers["X-Convergence-Signature"] == f"v1={expected}"
    told = json.loads(data)
    assert (told["event"], told["pipeline_id"], told["status"]) == ("failure", "daily", "FAILED")
    assert told["cause"] == {
        "step": "orders",
        "error_class": "late_data",
        "message": "<!channel> no table",
        "job_id": "job-1",
        "next_step": "Retry.",
    }


@pytest.mark.parametrize(
    ("medium", "told"), [(Medium.SLACK, "&lt;!channel&gt;"), (Medium.GOOGLE_CHAT, "(!channel)")]
)
def test_a_chat_gets_a_text_that_calls_nobody(receiver: Receiver, medium: Medium, told: str) -> None:
    send(medium, {"url": receiver.url})
    text = json.loads(receiver.came[0][2])["text"]
    assert text.startswith("daily has failed, for 2024-01-18 (run run-1).")
    assert f"Step orders: {told} no table" in text
    assert "Next: Retry." in text
    assert "<" not in text


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Unavailable), (503, Unavailable), (429, Unavailable), (404, Forbidden), (302, Forbidden)],
)
def test_an_answer_says_whether_it_may_work_later(
    receiver: Receiver, status: int, error: type[Exception]
) -> None:
    receiver.statuses = [status]
    with pytest.raises(error, match=str(status)):
        send(Medium.SLACK, {"url": receiver.url})


def test_no_redirection_is_followed(receiver: Receiver) -> None:
    with web_receiver() as inside:
        receiver.statuses, receiver.headers = [307], {"Location": inside.url}
        with pytest.raises(Forbidden):
            send(Medium.SLACK, {"url": receiver.url})
        assert inside.came == []
    assert len(receiver.came) == 1


def test_a_receiver_that_is_not_there_may_be_there_later(receiver: Receiver) -> None:
    with pytest.raises(Unavailable):
        send(Medium.SLACK, {"url": "http://127.0.0.1:1/"})


def test_who_answers_byte_by_byte_holds_up_nobody() -> None:
    with trickling_receiver() as receiver:
        sender = Sender(
            destinations=Destinations(allows_loopback=True), clock=VirtualClock(), deadline_seconds=0.2
        )
        subscriber = Subscriber(number=0, medium=Medium.SLACK, credential="c", news=frozenset(News))
        with pytest.raises(Unavailable):
            sender.send(NOTICE, subscriber, {"url": receiver.url})
        mail = {"host": "127.0.0.1", "port": str(receiver.port), "from": "a@b.example"}
        with pytest.raises(Unavailable):
            sender.send(NOTICE, replace(subscriber, medium=Medium.EMAIL, to=("c@d.example",)), mail)


def test_this_machine_is_reached_on_the_local_platform_alone(receiver: Receiver, mailbox: Receiver) -> None:
    with pytest.raises(Forbidden):
        send(Medium.SLACK, {"url": receiver.url}, is_local=False)
    with pytest.raises(Forbidden):
        send(Medium.EMAIL, {"host": "127.0.0.1", "port": str(mailbox.port), "from": "a@b.c"}, is_local=False)
    assert (receiver.came, mailbox.came) == ([], [])


def test_a_webhook_without_a_secret_is_not_sent(receiver: Receiver) -> None:
    with pytest.raises(InvalidInput, match="secret"):
        send(Medium.WEBHOOK, {"url": receiver.url})
    assert receiver.came == []


def test_a_mail_has_a_subject_and_the_text(mailbox: Receiver) -> None:
    mail = {"host": "127.0.0.1", "port": str(mailbox.port), "from": "runs@platform.example"}
    send(Medium.EMAIL, mail)
    ((_, _, data),) = mailbox.came
    assert b"Subject: daily has failed\r\n" in data
    assert b"To: data@customer.example\r\n" in data
    assert b"Step orders: <!channel> no table" in data


@pytest.mark.parametrize(("status", "error"), [(550, Forbidden), (451, Forbidden)])
def test_a_mailbox_that_is_refused_is_told(mailbox: Receiver, status: int, error: type[Exception]) -> None:
    mailbox.statuses = [status]
    with pytest.raises(error):
        send(Medium.EMAIL, {"host": "127.0.0.1", "port": str(mailbox.port), "from": "a@b.example"})


def test_no_line_of_a_secret_becomes_a_header(mailbox: Receiver) -> None:
    mail = {"host": "127.0.0.1", "port": str(mailbox.port), "from": "a@b.example\r\nBcc: all@c.example"}
    with pytest.raises(InvalidInput):
        send(Medium.EMAIL, mail)
    assert mailbox.came == []
