"""One command's session: its profile, its key, and the platform that it speaks to."""

from dataclasses import dataclass, field, replace

from cli.environment import Environment
from cli.exits import Exit
from cli.failures import CommandError
from cli.keyrings import Keyrings
from cli.profiles import DEFAULT, Profile, Profiles
from cli.screen import Screen
from common.client import Api, Client, Key, Operator
from common.client.locations import checked_url, is_private

SEPARATOR = "_api_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a command works with; `url` is the address that its user named, "" for the profile's."""

    environment: Environment
    profile_name: str = DEFAULT
    url: str = ""
    screen: Screen = field(default_factory=Screen)

    @property
    def profiles(self) -> Profiles:
        """The user's profiles."""
        return Profiles(folder=self.environment.folder)

    @property
    def keyrings(self) -> Keyrings:
        """The user's keys."""
        return Keyrings(folder=self.environment.folder)

    @property
    def profile(self) -> Profile:
        """The profile in use, with what the environment says instead."""
        stored = self.profiles.read(self.profile_name)
        return replace(
            stored,
            url=self.url or self.environment.url or stored.url,
            tenant=self.environment.tenant or _tenant_of(self.environment.api_key) or stored.tenant,
            project=self.environment.project or stored.project,
        )

    @property
    def client(self) -> Client:
        """The tenant's side of the platform; CommandError without an address or a key."""
        return Client(self._api(Key.tenant(self._key(self.environment.api_key, "CONVERGENCE_API_KEY"))))

    @property
    def operator(self) -> Operator:
        """The operators' side."""
        return Operator(
            self._api(Key.operator(self._key(self.environment.admin_key, "CONVERGENCE_ADMIN_KEY")))
        )

    def address(self, allows_http: bool = False) -> str:
        """Return where the platform is; CommandError where that is unknown, or a key could be read."""
        url = self.profile.url
        if not url:
            raise CommandError(
                "no platform is known", "Name one: `convergence login`, or CONVERGENCE_URL.", Exit.USAGE
            )
        return checked_address(url, allows_http=allows_http)

    def _api(self, key: Key) -> Api:
        stored = self.profiles.read(self.profile_name).url
        return Api(url=self.address(allows_http=stored == self.profile.url), key=key)

    def _key(self, given: str, variable: str) -> str:
        if given:
            return given
        stored = self.profiles.read(self.profile_name)
        if stored.is_operator != (variable == "CONVERGENCE_ADMIN_KEY"):
            side = "an operator's" if stored.is_operator else "a tenant's"
            kept = self.keyrings.read(self.profile_name)
            if kept:
                raise CommandError(
                    f"the profile {self.profile_name} has {side} key, and this takes the other kind",
                    f"Name another profile with --profile, or set {variable}.",
                    Exit.NOT_ALLOWED,
                )
        if stored.url and stored.url != self.profile.url:
            raise CommandError(
                "the profile's key is for another address, and is not sent to this one",
                f"Log in there under a profile of its own, or set {variable}.",
                Exit.USAGE,
            )
        if kept := self.keyrings.read(self.profile_name):
            return kept
        raise CommandError(
            "no key is known", f"Log in: `convergence login`, or set {variable}.", Exit.NOT_ALLOWED
        )


def checked_address(url: str, *, allows_http: bool = False) -> str:
    """Return an address that a key can be sent to; CommandError where it is none."""
    try:
        checked = checked_url(url)
    except ValueError as error:
        raise CommandError(str(error), "Write https://host, or http://127.0.0.1:8090.", Exit.USAGE) from error
    if not allows_http and not is_private(checked):
        raise CommandError(
            "over http:// everyone on the way could read the key",
            "Use https://; `convergence login --allow-http` takes it, for a network of your own.",
            Exit.USAGE,
        )
    return checked


def tenant_of(key: str) -> str:
    """Return the tenant that a key names, "" where it names none."""
    return _tenant_of(key)


def _tenant_of(key: str) -> str:
    tenant, separator, _ = key.rpartition(SEPARATOR)
    return tenant if separator else ""
