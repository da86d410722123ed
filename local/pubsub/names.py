"""Check the full names of topics and subscriptions."""

import re

from local.refusals import invalid

_PROJECT = r"projects/(?P<project>[A-Za-z0-9][A-Za-z0-9.:_-]*)"
_ID = r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}"
_FORMS = {kind: re.compile(f"{_PROJECT}/{kind}/(?P<id>{_ID})") for kind in ("topics", "subscriptions")}


def check_topic_name(name: str) -> None:
    """Refuse a name that is not `projects/{project}/topics/{id}`."""
    _check("topics", name)


def check_subscription_name(name: str) -> None:
    """Refuse a name that is not `projects/{project}/subscriptions/{id}`."""
    _check("subscriptions", name)


def split_name(name: str) -> tuple[str, str]:
    """Split a full name into its project and its last part."""
    _, project, _, resource_id = name.split("/", 3)
    return project, resource_id


def _check(kind: str, name: str) -> None:
    if not _FORMS[kind].fullmatch(name):
        raise invalid(
            f"{name!r} is not a name of the form projects/{{project}}/{kind}/{{id}}; the ID has 3 to 255 "
            "letters, digits or -._~+%, begins with a letter and not with 'goog'"
        )
