"""A new key, handed over to the one place that its user names, before anything is made."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import typer

from cli.exits import Exit
from cli.failures import CommandError
from cli.session import Session
from common.client.keys import ApiKeyIssued

STANDARD_OUTPUT = "-"

OneTo = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="FILE",
        help="A new file for the key, which you alone can read; - for the standard output.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTaker:
    """Where a key goes; a file is made before the key is, so that no key is made for nothing."""

    session: Session
    to: str

    @classmethod
    def of(cls, session: Session, to: str) -> Self:
        """Make sure that the key can be taken; CommandError where it cannot."""
        if to != STANDARD_OUTPUT:
            try:
                os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except OSError as error:
                told = f"{to}: {error.strerror}"
                raise CommandError(told, "Name a file that is not there yet.", Exit.USAGE) from error
        return cls(session=session, to=to)

    def take(self, issued: ApiKeyIssued, *, as_json: bool) -> None:
        """Write the key where it goes, and show the rest."""
        shown: dict[str, Any] = {name: value for name, value in issued.items() if name != "api_key"}
        screen = self.session.screen
        if self.to == STANDARD_OUTPUT:
            screen.text(issued["api_key"])
            return
        Path(self.to).write_text(f"{issued['api_key']}\n", encoding="utf-8")
        if as_json:
            screen.json(shown)
        else:
            screen.line(
                f"{issued['api_key_id']}, scopes {', '.join(issued['scopes'])}; the key is in {self.to}"
            )
