"""Ordering keys, on every Pub/Sub server."""

from tests.contract.pubsub.bench import Bench, backoff
from tests.contract.pubsub.receiver import Received, Receiver


def numbers_of(received: list[Received], key: str) -> list[str]:
    return [
        one.message["attributes"]["number"] for one in received if one.message["attributes"]["key"] == key
    ]


def publish_numbers(pubsub: Bench, topic: str, keys: list[str], count: int) -> None:
    for number in range(count):
        for key in keys:
            pubsub.publish(topic, b"x", ordering_key=key, key=key, number=str(number))


def test_pulled_messages_of_one_key_come_in_order(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    publish_numbers(pubsub, topic, ["one"], 5)
    numbers: list[str] = []
    while len(numbers) < 5:
        received = pubsub.pull(subscription)
        numbers += [one.message.attributes["number"] for one in received]
        assert {one.message.ordering_key for one in received} == {"one"}
        pubsub.ack(subscription, *received)
    assert numbers == ["0", "1", "2", "3", "4"]


def test_pushed_messages_of_each_key_come_in_order_though_some_fail(
    pubsub: Bench, receiver: Receiver
) -> None:
    failed: set[str] = set()

    def answer(received: Received) -> int:
        if received.message["attributes"]["number"] != "1" or received.message["messageId"] in failed:
            return 204
        failed.add(received.message["messageId"])
        return 500

    receiver.answer = answer
    topic = pubsub.topic()
    pubsub.subscription(
        topic,
        push_config={"push_endpoint": receiver.url},
        enable_message_ordering=True,
        retry_policy=backoff(0.1, 0.1),
    )
    publish_numbers(pubsub, topic, ["one", "two"], 4)
    received = receiver.wait_for(10)
    for key in ("one", "two"):
        assert numbers_of(received, key) == ["0", "1", "1", "2", "3"]
