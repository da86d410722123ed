"""Who may call: the key of a request against what its route asks for."""

from common.errors import Forbidden, Unauthenticated
from common.http.calls import Edge
from common.http.routes import Access
from common.tenants.authentication import Caller


def admit(edge: Edge, access: Access, key: str | None, source: str) -> Caller | None:
    """Return whose API key it is, None on routes that take none. Raise where the route stays shut.

    RateLimited comes first: a source that has guessed too often is told nothing more of its keys.
    """
    if access is Access.PUBLIC:
        return None
    edge.wrong_keys.check(source)
    wrong = Forbidden if access is Access.ADMIN else Unauthenticated
    try:
        caller = _identify(edge, access, key)
    except wrong:
        if key:
            edge.wrong_keys.count(source)
        raise
    if caller and access.scope:
        caller.require(access.scope)
    return caller


def _identify(edge: Edge, access: Access, key: str | None) -> Caller | None:
    if access is Access.ADMIN:
        edge.admin_keys.check(key)
        return None
    return edge.authenticator.authenticate(key)
