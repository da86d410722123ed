"""Profiles: which platforms the user works with, and as which tenant. No key is in their file."""

import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cli.exits import Exit
from cli.failures import CommandError
from common import strict_json

DEFAULT = "default"
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
FILE = "profiles.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A platform, and who its user is there."""

    name: str
    url: str = ""
    tenant: str = ""
    project: str = ""
    is_operator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """The profiles of one user, in a file of the config folder."""

    folder: Path

    def read(self, name: str) -> Profile:
        """Return a profile; one without an address where there is none of that name."""
        known = self._stored().get(checked_name(name))
        if not isinstance(known, dict):
            return Profile(name=name)
        return Profile(
            name=name,
            url=str(known.get("url", "")),
            tenant=str(known.get("tenant", "")),
            project=str(known.get("project", "")),
            is_operator=known.get("is_operator") is True,
        )

    def keep(self, profile: Profile) -> None:
        """Keep a profile, in place of the one of its name."""
        told = asdict(profile)
        self._write(self._stored() | {checked_name(told.pop("name")): told})

    def forget(self, name: str) -> None:
        """Take a profile out."""
        self._write({known: told for known, told in self._stored().items() if known != name})

    def _stored(self) -> dict[str, Any]:
        path = self.folder / FILE
        try:
            stored = strict_json.parse(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} cannot be read", "Mend it, or remove it and log in again.") from error
        return stored if isinstance(stored, dict) else {}

    def _write(self, profiles: dict[str, Any]) -> None:
        write_private(self.folder / FILE, json.dumps(profiles, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, as a whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(made).replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error


def checked_name(name: str) -> str:
    """Return the name of a profile; CommandError where it can be none."""
    if not NAME.fullmatch(name):
        raise CommandError(
            "a profile's name has letters, digits, dots, hyphens and underscores, 64 at the most",
            code=Exit.USAGE,
        )
    return name
