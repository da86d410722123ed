"""A switch for what the local BigQuery does not do unless asked."""

from dataclasses import dataclass


@dataclass(slots=True)
class Switch:
    """On or off; `is_on` may be set while the server runs."""

    is_on: bool = False
