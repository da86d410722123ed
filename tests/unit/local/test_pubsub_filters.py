"""The filter language of subscriptions."""

import grpc
import pytest

from local.pubsub.filters import compile_filter
from local.pubsub.refusals import Refusal
from tests.contract.pubsub.embedded import serving

ATTRIBUTES = {"state": "FAILED", "tenant": "acme", "lang/tag": "en", "ce-type": 'a "quoted" one', "empty": ""}

MATCHING = [
    "",
    "  ",
    "attributes:state",
    'attributes:"lang/tag"',
    'attributes.state = "FAILED"',
    'attributes.state="FAILED"',
    'attributes."lang/tag" = "en"',
    r'attributes.ce-type = "a \"quoted\" one"',
    'attributes.empty = ""',
    'attributes.state != "COMPLETED"',
    'attributes.missing != "anything"',
    'hasPrefix(attributes.tenant, "ac")',
    'hasPrefix(attributes.empty, "")',
    "NOT attributes:missing",
    "-attributes:missing",
    "NOT NOT attributes:state",
    'attributes:state AND attributes.tenant = "acme" AND NOT attributes:missing',
    'attributes:missing OR attributes:gone OR attributes.state = "FAILED"',
    '(attributes:missing OR attributes:state) AND hasPrefix(attributes.tenant, "acm")',
    "NOT (attributes:missing AND attributes:state)",
    "((attributes:state))",
    "NOT attributes:missing AND attributes:state",
]

NOT_MATCHING = [
    "attributes:missing",
    'attributes.state = "failed"',
    'attributes.missing = ""',
    'attributes.state != "FAILED"',
    'hasPrefix(attributes.tenant, "b")',
    'hasPrefix(attributes.missing, "")',
    "NOT attributes:state",
    "attributes:state AND attributes:missing",
    "attributes:missing OR attributes:gone",
    "NOT attributes:state AND NOT attributes:missing",
]

UNREADABLE = [
    "state",
    "attributes",
    "attributes:",
    "attributes.state",
    "attributes.state = FAILED",
    "attributes.state = 'FAILED'",
    'attributes.state < "FAILED"',
    'attributes.state = "FAILED',
    r'attributes.state = "\x41"',
    "attributes:state and attributes:tenant",
    "attributes:state attributes:tenant",
    "attributes:state AND",
    "attributes:a AND attributes:b OR attributes:c",
    "(attributes:state",
    "attributes:state)",
    'hasPrefix(attributes.state "F")',
    'hasSuffix(attributes.state, "F")',
    "NOT",
    "AND attributes:state",
    'data = "x"',
    "attributes:state; attributes:tenant",
]


@pytest.mark.parametrize("text", MATCHING)
def test_a_filter_accepts_what_it_describes(text: str) -> None:
    assert compile_filter(text)(ATTRIBUTES)


@pytest.mark.parametrize("text", NOT_MATCHING)
def test_a_filter_rejects_everything_else(text: str) -> None:
    assert not compile_filter(text)(ATTRIBUTES)


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_filter_that_cannot_be_evaluated_exactly_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="cannot be read: expected") as refused:
        compile_filter(text)
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_filter_of_more_than_256_bytes_is_refused() -> None:
    with pytest.raises(Refusal, match="256 bytes"):
        compile_filter(f'attributes.state = "{"x" * 240}"')


def test_a_filtered_subscription_gets_the_messages_it_wants_and_holds_no_others() -> None:
    with serving() as (server, pubsub):
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic, filter='attributes.state = "FAILED"')
        for state in ("COMPLETED", "FAILED"):
            pubsub.publish(topic, state.encode(), state=state)
        assert pubsub.pull_one(subscription).message.data == b"FAILED"
        assert server.counts()[subscription].published == 1
