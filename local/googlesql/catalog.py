"""Tables as the analyzer looks names up: catalogs in catalogs, and each name by all that may be left out."""

from collections.abc import Iterable, Mapping
from itertools import combinations, pairwise

from zetasql.wasi._pb2.zetasql.proto.options_pb2 import ZetaSQLBuiltinFunctionOptionsProto
from zetasql.wasi._pb2.zetasql.proto.simple_catalog_pb2 import SimpleCatalogProto
from zetasql.wasi._pb2.zetasql.public.simple_table_pb2 import SimpleColumnProto, SimpleTableProto
from zetasql.wasi._pb2.zetasql.public.type_pb2 import TypeProto

from local.googlesql.functions import more_functions
from local.googlesql.language import language

type Columns = Mapping[str, TypeProto]


def catalog(tables: Mapping[str, Columns], default_dataset: str) -> SimpleCatalogProto:
    """Build the catalog of some tables; the ID of each is its place among them, from 1."""
    top = SimpleCatalogProto(name="bigquery")
    top.custom_function.extend(more_functions())
    top.builtin_function_options.CopyFrom(ZetaSQLBuiltinFunctionOptionsProto(language_options=language()))
    nested: dict[tuple[str, ...], SimpleCatalogProto] = {(): top}
    for number, (name, columns) in enumerate(tables.items(), start=1):
        for path in _paths(tuple(name.split(".")), tuple(default_dataset.split("."))):
            _catalog_at(path[:-1], nested).table.append(_table(name, path[-1], columns, number))
    return top


def _paths(name: tuple[str, ...], default: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """List the ways to write a name: what is understood left out, its dots within backticks or not."""
    shortened = {name}
    if len(default) > 0 and name[:1] == default[:1]:
        shortened.add(name[1:])
    if len(default) > 1 and name[: len(default)] == default:
        shortened.add(name[len(default) :])
    return dict.fromkeys(way for short in sorted(shortened) for way in _quotings(short))


def _quotings(name: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """List the ways to put neighbouring parts of a name into one pair of backticks: `a.b`.c is a.b.c."""
    places = range(1, len(name))
    for count in range(len(name)):
        for cuts in combinations(places, count):
            edges = (0, *cuts, len(name))
            yield tuple(".".join(name[a:b]) for a, b in pairwise(edges))


def _catalog_at(
    path: tuple[str, ...], nested: dict[tuple[str, ...], SimpleCatalogProto]
) -> SimpleCatalogProto:
    if path not in nested:
        nested[path] = _catalog_at(path[:-1], nested).catalog.add(name=path[-1])
    return nested[path]


def _table(full_name: str, name: str, columns: Columns, number: int) -> SimpleTableProto:
    return SimpleTableProto(
        name=name,
        full_name=full_name,
        serialization_id=number,
        column=[
            SimpleColumnProto(
                name=column, type=kind, is_pseudo_column=column.startswith("_"), is_writable_column=True
            )
            for column, kind in columns.items()
        ],
    )
