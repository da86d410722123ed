"""Where keys are kept: the system's keyring, or, by choice, a file that its owner alone can read."""

import json
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringError

from cli.failures import CommandError
from cli.profiles import write_private
from common import strict_json

SERVICE = "convergence"
FILE = "keys.json"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyrings:
    """The keys of one user, by profile."""

    folder: Path

    def read(self, profile: str) -> str:
        """Return a profile's key, "" where none is kept."""
        try:
            kept = keyring.get_password(SERVICE, profile)
        except KeyringError:
            kept = None
        return kept or str(self._filed().get(profile) or "")

    def keep(self, profile: str, key: str, *, in_file: bool) -> str:
        """Keep a key and say where; CommandError where there is no keyring and no file is wanted."""
        if in_file:
            write_private(self._file, json.dumps(self._filed() | {profile: key}) + "\n")
            return str(self._file)
        if not isinstance(keyring.get_keyring(), NoKeyring):
            try:
                keyring.set_password(SERVICE, profile, key)
            except KeyringError:
                pass
            else:
                self._forget_filed(profile)
                return "the keyring"
        raise CommandError(
            "this machine has no keyring that takes the key",
            "Give the key in CONVERGENCE_API_KEY each time, or keep it in a file of your own with --in-file.",
        )

    def forget(self, profile: str) -> None:
        """Take a profile's key out of wherever it is kept."""
        with suppress(KeyringError):
            keyring.delete_password(SERVICE, profile)
        self._forget_filed(profile)

    @property
    def _file(self) -> Path:
        return self.folder / FILE

    def _forget_filed(self, profile: str) -> None:
        filed = self._filed()
        if profile in filed:
            write_private(
                self._file, json.dumps({name: key for name, key in filed.items() if name != profile}) + "\n"
            )

    def _filed(self) -> dict[str, Any]:
        try:
            if self._file.stat().st_mode & OTHERS:
                raise CommandError(
                    f"{self._file} can be read by others", f"Take their rights away: chmod 600 {self._file}"
                )
            filed = strict_json.parse(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CommandError(f"{self._file} cannot be read", "Remove it and log in again.") from error
        return filed if isinstance(filed, dict) else {}
