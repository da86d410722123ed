"""Who is to be told of a pipeline's runs, as its file says: `notifications`."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import Any

from common.notifications.notices import News
from common.pipelines.configs import ConfigStore
from common.pipelines.documents import read_document


class Medium(StrEnum):
    """How somebody is told."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    GOOGLE_CHAT = "google_chat"
    EMAIL = "email"


DEFAULT_NEWS = (News.FAILURE, News.RECOVERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One entry of a file: who is told, how, and of what; `credential` holds address and secret."""

    number: int
    medium: Medium
    credential: str
    news: frozenset[News]
    to: tuple[str, ...] = ()


def subscribers_of(document: Mapping[str, Any]) -> Sequence[Subscriber]:
    """Read a file that keeps the rules."""
    return [
        Subscriber(
            number=number,
            medium=Medium(entry["type"]),
            credential=entry["credential"],
            news=frozenset(News(word) for word in entry.get("on", DEFAULT_NEWS)),
            to=tuple(entry.get("to", ())),
        )
        for number, entry in enumerate(document.get("notifications", ()))
    ]


MAX_REMEMBERED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSubscribers:
    """Reads the files of pipelines; what a version says never changes, so an instance remembers it."""

    configs: ConfigStore
    _known: OrderedDict[tuple[str, str, int], Sequence[Subscriber]] = field(
        default_factory=OrderedDict, repr=False
    )
    _lock: Lock = field(default_factory=Lock, repr=False)

    def subscribers(self, tenant_id: str, config_id: str, version: int) -> Sequence[Subscriber]:
        """Return those whom a version of a pipeline's file names; none where there is no such version."""
        key = (tenant_id, config_id, version)
        with self._lock:
            if (known := self._known.get(key)) is not None:
                return known
        found = self.configs.version(tenant_id, config_id, version)
        if found is None:
            return []
        subscribers = subscribers_of(read_document(found.pipeline_yaml.encode(), None))
        with self._lock:
            self._known[key] = subscribers
            if len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)
        return subscribers
