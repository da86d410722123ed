"""What the operator sets, read once from the environment by `common.wiring`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

MAX_PROXIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field per environment variable; README and Terraform say what each is for."""

    project: str
    location: str
    central_dataset: str
    admin_api_keys: tuple[str, ...]
    onboarding_mode: str
    onboarding_token: str
    onboardings_per_source: int
    onboardings_per_hour: int
    allowed_sources: frozenset[str]
    maximum_bytes_billed: int
    """The most that one step of a tenant's may bill, in bytes."""
    levels_topic: str
    levels_keys: tuple[str, ...] = field(repr=False)
    """What level messages are signed with; the first one signs, all are believed."""
    levels_subscription: str
    """The subscription that pushes levels: its dead letters alone end runs."""
    run_events_topic: str
    dead_letters_topic: str
    dead_letters_subscription: str
    executor_service_account: str
    dedicated_service_accounts: Mapping[str, str]
    """Accounts of isolated tenants, by tenant; `*` is a pattern for all others."""
    filling_role: str
    """The role that accounts of tenants' credentials have on their datasets, by its full name."""
    credentials_keyring: str = field(repr=False)
    """The ring that opens secrets; functions that only take them have its public half."""
    credentials_public_keys: str
    offboarding_grace: timedelta
    level_budget: timedelta
    log_format: str
    public_url: str
    """Where this function is reached from outside, or the host in front of all."""
    public_urls: Mapping[str, str]
    """Where no host is in front: each public function's URL, by its name."""
    trusted_proxies: int
    """How many values the proxies in front append to X-Forwarded-For: Cloud Run 1, with the gateway 2."""
    api_url: str
    """Where the console reaches the API; `{function}` in it stands for a function's name."""
    console_keys: tuple[str, ...] = field(repr=False)
    """What the console's sessions are sealed with; the first one seals, all open."""
    scheduler_job: str
    """The full name of the dispatcher's job in Cloud Scheduler."""
    bigquery_emulator_host: str
    storage_emulator_host: str
    scheduler_emulator_host: str
    notices_reach_loopback: bool
    """Whether notices may go to this machine, and in clear: on the local platform alone."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; ValueError names a variable that is missing or makes no sense."""
        given = environment.get
        mode = given("ONBOARDING_MODE", "open")
        if mode not in {"open", "token", "closed"}:
            raise ValueError(f"ONBOARDING_MODE is open, token or closed, not {mode!r}")
        if not given("GCP_PROJECT_ID"):
            raise ValueError("GCP_PROJECT_ID is not set")
        return cls(
            project=environment["GCP_PROJECT_ID"],
            location=given("BIGQUERY_LOCATION", "US"),
            central_dataset=given("CENTRAL_DATASET", "tenants"),
            admin_api_keys=_listed(given("ADMIN_API_KEY", "")),
            onboarding_mode=mode,
            onboarding_token=given("ONBOARDING_TOKEN", ""),
            onboardings_per_source=int(given("ONBOARDINGS_PER_SOURCE", "20")),
            onboardings_per_hour=int(given("ONBOARDINGS_PER_HOUR", "200")),
            allowed_sources=frozenset(_listed(given("ALLOWED_SOURCES", "bigquery-public-data"))),
            maximum_bytes_billed=int(given("MAXIMUM_BYTES_BILLED", str(2**40))),
            levels_keys=_listed(given("LEVELS_KEYS", "")),
            levels_topic=given("LEVELS_TOPIC", "pipeline-levels"),
            levels_subscription=given("LEVELS_SUBSCRIPTION", "pipeline-levels-push"),
            run_events_topic=given("RUN_EVENTS_TOPIC", "run-events"),
            dead_letters_topic=given("DEAD_LETTERS_TOPIC", "dead-letters"),
            dead_letters_subscription=given("DEAD_LETTERS_SUBSCRIPTION", "dead-letters-dispatcher"),
            executor_service_account=given("EXECUTOR_SERVICE_ACCOUNT", ""),
            dedicated_service_accounts=_paired(given("DEDICATED_SERVICE_ACCOUNTS", "")),
            filling_role=given("FILLING_ROLE") or _role(environment["GCP_PROJECT_ID"]),
            credentials_keyring=given("CREDENTIALS_KEYRING", ""),
            credentials_public_keys=given("CREDENTIALS_PUBLIC_KEYS", ""),
            offboarding_grace=timedelta(days=float(given("OFFBOARDING_GRACE_DAYS", "30"))),
            level_budget=timedelta(seconds=float(given("LEVEL_SECONDS", "30"))),
            log_format=given("LOG_FORMAT", "json"),
            public_url=given("PUBLIC_URL", "").rstrip("/"),
            public_urls={name: url.rstrip("/") for name, url in _paired(given("PUBLIC_URLS", "")).items()},
            trusted_proxies=_proxies(given("TRUSTED_PROXIES", "1")),
            api_url=(given("API_URL") or given("PUBLIC_URL", "")).rstrip("/"),
            console_keys=_listed(given("CONSOLE_KEYS", "")),
            scheduler_job=given("SCHEDULER_JOB") or _local_job(environment),
            scheduler_emulator_host=given("CLOUD_SCHEDULER_EMULATOR_HOST", ""),
            bigquery_emulator_host=given("BIGQUERY_EMULATOR_HOST", ""),
            storage_emulator_host=given("STORAGE_EMULATOR_HOST", ""),
            notices_reach_loopback=given("NOTICES_REACH_LOOPBACK", "") == "true",
        )


def _role(project: str) -> str:
    """Name the role that Terraform makes, and the local BigQuery knows."""
    return f"projects/{project}/roles/convergenceFillTables"


def _local_job(environment: Mapping[str, str]) -> str:
    """Name the job that the local platform makes."""
    region = environment.get("FUNCTION_REGION") or "us-central1"
    return f"projects/{environment['GCP_PROJECT_ID']}/locations/{region}/jobs/dispatcher"


def _proxies(text: str) -> int:
    """Read how many proxies are trusted; ValueError where that is no small number."""
    if not (text.isdecimal() and int(text) <= MAX_PROXIES):
        raise ValueError(f"TRUSTED_PROXIES is a number from 0 to {MAX_PROXIES}, not {text!r}")
    return int(text)


def _paired(text: str) -> dict[str, str]:
    """Read `name=value,name=value`; ValueError where a name has no value."""
    return {name.strip(): value.strip() for name, value in (pair.split("=", 1) for pair in _listed(text))}


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
