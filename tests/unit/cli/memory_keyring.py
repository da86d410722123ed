"""A keyring of the system's kind that keeps its keys in the file that a test names, over processes too."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Takes every key."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return _kept().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        _keep(_kept() | {f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        kept = _kept()
        if kept.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError
        _keep(kept)


def _file() -> Path:
    return Path(os.environ["TEST_KEYRING_FILE"])


def _kept() -> dict[str, str]:
    return dict(json.loads(_file().read_text())) if _file().exists() else {}


def _keep(kept: dict[str, str]) -> None:
    _file().write_text(json.dumps(kept))
