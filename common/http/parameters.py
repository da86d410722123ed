"""Parameters of path, query and headers: read in the types of their schemas, every fault reported."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request

from common.errors import Fault, InvalidInput
from common.http.routes import Parameter, Place, Route
from common.http.schemas import MOST_FAULTS, did_you_mean, faults_of, pointer
from common.logs import is_secret

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_BOOLEANS = {"true": True, "false": False}


@dataclass(slots=True)
class Values:
    """The values of a request's parameters, by place, and what is wrong with them."""

    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def read(self, parameter: Parameter, texts: list[str]) -> None:
        """Read one parameter from the texts that the request gives for it."""
        place = pointer(parameter.place, parameter.name)
        if len(texts) > 1:
            self.faults.append(Fault(place, "must be given once"))
        elif texts and is_secret(texts[0]):
            # It must not go on: a parameter's value may become part of a query, a label or a job ID.
            self.faults.append(Fault(place, "is a secret of the platform, which belongs in its header alone"))
        elif texts:
            value = _typed(parameter, texts[0])
            self.faults.extend(Fault(place, fault.rule) for fault in faults_of(parameter.schema, value))
            self._of(parameter.place)[parameter.name] = value
        elif parameter.is_required:
            self.faults.append(Fault(place, "is required"))
        elif "default" in parameter.schema:
            self._of(parameter.place)[parameter.name] = parameter.schema["default"]

    def refuse_unknown(self, given: Iterable[str], known: list[str]) -> None:
        """Note query parameters that the route does not have."""
        unknown = [name for name in given if name not in known]
        self.faults.extend(
            Fault(pointer(Place.QUERY, name), f"is not known here{did_you_mean(name, known)}")
            for name in unknown[:MOST_FAULTS]
        )

    def _of(self, place: Place) -> dict[str, Any]:
        return {Place.PATH: self.path, Place.QUERY: self.query, Place.HEADER: self.header}[place]


def read_parameters[S](request: Request, route: Route[S], path_values: Mapping[str, str]) -> Values:
    """Read what the route declares; InvalidInput with all faults (`/query/limit`, `/path/…`, `/header/…`)."""
    values = Values()
    for parameter in route.parameters:
        values.read(parameter, _texts(request, parameter, path_values))
    values.refuse_unknown(request.args, [parameter.name for parameter in route.parameters_in(Place.QUERY)])
    if values.faults:
        raise InvalidInput(values.faults, "the request's parameters break rules")
    return values


def _texts(request: Request, parameter: Parameter, path_values: Mapping[str, str]) -> list[str]:
    match parameter.place:
        case Place.PATH:
            return [path_values[parameter.name]]
        case Place.QUERY:
            return request.args.getlist(parameter.name)
        case Place.HEADER:
            return request.headers.getlist(parameter.name)


def _typed(parameter: Parameter, text: str) -> Any:
    """Turn a text into its schema's type; a text that is none stays one and fails the schema."""
    match parameter.schema.get("type"):
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "boolean":
            return _BOOLEANS.get(text, text)
        case _:
            return text
