"""BigQuery's rules for job IDs and labels, which `local_bigquery` does not know."""

import re
import unicodedata
from collections.abc import Iterator

from local.bigquery.answers import Answer, error_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")
MAX_LABELS = 64
MAX_LABEL = 63
LETTERS = frozenset({"Ll", "Lo"})
"""Small letters, and letters without case."""


class JobNames:
    """Refuse a job whose ID or labels BigQuery would refuse."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when the names in it are good."""
        if call.starts_job and (fault := next(_faults(call), "")):
            return error_answer("invalid", fault)
        return await forward(call)

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _faults(call: Call) -> Iterator[str]:
    if call.job_id and not JOB_ID.fullmatch(call.job_id):
        yield (
            f'Invalid job ID "{call.job_id}". Job IDs must be alphanumeric (plus underscores and dashes) '
            "and must be at most 1024 characters long."
        )
    labels = call.job_configuration.get("labels") or {}
    if len(labels) > MAX_LABELS:
        yield f"Too many labels: {len(labels)}, the limit is {MAX_LABELS}."
    for key, value in labels.items():
        if not _is_label(key) or unicodedata.category(key[0]) not in LETTERS:
            yield f'Label key "{key}" has invalid characters.'
        if value and not _is_label(value):
            yield f'Label value "{value}" has invalid characters.'


def _is_label(text: str) -> bool:
    return 0 < len(text) <= MAX_LABEL and all(
        character in "-_" or character.isdecimal() or unicodedata.category(character) in LETTERS
        for character in text
    )
