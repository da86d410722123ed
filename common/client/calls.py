"""A call of the API: what is sent, by which key, and whether it does no harm to send it twice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urlencode

SHOWN_SECRET_LETTERS = 4
SECRET_LETTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key in its header; `shown` stands for it wherever people look."""

    header: str
    value: str = field(repr=False)
    shown: str

    @classmethod
    def operator(cls, value: str) -> Self:
        """Take the operator's key; the environment holds it, so commands name the variable."""
        return cls(header="X-Admin-Key", value=value, shown="$ADMIN_API_KEY")

    @classmethod
    def tenant(cls, value: str) -> Self:
        """Take a tenant's key, `<tenant>_api_<16>`; people see four characters of its secret."""
        secret = min(len(value), SECRET_LETTERS)
        shown = value[: len(value) - secret] + value[len(value) - secret :][:SHOWN_SECRET_LETTERS]
        return cls(header="X-API-Key", value=value, shown=f"{shown}…")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a call sends: the bytes and their type."""

    data: bytes = field(repr=False)
    content_type: str

    @classmethod
    def json(cls, body: Mapping[str, Any]) -> Self:
        """Send a JSON object."""
        return cls(data=json.dumps(body).encode(), content_type="application/json")

    @classmethod
    def yaml(cls, data: bytes) -> Self:
        """Send a pipeline file as it is."""
        return cls(data=data, content_type="application/yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call; `key` is that of the `Api` where the call has none of its own."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    content: Content | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key: Key | None = None
    is_repeatable: bool | None = None
    """Whether sending it twice is as good as once; None: as HTTP says of the method."""

    @property
    def may_be_repeated(self) -> bool:
        """Tell whether an answer that was lost may be asked for again."""
        return self.method in {"GET", "PUT", "DELETE"} if self.is_repeatable is None else self.is_repeatable

    @property
    def target(self) -> str:
        """The path with its query; what has no value is left out."""
        given = {name: _in_query(value) for name, value in self.query.items() if value is not None}
        return f"{self.path}?{urlencode(given)}" if given else self.path

    def sent_headers(self, key: Key | None) -> dict[str, str]:
        """Return the headers as they are sent."""
        holder = self.key or key
        of_key = {holder.header: holder.value} if holder else {}
        of_content = {"Content-Type": self.content.content_type} if self.content else {}
        return of_key | of_content | dict(self.headers)


def segment(value: str) -> str:
    """Write a value as one segment of a path: whatever is in it leads nowhere else."""
    # Dots alone are a way upwards, even when they are escaped: sent so, they are a name that is none.
    return quote(value.replace(".", "%2E") if value in {".", ".."} else value, safe="")


def _in_query(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
