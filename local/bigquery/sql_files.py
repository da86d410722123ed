"""SQL that the local BigQuery itself runs on DuckDB, one statement per file."""

from functools import cache
from importlib.resources import files


@cache
def _text(name: str) -> str:
    return (files("local.bigquery") / "sql" / f"{name}.sql").read_text()


def sql(name: str, **identifiers: str) -> str:
    """Return the statement in `name`.sql with each `${...}` replaced by its already quoted identifier."""
    text = _text(name)
    for placeholder, quoted in identifiers.items():
        text = text.replace("${" + placeholder + "}", quoted)
    return text
