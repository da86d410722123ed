"""Statements analyzed against a catalog: their columns, what they read, or why BigQuery rejects them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import (
    AnalyzeRequest,
    AnalyzeResponse,
    RegisterCatalogRequest,
    RegisterResponse,
    UnregisterRequest,
)
from zetasql.wasi._pb2.zetasql.proto.options_pb2 import AnalyzerOptionsProto
from zetasql.wasi._pb2.zetasql.public.options_pb2 import ERROR_MESSAGE_ONE_LINE
from zetasql.wasi._pb2.zetasql.public.type_pb2 import TypeProto
from zetasql.wasi._pb2.zetasql.resolved_ast.resolved_ast_pb2 import ResolvedTableScanProto

from local.googlesql.catalog import catalog
from local.googlesql.engine import EngineRefusal, load
from local.googlesql.language import language
from local.googlesql.types import type_name

_PLACE = re.compile(r" \[at (\d+:\d+)\]")
_STATUS = re.compile(r"^Code: \d+, Message: ")


class RejectedSql(Exception):
    """GoogleSQL rejects a statement; the text is BigQuery's sentence, its place at the end as `at [1:8]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a statement is (`QUERY`, `INSERT`, `CREATE_VIEW`, ...), gives and reads."""

    kind: str
    columns: tuple[tuple[str, str], ...]
    tables: frozenset[str]


class Analyzer:
    """Analyzes statements that see the same tables: `project.dataset.table` to columns to names of types."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]], *, default_dataset: str) -> None:
        self._names = tuple(tables)
        typed = {
            table: {name: _type(text) for name, text in columns.items()} for table, columns in tables.items()
        }
        self._catalog_id = _registered(typed, default_dataset)

    def analyze(self, sql: str, parameters: Mapping[str, str] | None = None) -> Analysis:
        """Analyze one statement; RejectedSql where GoogleSQL rejects it."""
        request = self._request(parameters)
        request.sql_statement = sql
        return self._analysis(_answer(request))

    def analyze_script(self, sql: str, parameters: Mapping[str, str] | None = None) -> Iterator[Analysis]:
        """Analyze the statements of a script, one after the other; variables and loops are none of them."""
        end, position = len(sql.encode()), 0
        while position < end:
            request = self._request(parameters)
            request.parse_resume_location.input = sql
            request.parse_resume_location.byte_position = position
            answer = _answer(request)
            position = answer.resume_byte_position
            yield self._analysis(answer)
            if not sql.encode()[position:].strip():
                return

    def close(self) -> None:
        """Give the catalog's memory back; for catalogs that come and go."""
        load().call("UnregisterCatalog", UnregisterRequest(registered_id=self._catalog_id), Empty)

    def _request(self, parameters: Mapping[str, str] | None) -> AnalyzeRequest:
        options = AnalyzerOptionsProto(
            language_options=language(),
            error_message_mode=ERROR_MESSAGE_ONE_LINE,
            default_timezone="UTC",
            prune_unused_columns=True,
        )
        for name, text in (parameters or {}).items():
            options.query_parameters.add(name=name, type=_type(text))
        return AnalyzeRequest(options=options, registered_catalog_id=self._catalog_id)

    def _analysis(self, answer: AnalyzeResponse) -> Analysis:
        statement = _statement(answer.resolved_statement)
        kind = statement.DESCRIPTOR.name.removeprefix("Resolved").removesuffix("StmtProto")
        return Analysis(
            kind=re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).upper(),
            columns=tuple(_columns(statement)),
            tables=frozenset(self._names[number - 1] for number in _scanned(answer)),
        )


def _answer(request: AnalyzeRequest) -> AnalyzeResponse:
    try:
        return load().call("Analyze", request, AnalyzeResponse)
    except EngineRefusal as refusal:
        raise RejectedSql(_PLACE.sub(r" at [\1]", _STATUS.sub("", str(refusal)))) from None


def _registered(tables: Mapping[str, Mapping[str, TypeProto]], default_dataset: str) -> int:
    request = RegisterCatalogRequest(simple_catalog=catalog(tables, default_dataset))
    return int(load().call("RegisterCatalog", request, RegisterResponse).registered_id)


@cache
def _type(text: str) -> TypeProto:
    """Read the name of a type, by asking what a value of it is."""
    request = AnalyzeRequest(
        sql_expression=f"CAST(NULL AS {text})",
        options=AnalyzerOptionsProto(language_options=language()),
        registered_catalog_id=_registered_nothing(),
    )
    answer = _answer(request)
    return next(_found(answer.resolved_expression, TypeProto))


@cache
def _registered_nothing() -> int:
    return _registered({}, "")


def _statement(node: Message) -> Message:
    """Unfold the analyzer's unions down to the statement itself."""
    while node.DESCRIPTOR.name.startswith("Any"):
        node = getattr(node, node.WhichOneof("node") or "")
    return node


def _columns(statement: Message) -> Iterator[tuple[str, str]]:
    """List what a query gives, or what a view or table made of one holds."""
    node: Message | None = statement
    while node is not None:
        for column in getattr(node, "output_column_list", ()):
            name = "" if column.name.startswith("$") else column.name
            yield name, type_name(column.column.type)
        node = getattr(node, "parent", None)


def _scanned(answer: AnalyzeResponse) -> Iterator[int]:
    for scan in _found(answer.resolved_statement, ResolvedTableScanProto):
        yield scan.table.serialization_id


def _found[Wanted: Message](node: Message, wanted: type[Wanted]) -> Iterator[Wanted]:
    """Find all messages of a type within another; one within another of its own type is not looked for."""
    nodes: list[Message] = [node]
    while nodes:
        node = nodes.pop()
        if isinstance(node, wanted):
            yield node
            continue
        for field, value in node.ListFields():
            if field.message_type is not None:
                nodes.extend(value if field.is_repeated else [value])
