"""Keys of the local platform: the user's own, or such as lie beside the data that they are for."""

import base64
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

FILE = "keyring.json"
LEVELS_FILE = "levels.key"
CONSOLE_FILE = "console.key"


def keyring_in(data_dir: Path) -> str:
    """Return the ring as `CREDENTIALS_KEYRING` holds it; without one of the user's own it is made once."""
    return os.environ.get("CREDENTIALS_KEYRING") or _made_once(data_dir / FILE, _new_keyring)


def levels_keys_in(data_dir: Path) -> str:
    """Return the keys of level messages, as `LEVELS_KEYS` holds them; like messages they outlast restarts."""
    return os.environ.get("LEVELS_KEYS") or _made_once(data_dir / LEVELS_FILE, _new_secret)


def console_keys_in(data_dir: Path) -> str:
    """Return what the console's sessions are sealed with, as `CONSOLE_KEYS` holds it."""
    return os.environ.get("CONSOLE_KEYS") or _made_once(data_dir / CONSOLE_FILE, _new_secret)


def _new_keyring() -> str:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return json.dumps({"active": "local", "keys": {"local": key}})


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _made_once(file: Path, make: Callable[[], str]) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(make(), encoding="utf-8")
    return file.read_text(encoding="utf-8")
