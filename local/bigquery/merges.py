"""Dry runs of MERGE: DuckLake plans but one action that changes or deletes rows, and runs them all."""

import asyncio
from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from local.bigquery.answers import Answer
from local.bigquery.array_paths import PathDialect
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward
from local.bigquery.statements import trees_of


class Merges:
    """Ask for the dry run of a MERGE of several actions action by action: each has to be sound."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on, or its parts one after the other until one is refused."""
        query = call.sql
        parts: list[str] = []
        if call.is_dry_run and "MERGE" in query.upper():
            parts = await asyncio.to_thread(lambda: list(_parts(query)))
        if len(parts) < 2:
            return await forward(call)
        answers = []
        for part in parts:
            answers.append(await forward(call.with_resource(_asking(call.resource, part))))
            if not answers[-1].is_success:
                break
        return answers[-1]

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _parts(sql: str) -> Iterator[str]:
    """Write a MERGE once for each action that changes or deletes rows, with all that it adds."""
    trees = trees_of(sql)
    if len(trees) != 1 or not isinstance(trees[0], exp.Merge):
        return
    actions = trees[0].args["whens"].expressions
    changing = [
        number for number, when in enumerate(actions) if not isinstance(when.args["then"], exp.Insert)
    ]
    for kept in changing:
        part = trees[0].copy()
        whens = part.args["whens"]
        chosen = [
            when for number, when in enumerate(whens.expressions) if number not in changing or number == kept
        ]
        whens.set("expressions", chosen)
        yield part.sql(dialect=PathDialect)


def _asking(resource: dict[str, Any], sql: str) -> dict[str, Any]:
    if "configuration" not in resource:
        return {**resource, "query": sql}
    configuration = resource["configuration"]
    return {**resource, "configuration": {**configuration, "query": {**configuration["query"], "query": sql}}}
