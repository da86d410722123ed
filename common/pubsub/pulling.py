"""Pulling: the dispatcher looks into its subscription to the dead-letter topic."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.api_core import exceptions as google
from google.cloud import pubsub_v1

from common.errors import Unavailable
from common.runs.dead_letters import DeadLetter

MAX_MESSAGES = 100
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterSubscription:
    """`common.runs.dead_letters.DeadLetterInbox`."""

    subscriber: pubsub_v1.SubscriberClient
    project: str
    name: str

    def pull(self) -> Sequence[DeadLetter]:
        """Return what waits, some of it; nothing where nothing does."""
        try:
            answer = self.subscriber.pull(
                subscription=self._path,
                max_messages=MAX_MESSAGES,
                timeout=PATIENCE_SECONDS,
                retry=None,
            )
        except google.DeadlineExceeded:
            return []  # Nothing came while we waited.
        except google.GoogleAPICallError as error:
            raise Unavailable(f"Pub/Sub did not answer a pull: {type(error).__name__}") from error
        return [
            DeadLetter(
                data=received.message.data,
                attributes=dict(received.message.attributes),
                receipt=received.ack_id,
            )
            for received in answer.received_messages
        ]

    def acknowledge(self, letters: Sequence[DeadLetter]) -> None:
        """Have letters never come again."""
        try:
            self.subscriber.acknowledge(
                subscription=self._path,
                ack_ids=[letter.receipt for letter in letters],
                timeout=PATIENCE_SECONDS,
            )
        except google.GoogleAPICallError as error:
            raise Unavailable(f"Pub/Sub took no acknowledgement: {type(error).__name__}") from error

    @property
    def _path(self) -> str:
        return f"projects/{self.project}/subscriptions/{self.name}"
