"""DuckDB as the embedded BigQuery needs it: extensions from installed wheels, files in our folder.

`local_bigquery` opens its connections without settings. DuckDB then looks for extensions under HOME,
downloads what it misses, and spills into the working directory. `ConfiguredDuckDB` stands in for the
`duckdb` module in the one module of `local_bigquery` that opens connections: neither HOME nor the working
directory nor the network matters then.
"""

import importlib.util
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow  # type: ignore[import-untyped]

from local.bigquery.changes import Change
from local.bigquery.commits import Connection

EXTENSIONS = ("ducklake", "icu", "spatial")
Settings = dict[str, str | bool | int | float | list[str]]


class ConfiguredDuckDB:
    """The `duckdb` module, except that connections open with our settings and tell what they change."""

    def __init__(self, folder: Path, changed: Callable[[Change], None]) -> None:
        self._changed = changed
        self._settings: Settings = {
            "extension_directory": str(folder / "extensions"),
            "autoinstall_known_extensions": False,
            "allow_unsigned_extensions": True,  # Until ours are loaded.
            "threads": 1,  # The caller's own: tables are small, and several queries run at once.
            "temp_directory": str(folder / "spill"),
        }
        link_extensions(folder / "extensions")
        remember_missing_pandas()

    def connect(self, config: Settings | None = None) -> Connection:
        """Open an in-memory database with `config` over our settings; it commits to one lake at a time.

        Its extensions are those of the wheels, whose hashes are checked as they are installed: to check their
        140 MB once more, as DuckDB would each time, takes the greater part of a start.
        """
        connection = duckdb.connect(config={**self._settings, **(config or {})})
        for name in EXTENSIONS:
            connection.load_extension(name)
        connection.execute("SET allow_unsigned_extensions = false")
        return Connection(connection, self._changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(duckdb, name)


def link_extensions(directory: Path) -> None:
    """Fill `directory` as DuckDB's INSTALL would, by links to the wheels' files, which are 140 MB."""
    version = f"v{duckdb.__version__}"
    with duckdb.connect() as connection:
        [(platform,)] = connection.execute("PRAGMA platform").fetchall()
    target = directory / version / platform
    target.mkdir(parents=True, exist_ok=True)
    for name in EXTENSIONS:
        file_name = f"{name}.duckdb_extension"
        link = target / file_name
        link.unlink(missing_ok=True)
        link.symlink_to(Path(str(files(f"duckdb_extension_{name}"))) / "extensions" / version / file_name)


def remember_missing_pandas() -> None:
    """Let Python know at once that there is no pandas: DuckDB asks with each parameter that it binds.

    Python itself looks through all folders each time, which takes as long as the statement.
    """
    if "pandas" not in sys.modules and importlib.util.find_spec("pandas") is None:
        pyarrow.array([])  # It looks for pandas once, and takes the None below for a pandas.
        sys.modules["pandas"] = None  # type: ignore[assignment]
