"""Apply a field mask to a subscription."""

from typing import Any

from local.pubsub.refusals import invalid

_MUTABLE = frozenset(
    {
        "ack_deadline_seconds",
        "dead_letter_policy",
        "expiration_policy",
        "labels",
        "message_retention_duration",
        "push_config",
        "retain_acked_messages",
        "retry_policy",
    }
)


def updated(current: Any, changes: Any, mask: Any) -> Any:
    """Return a copy of a subscription with the masked fields taken from `changes`."""
    if not mask.paths:
        raise invalid("update_mask names at least one field")
    fixed = sorted(set(mask.paths) - _MUTABLE)
    if fixed:
        raise invalid(f"these fields of a subscription cannot be updated: {', '.join(fixed)}")
    copy = type(current)()
    copy.CopyFrom(current)
    mask.MergeMessage(changes, copy, replace_message_field=True, replace_repeated_field=True)
    return copy
