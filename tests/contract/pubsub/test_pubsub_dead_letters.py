"""Dead letters, on every Pub/Sub server."""

from google.cloud.pubsub_v1 import types

from tests.contract.pubsub.bench import Bench


def reject(pubsub: Bench, subscription: str, times: int) -> list[int]:
    """Reject the one message of a subscription so many times, and return the attempts it was counted at."""
    attempts = []
    for _ in range(times):
        received = pubsub.pull_one(subscription)
        attempts.append(received.delivery_attempt)
        pubsub.nack(subscription, received)
    return attempts


def test_a_message_rejected_five_times_goes_to_the_dead_letters_with_its_origin(pubsub: Bench) -> None:
    topic, dead_letters = pubsub.topic(), pubsub.topic("dead-letters")
    policy = types.DeadLetterPolicy(dead_letter_topic=dead_letters, max_delivery_attempts=5)
    subscription = pubsub.subscription(topic, dead_letter_policy=policy)
    operator = pubsub.subscription(dead_letters, "operator")
    message_id = pubsub.publish(topic, b"poison", colour="red")

    assert reject(pubsub, subscription, 5) == [1, 2, 3, 4, 5]
    assert pubsub.has_nothing(subscription)

    message = pubsub.pull_one(operator).message
    assert message.data == b"poison"
    assert message.message_id != message_id
    assert message.attributes["colour"] == "red"
    assert message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert message.attributes["CloudPubSubDeadLetterSourceSubscription"] == "readers"
    assert message.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] == pubsub.project
    assert message.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"].endswith("Z")


def test_a_message_acknowledged_at_its_last_attempt_is_no_dead_letter(pubsub: Bench) -> None:
    topic, dead_letters = pubsub.topic(), pubsub.topic("dead-letters")
    policy = types.DeadLetterPolicy(dead_letter_topic=dead_letters, max_delivery_attempts=5)
    subscription = pubsub.subscription(topic, dead_letter_policy=policy)
    operator = pubsub.subscription(dead_letters, "operator")
    pubsub.publish(topic, b"difficult")

    assert reject(pubsub, subscription, 4) == [1, 2, 3, 4]
    pubsub.ack(subscription, pubsub.pull_one(subscription))

    assert pubsub.has_nothing(operator)


def test_without_a_policy_a_message_is_tried_for_ever_and_not_counted(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"stubborn")
    assert reject(pubsub, subscription, 7) == [0] * 7
    assert pubsub.pull_one(subscription).message.data == b"stubborn"


def test_a_forwarded_message_says_truly_where_it_comes_from_whatever_its_sender_wrote(pubsub: Bench) -> None:
    topic, dead_letters = pubsub.topic(), pubsub.topic("dead-letters")
    policy = types.DeadLetterPolicy(dead_letter_topic=dead_letters, max_delivery_attempts=5)
    subscription = pubsub.subscription(topic, dead_letter_policy=policy)
    operator = pubsub.subscription(dead_letters, "operator")
    pubsub.publish(topic, b"forged", CloudPubSubDeadLetterSourceSubscription="pipeline-levels-push")
    reject(pubsub, subscription, 5)
    assert pubsub.has_nothing(subscription)
    attributes = pubsub.pull_one(operator).message.attributes
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == "readers"
