"""What the environment says; it goes before all that is stored."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import typer


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Variables of the command line; "" where one is not set."""

    url: str = ""
    profile: str = ""
    api_key: str = field(default="", repr=False)
    admin_key: str = field(default="", repr=False)
    tenant: str = ""
    project: str = ""
    folder: Path = Path()

    @classmethod
    def read(cls) -> Self:
        """Read them all."""
        given = os.environ.get
        return cls(
            url=given("CONVERGENCE_URL", ""),
            profile=given("CONVERGENCE_PROFILE", ""),
            api_key=given("CONVERGENCE_API_KEY", ""),
            admin_key=given("CONVERGENCE_ADMIN_KEY", ""),
            tenant=given("CONVERGENCE_TENANT", ""),
            project=given("CONVERGENCE_PROJECT", ""),
            folder=Path(given("CONVERGENCE_CONFIG_DIR") or typer.get_app_dir("convergence")),
        )
