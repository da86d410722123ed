"""DuckDB as the embedded BigQuery opens it: it has the wheels' extensions, and takes no others."""

from pathlib import Path

import duckdb
import pytest

from local.bigquery.duckdb_settings import EXTENSIONS, ConfiguredDuckDB


def test_the_extensions_of_the_wheels_are_loaded_and_others_are_refused(tmp_path: Path) -> None:
    nobodys = tmp_path / "nobodys.duckdb_extension"
    nobodys.write_bytes(b"\0" * 1024)
    with ConfiguredDuckDB(tmp_path / "duckdb", lambda _: None).connect() as connection:
        loaded = "SELECT extension_name FROM duckdb_extensions() WHERE loaded"
        names = {name for (name,) in connection.execute(loaded).fetchall()}
        assert set(EXTENSIONS) <= names
        for statement in (f"LOAD '{nobodys}'", "SET allow_unsigned_extensions = true"):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
        setting = "SELECT current_setting('allow_unsigned_extensions')"
        assert connection.execute(setting).fetchall() == [(False,)]
