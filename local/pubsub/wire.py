"""Name the raw protobuf classes of google-cloud-pubsub, which gRPC reads and writes, and convert to them.

The client library wraps its classes by proto-plus; underneath each lies the class that protobuf itself made.
"""

from typing import Any

from google.protobuf import empty_pb2, json_format
from google.pubsub_v1 import types

from local.pubsub.messages import Content, Message
from local.pubsub.subscriptions import Delivery


def _raw(wrapper: Any) -> Any:
    return type(wrapper.pb(wrapper()))


Empty = empty_pb2.Empty

Topic = _raw(types.Topic)
GetTopicRequest = _raw(types.GetTopicRequest)
ListTopicsRequest = _raw(types.ListTopicsRequest)
ListTopicsResponse = _raw(types.ListTopicsResponse)
DeleteTopicRequest = _raw(types.DeleteTopicRequest)
ListTopicSubscriptionsRequest = _raw(types.ListTopicSubscriptionsRequest)
ListTopicSubscriptionsResponse = _raw(types.ListTopicSubscriptionsResponse)
PublishRequest = _raw(types.PublishRequest)
PublishResponse = _raw(types.PublishResponse)

Subscription = _raw(types.Subscription)
GetSubscriptionRequest = _raw(types.GetSubscriptionRequest)
ListSubscriptionsRequest = _raw(types.ListSubscriptionsRequest)
ListSubscriptionsResponse = _raw(types.ListSubscriptionsResponse)
DeleteSubscriptionRequest = _raw(types.DeleteSubscriptionRequest)
UpdateSubscriptionRequest = _raw(types.UpdateSubscriptionRequest)
ModifyPushConfigRequest = _raw(types.ModifyPushConfigRequest)
PullRequest = _raw(types.PullRequest)
PullResponse = _raw(types.PullResponse)
StreamingPullRequest = _raw(types.StreamingPullRequest)
StreamingPullResponse = _raw(types.StreamingPullResponse)
AcknowledgeRequest = _raw(types.AcknowledgeRequest)
ModifyAckDeadlineRequest = _raw(types.ModifyAckDeadlineRequest)

_PubsubMessage = _raw(types.PubsubMessage)
_ReceivedMessage = _raw(types.ReceivedMessage)


def content_of(message: Any) -> Content:
    """Read what a publisher sent."""
    return Content(data=message.data, attributes=dict(message.attributes), ordering_key=message.ordering_key)


def received_message(delivery: Delivery) -> Any:
    """Write a delivery as a puller gets it."""
    message = _pubsub_message(delivery.message)
    return _ReceivedMessage(ack_id=delivery.ack_id, message=message, delivery_attempt=delivery.attempt)


def with_field(resource: Any, **fields: Any) -> Any:
    """Return a copy of a resource with other values in some fields."""
    copy = type(resource)()
    copy.CopyFrom(resource)
    for name in fields:
        copy.ClearField(name)
    copy.MergeFrom(type(resource)(**fields))
    return copy


def as_record(resource: Any) -> dict[str, Any]:
    """Write a topic or subscription as a dictionary."""
    record: dict[str, Any] = json_format.MessageToDict(resource)
    return record


def from_record(kind: Any, record: dict[str, Any]) -> Any:
    """Read what `as_record` wrote."""
    return json_format.ParseDict(record, kind())


def _pubsub_message(message: Message) -> Any:
    content = message.content
    wired = _PubsubMessage(
        message_id=message.id,
        data=content.data,
        attributes=dict(content.attributes),
        ordering_key=content.ordering_key,
    )
    wired.publish_time.FromNanoseconds(int(message.published_at * 1e9))
    return wired
