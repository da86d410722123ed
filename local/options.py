"""What a user can choose about the local platform; every choice is an environment variable with a default."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8090
LAST_PORT = 65_535
MAX_LATENCY = 60_000
YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"", "0", "false", "no", "off"})
DEFAULT_PROJECT = "convergence-local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One start of the platform. An empty `*_host` means the embedded part."""

    port: int
    admin_api_key: str
    is_key_generated: bool
    data_dir: Path
    """Where data is kept, or the folder in which one is made for ephemeral data."""
    is_ephemeral: bool
    project: str
    location: str
    bigquery_host: str = ""
    pubsub_host: str = ""
    bigquery_port: int = 0
    pubsub_port: int = 0
    scheduler_port: int = 0
    storage_port: int = 0
    """Where the embedded parts answer; 0 takes a free port."""
    tenant: str = ""
    """A tenant to begin with."""
    latency_ms: int = 0
    """How much longer each request to BigQuery takes than on this machine."""
    job_seconds: float = 0.0
    """How much longer each of BigQuery's jobs takes."""
    is_sql_strict: bool = False
    """Whether Google's analyzer judges queries; it comes with the development tools."""

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return f"http://127.0.0.1:{self.port}"


def options_from_environment() -> Options:
    """Read the options; README lists the variables. ValueError names one that makes no sense."""
    given = os.environ.get
    key = given("ADMIN_API_KEY", "")
    is_ephemeral = _is_true("EPHEMERAL")
    data_dir = tempfile.gettempdir() if is_ephemeral else given("DATA_DIR") or ".local"
    return Options(
        port=_port("PORT", DEFAULT_PORT),
        admin_api_key=key or secrets.token_urlsafe(24),
        is_key_generated=not key,
        data_dir=Path(data_dir).resolve(),
        is_ephemeral=is_ephemeral,
        project=given("GCP_PROJECT_ID") or DEFAULT_PROJECT,
        location=given("BIGQUERY_LOCATION") or "US",
        bigquery_host=given("BIGQUERY_EMULATOR_HOST", ""),
        pubsub_host=given("PUBSUB_EMULATOR_HOST", ""),
        bigquery_port=_port("BIGQUERY_PORT", 0),
        pubsub_port=_port("PUBSUB_PORT", 0),
        scheduler_port=_port("SCHEDULER_PORT", 0),
        storage_port=_port("STORAGE_PORT", 0),
        tenant=given("TENANT", ""),
        latency_ms=int(_at_least_nothing("LATENCY_MS")),
        job_seconds=_at_least_nothing("JOB_SECONDS"),
        is_sql_strict=_is_true("STRICT_SQL"),
    )


def _is_true(variable: str) -> bool:
    given = os.environ.get(variable, "").strip().lower()
    if given not in YES | NO:
        raise ValueError(f"{variable} is true or false, not {given!r}")
    return given in YES


def _port(variable: str, default: int) -> int:
    given = os.environ.get(variable) or str(default)
    if not (given.isascii() and given.isdecimal() and int(given) <= LAST_PORT):
        raise ValueError(f"{variable} is a port from 1 to {LAST_PORT}, not {given!r}")
    return int(given)


def _at_least_nothing(variable: str) -> float:
    given = os.environ.get(variable) or "0"
    try:
        number = float(given)
    except ValueError:
        number = -1.0
    if not 0 <= number <= MAX_LATENCY:
        raise ValueError(f"{variable} is a number from 0 to {MAX_LATENCY:,}, not {given!r}")
    return number
