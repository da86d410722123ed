"""A call to the API in two forms: as it is sent, and as the curl command that sends the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from common.client import Call
from common.client import Content as Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Content(Sent):
    """What a call sends, and curl's option for it."""

    option: str

    @classmethod
    def json(cls, body: Mapping[str, Any]) -> Self:
        """Send a JSON object, laid out as people write it."""
        text = json.dumps(body, indent=4 if len(body) > 1 else None)
        text = text.replace("\n}", "\n  }")
        return cls(data=text.encode(), content_type="application/json", option=f"-d '{text}'")

    @classmethod
    def guide_file(cls, file: Path, shown: str) -> Self:
        """Send a file as the guide's `-d @file` does: curl takes the line breaks out."""
        data = file.read_bytes().translate(None, b"\r\n\0")
        return cls(data=data, content_type="application/json", option=f"-d @{shown}")

    @classmethod
    def yaml_file(cls, file: Path, shown: str) -> Self:
        """Send a YAML file as it is."""
        data = file.read_bytes()
        return cls(data=data, content_type="application/yaml", option=f"--data-binary @{shown}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Call):
    """One call to the API."""

    content: Content | None = None

    def as_curl(self, url: str) -> str:
        """Write the call as people would type it, without the key's secret."""
        parts = [f'curl -X {self.method} "{url}{self.path}"']
        if self.key:
            parts.append(f'-H "{self.key.header}: {self.key.shown}"')
        if self.content:
            parts += [f'-H "Content-Type: {self.content.content_type}"', self.content.option]
        return " \\\n  ".join(parts)
