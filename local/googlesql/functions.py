"""Functions that BigQuery has and the analyzer does not."""

from collections.abc import Iterator

from zetasql.wasi._pb2.zetasql.proto.function_pb2 import (
    FunctionArgumentTypeOptionsProto,
    FunctionArgumentTypeProto,
    FunctionOptionsProto,
    FunctionProto,
    FunctionSignatureProto,
)
from zetasql.wasi._pb2.zetasql.public.function_pb2 import (
    ARG_TYPE_ANY_1,
    ARG_TYPE_ARBITRARY,
    ARG_TYPE_FIXED,
    FunctionEnums,
    SignatureArgumentKind,
)
from zetasql.wasi._pb2.zetasql.public.type_pb2 import TYPE_BOOL, TYPE_STRING, TypeProto

_AGGREGATES = ("MAX_BY", "MIN_BY")
_SEARCHES = {"CONTAINS_SUBSTR": ("json_scope",), "SEARCH": ("json_scope", "analyzer", "analyzer_options")}


def more_functions() -> Iterator[FunctionProto]:
    """Define what the catalog needs beside what is built in."""
    for name in _AGGREGATES:
        ordering = FunctionArgumentTypeOptionsProto(must_support_ordering=True)
        yield FunctionProto(
            name_path=[name],
            group="bigquery",
            mode=FunctionEnums.AGGREGATE,
            options=FunctionOptionsProto(supports_having_modifier=False),
            signature=[
                _signature(
                    _generic(ARG_TYPE_ANY_1),
                    _generic(ARG_TYPE_ARBITRARY, ordering),
                    gives=_generic(ARG_TYPE_ANY_1),
                )
            ],
        )
    for name, options in _SEARCHES.items():
        yield FunctionProto(
            name_path=[name],
            group="bigquery",
            mode=FunctionEnums.SCALAR,
            signature=[
                _signature(
                    _generic(ARG_TYPE_ARBITRARY),
                    _fixed(TYPE_STRING),
                    *(_fixed(TYPE_STRING, option) for option in options),
                    gives=_fixed(TYPE_BOOL),
                )
            ],
        )


def _signature(*takes: FunctionArgumentTypeProto, gives: FunctionArgumentTypeProto) -> FunctionSignatureProto:
    return FunctionSignatureProto(argument=takes, return_type=gives)


def _generic(
    kind: SignatureArgumentKind, options: FunctionArgumentTypeOptionsProto | None = None
) -> FunctionArgumentTypeProto:
    return FunctionArgumentTypeProto(kind=kind, options=options, num_occurrences=1)


def _fixed(kind: int, option: str = "") -> FunctionArgumentTypeProto:
    """Describe an argument of one type; with a name, one that may be left out and is given by name."""
    options = FunctionArgumentTypeOptionsProto()
    if option:
        options.cardinality = FunctionEnums.OPTIONAL
        options.argument_name = option
        options.argument_name_is_mandatory = True
    return FunctionArgumentTypeProto(
        kind=ARG_TYPE_FIXED,
        type=TypeProto(type_kind=kind),
        options=options,
        num_occurrences=0 if option else 1,
    )
