"""Sessions: whose key a browser brings, sealed in a cookie. Nobody but the console can read or make one."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from werkzeug.wrappers import Request, Response

from common.client import Key

SESSION_SECONDS = 8 * 60 * 60
MIN_SECRET_CHARACTERS = 32
TENANT_KEY = re.compile(r"(?P<tenant>[a-z][a-z0-9_]{2,49})_api_[A-Za-z0-9]{16}")


class Role(StrEnum):
    """Who is signed in."""

    NOBODY = "nobody"
    TENANT = "tenant"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser's session; `form_token` is in each form that it is given, and has to come back with it."""

    role: Role
    key: str = field(default="", repr=False)
    form_token: str = field(repr=False)

    @classmethod
    def new(cls, role: Role, key: str = "") -> Self:
        """Begin a session."""
        return cls(role=role, key=key, form_token=secrets.token_urlsafe(24))

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Begin the session of a user with a key; whether it is valid, the API alone can tell."""
        return cls.new(Role.TENANT if TENANT_KEY.fullmatch(key) else Role.OPERATOR, key)

    @property
    def api_key(self) -> Key | None:
        """The key as the API's client takes it."""
        match self.role:
            case Role.TENANT:
                return Key.tenant(self.key)
            case Role.OPERATOR:
                return Key.operator(self.key)
            case _:
                return None

    @property
    def name(self) -> str:
        """Whom the pages greet: the tenant, or the operator."""
        match = TENANT_KEY.fullmatch(self.key)
        return match["tenant"] if match else str(self.role)

    def accepts(self, form_token: str) -> bool:
        """Tell whether a form was made for this session."""
        return hmac.compare_digest(self.form_token.encode(), form_token.encode())


class SessionSeal:
    """Seals sessions into cookies, under the first of its secrets; opens those under any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take the secrets; ValueError where there is none, or a short one."""
        if not keys or min(map(len, keys)) < MIN_SECRET_CHARACTERS:
            raise ValueError(
                f"CONSOLE_KEYS are one or more secrets of at least {MIN_SECRET_CHARACTERS} characters"
            )
        self._fernet = MultiFernet([Fernet(_fernet_key(key)) for key in keys])

    def read(self, request: Request) -> Session | None:
        """Return the session of a request; None where it has none that is valid and young enough."""
        sealed = request.cookies.get(_cookie_name(request), "")
        try:
            told = json.loads(self._fernet.decrypt(sealed.encode(), ttl=SESSION_SECONDS))
        except InvalidToken:
            return None
        return Session(role=Role(told["role"]), key=told["key"], form_token=told["form_token"])

    def write(self, request: Request, response: Response, session: Session) -> None:
        """Give a session to a browser, for eight hours from now and no longer."""
        told = {"role": session.role, "key": session.key, "form_token": session.form_token}
        response.set_cookie(
            _cookie_name(request),
            self._fernet.encrypt(json.dumps(told).encode()).decode(),
            max_age=SESSION_SECONDS,
            secure=is_secure(request),
            httponly=True,
            samesite="Strict",
        )


def is_secure(request: Request) -> bool:
    """Tell whether the browser speaks HTTPS to whatever is in front."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def _cookie_name(request: Request) -> str:
    # Browsers take a __Host- cookie from this very host alone, over HTTPS.
    return "__Host-convergence" if is_secure(request) else "convergence"


def _fernet_key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(
        hashlib.sha256(b"convergence console session\0" + secret.encode()).digest()
    )
