"""All of Google's APIs that the provider calls: create, read, change and delete, on one store."""

from typing import Any

from tests.terraform.fake_google.answers import Json
from tests.terraform.fake_google.demands import (
    demand_enabled_api,
    demand_nothing_inside,
    demand_prerequisites,
)
from tests.terraform.fake_google.kinds import Kind, kind_of
from tests.terraform.fake_google.requests import Request
from tests.terraform.fake_google.server_fields import PROJECT_NUMBER, Call, with_server_fields
from tests.terraform.fake_google.store import Store
from tests.terraform.fake_google.verbs import answer_verb

# Resources on a page: few, so that whoever lists has to ask for the next one.
_PAGE = 5

# Keys lie in a project of their own; services are enabled by the one that is always on.
_ALWAYS_ON = {"kms", "service_usage"}


class Api:
    """Answers requests, or raises ApiError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, request: Request) -> Json:
        """Answer one request."""
        if request.project and request.service not in _ALWAYS_ON:
            demand_enabled_api(self._store, request.project, request.service)
        special = answer_verb(self._store, request)
        if special is not None:
            return self._answered(request, special) if request.service == "compute" else special
        return self._answer_method(request)

    def _answer_method(self, request: Request) -> Json:
        match request.method:
            case "GET":
                return self._read(request)
            case "DELETE":
                demand_nothing_inside(self._store, request.key, request.query)
                self._store.delete(request.key)
                return self._answered(request, {})
            case "POST":
                return self._answered(request, self._create(request))
            case _ if request.key in self._store.resources:
                return self._answered(request, self._change(request))
            case _:
                return self._answered(request, self._create(request))

    def _read(self, request: Request) -> Json:
        if request.service == "resource_manager":
            number = PROJECT_NUMBER
            return {"projectId": request.project, "projectNumber": number, "lifecycleState": "ACTIVE"}
        is_collection = not request.path.count("/") % 2 and request.key not in self._store.resources
        return self._list(request) if is_collection else self._store.get(request.key)

    def _list(self, request: Request) -> Json:
        members = self._store.members(request.key)
        first = int(request.query.get("pageToken", 0))
        page: Json = {request.path.rpartition("/")[2]: members[first : first + _PAGE]}
        is_last = first + _PAGE >= len(members)
        return page if is_last else page | {"nextPageToken": str(first + _PAGE)}

    def _create(self, request: Request) -> Json:
        collection, identity = request.key, ""
        if request.method == "PUT":
            collection, _, identity = request.key.rpartition("/")
        kind = kind_of(collection)
        identity = identity or kind.identity(request.query, request.body) or str(self._store.next_number())
        call = self._call(request, collection, identity)
        body = _unwrapped(kind, request.body)
        return self._put(request, call, with_server_fields(body, kind.server(call, body)), is_new=True)

    def _change(self, request: Request) -> Json:
        collection, _, identity = request.key.rpartition("/")
        kind = kind_of(collection)
        call = self._call(request, collection, identity)
        body = {**self._store.get(request.key), **_unwrapped(kind, request.body)}
        return self._put(request, call, with_server_fields(body, kind.server(call, body)), is_new=False)

    def _put(self, request: Request, call: Call, resource: Json, *, is_new: bool) -> Json:
        key = _key_of(request, call, resource)
        demand_prerequisites(self._store, request.project, key, resource)
        return self._store.create(key, resource) if is_new else self._store.replace(key, resource)

    def _call(self, request: Request, collection: str, identity: str) -> Call:
        return Call(store=self._store, collection=collection, identity=identity, base_url=request.base_url)

    def _answered(self, request: Request, resource: Json) -> Json:
        """Answer with the resource, or with an operation that is done."""
        if request.service == "compute":
            return self._compute_operation(request)
        if request.service in {"artifact_registry", "cloudfunctions2"}:
            return {"name": f"operations/{self._store.next_number()}", "done": True, "response": resource}
        return resource

    def _compute_operation(self, request: Request) -> Json:
        names = request.path.split("/")
        scope = "/".join(names[: 4 if names[2] == "regions" else 3])
        name = f"operation-{self._store.next_number()}"
        region = {"region": names[3]} if names[2] == "regions" else {}
        operation: dict[str, Any] = {"name": name, "status": "DONE", **region}
        return self._store.create(f"compute/{scope}/operations/{name}", operation)


def _key_of(request: Request, call: Call, resource: Json) -> str:
    """Return the key of a resource: its full name tells it, where it has one."""
    name = str(resource.get("name", ""))
    has_full_name = name.startswith(("projects/", "billingAccounts/"))
    return f"{request.service}/{name}" if has_full_name else call.key


def _unwrapped(kind: Kind, body: Json) -> Json:
    inner = body.get(kind.unwrap) if kind.unwrap else None
    return inner if isinstance(inner, dict) else body
