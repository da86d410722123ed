"""Keys of Google service accounts: what a tenant gives the platform to read the tenant's own project with.

Of a key file only what signs a token is kept. Its addresses of token endpoints, and its universe, are words
of the tenant's that would lead the platform's own requests: nothing reads them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from common.errors import InvalidInput, Violation
from common.pipelines.tables import PROJECT_ID

TYPE, UNIVERSE = "service_account", "googleapis.com"
# To check a key takes the longer, the longer it is. Google's are of 2048 bits, uploaded ones of 4096 at most.
MAX_KEY_CHARACTERS = 5000
KEY_BITS = (2048, 4096)
_EMAIL = re.compile(
    rf"[a-z][a-z0-9-]{{4,28}}[a-z0-9]@(?P<project>{PROJECT_ID.pattern})\.iam\.gserviceaccount\.com"
)
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccountKey:
    """A key that signs in the name of an account, for work in a project."""

    project_id: str
    client_email: str
    private_key_id: str
    private_key: str = field(repr=False)

    @classmethod
    def read(cls, given: Mapping[str, str], *, platform_project: str) -> Self:
        """Read a key file's members; InvalidInput with all violations, none repeats what was given."""
        violations = list(_violations(given, platform_project))
        if violations:
            raise InvalidInput(violations, "the credential is no key of a service account of yours")
        return cls(**{member.name: given[member.name] for member in fields(cls)})

    @property
    def members(self) -> dict[str, str]:
        """The members that are kept, by the names that the key file has for them."""
        return {member.name: getattr(self, member.name) for member in fields(self)} | {"type": TYPE}


def _violations(given: Mapping[str, str], platform_project: str) -> Iterator[Violation]:
    for name in ("type", *(member.name for member in fields(ServiceAccountKey))):
        if rule := _rule(name, given[name], platform_project) if name in given else "is required":
            yield Violation(f"/credentials/{name}", rule)
    if given.get("universe_domain", UNIVERSE) != UNIVERSE:
        yield Violation("/credentials/universe_domain", f"must be {UNIVERSE}, or left out")


def _rule(name: str, value: str, platform_project: str) -> str:
    match name:
        case "type":
            return "" if value == TYPE else f"must be {TYPE}"
        case "project_id":
            return _rule_of_project(value, platform_project)
        case "client_email":
            return _rule_of_email(value, platform_project)
        case "private_key_id":
            return "" if _KEY_ID.fullmatch(value) else "must be the key's ID: letters, digits, _ and -"
    return _rule_of_key(value)


def _rule_of_project(value: str, platform_project: str) -> str:
    if not PROJECT_ID.fullmatch(value):
        return "must be the ID of a project: 6 to 30 lower-case letters, digits and -"
    return "must be a project of your own, not the platform's" if value == platform_project else ""


def _rule_of_email(value: str, platform_project: str) -> str:
    found = _EMAIL.fullmatch(value)
    if found is None:
        return (
            "must be the address of a service account: name@project.iam.gserviceaccount.com, "
            "the name of 6 to 30 lower-case letters, digits and -"
        )
    is_ours = found["project"] == platform_project
    return "must be an account of your own project, not of the platform's" if is_ours else ""


def _rule_of_key(value: str) -> str:
    rule = f"must be an RSA key of {KEY_BITS[0]} to {KEY_BITS[1]} bits in PEM, without a password"
    if len(value) > MAX_KEY_CHARACTERS:
        return rule
    if "\\n" in value:  # A backslash and an n: the file's text was escaped once more on its way.
        return f"{rule}; its line breaks have become \\n"
    try:
        key = load_pem_private_key(value.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return rule
    is_right = isinstance(key, RSAPrivateKey) and KEY_BITS[0] <= key.key_size <= KEY_BITS[1]
    return "" if is_right else rule
