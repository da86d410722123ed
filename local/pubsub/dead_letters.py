"""Mark a message that nobody could process with where it comes from, as Pub/Sub does."""

from local.pubsub.messages import Content, Message
from local.pubsub.names import split_name

_PREFIX = "CloudPubSubDeadLetterSource"


def dead_letter(message: Message, *, subscription: str, attempts: int) -> Content:
    """Return what is published to the dead letter topic: the same content and four attributes more."""
    project, subscription_id = split_name(subscription)
    origin = {
        f"{_PREFIX}DeliveryCount": str(attempts),
        f"{_PREFIX}Subscription": subscription_id,
        f"{_PREFIX}SubscriptionProject": project,
        f"{_PREFIX}TopicPublishTime": message.publish_time,
    }
    content = message.content
    return Content(
        data=content.data, attributes={**content.attributes, **origin}, ordering_key=content.ordering_key
    )
