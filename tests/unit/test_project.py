"""The project's own rules, as far as no linter knows them. Each rule is tried on a sample that breaks it."""

import ast
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("cli", "common", "functions", "local")
MAX_MODULE_LINES = 300
MADE = re.compile(r"\..*|__pycache__$|build$")  # Folders that tools make.

type Rule = Callable[[str], list[str]]


def project_files(suffix: str = "", within: tuple[str, ...] = ("",)) -> Iterator[Path]:
    """List what is in the repository, or would be: no links, caches, environments, builds or local data."""
    for top in within:
        for folder, children, names in os.walk(ROOT / top):
            children[:] = [
                c for c in children if c == ".ci" or not c.startswith((".", "__pycache__", "build"))
            ]
            paths = (Path(folder, name) for name in names if name.endswith(suffix))
            yield from (path for path in paths if not path.is_symlink())


def offences(rule: Rule, paths: Iterator[Path]) -> list[str]:
    """Apply a rule to each text file and name what breaks it, as `path: what`."""
    found = []
    for path in sorted(paths):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # An image.
            continue
        found += [f"{path.relative_to(ROOT)}: {what}" for what in rule(text)]
    return found


# Modules


def excess_lines(text: str) -> list[str]:
    """Name the length of a module that no longer fits in the head."""
    lines = len(text.splitlines())
    return [f"{lines} lines"] if lines > MAX_MODULE_LINES else []


def test_no_module_has_more_than_300_lines() -> None:
    assert offences(excess_lines, project_files(".py", within=CODE)) == []


def test_a_module_of_301_lines_is_too_long() -> None:
    assert excess_lines("pass\n" * 300) == []
    assert excess_lines("pass\n" * 301) == ["301 lines"]


def surplus_files(functions: Path) -> list[str]:
    """Name what a function's folder holds beside its entry point."""
    folders = [folder for folder in functions.glob("*/") if folder.name != "__pycache__"]
    files = [file.relative_to(functions) for folder in folders for file in folder.iterdir()]
    return sorted(str(file) for file in files if file.name not in ("main.py", "__pycache__"))


def test_a_function_folder_holds_main_py_alone() -> None:
    assert surplus_files(ROOT / "functions") == []


def test_a_second_file_in_a_function_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "admin").mkdir()
    (tmp_path / "admin" / "main.py").touch()
    (tmp_path / "admin" / "routes.py").touch()
    assert surplus_files(tmp_path) == ["admin/routes.py"]


# SQL

SQL_COMMENT_OR_LITERAL = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`", re.DOTALL
)
SQL_MUTATION = re.compile(r"\b(?:UPDATE|DELETE|MERGE|TRUNCATE)\b", re.IGNORECASE)
SQL_STATEMENT = re.compile(
    r"\s*(?:SELECT\s.*\sFROM\s|WITH\s+\w+\s+AS\s*\(|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|MERGE\s+INTO\s"
    r"|(?:CREATE|DROP|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:TABLE|VIEW|SCHEMA)\s|BEGIN\s+TRANSACTION\b)",
    re.DOTALL,
)


def mutations(sql: str) -> list[str]:
    """Name the keywords that change rows: BigQuery runs but two such statements per table at once."""
    return SQL_MUTATION.findall(SQL_COMMENT_OR_LITERAL.sub(" ", sql))


def test_no_statement_changes_rows_of_a_shared_table() -> None:
    shared = project_files(".sql", within=("common", "ps_templates/setup"))
    assert offences(mutations, shared) == []


@pytest.mark.parametrize(
    "sql", ["UPDATE t SET a = 1", "delete from t", "MERGE t USING s ON TRUE", "TRUNCATE TABLE t"]
)
def test_a_statement_that_changes_rows_is_found(sql: str) -> None:
    assert len(mutations(f"-- Change.\n{sql}")) == 1


def test_words_in_comments_literals_and_names_change_nothing() -> None:
    assert (
        mutations("-- No UPDATE.\nINSERT INTO `a.delete.b` SELECT 'MERGE', last_update FROM t /* DELETE */")
        == []
    )


def missing_header(sql: str) -> list[str]:
    """Name which of its two opening lines a statement lacks: its purpose, its parameters."""
    purpose, parameters = [*sql.splitlines(), "", ""][:2]
    found = []
    if not re.match(r"-- (?!Parameters:)\S", purpose):
        found.append("line 1 does not say the purpose: `-- ...`")
    if not re.match(r"-- Parameters: \S", parameters):
        found.append("line 2 does not name the parameters: `-- Parameters: ...`, or none")
    return found


def test_each_sql_file_opens_with_its_purpose_and_its_parameters() -> None:
    assert offences(missing_header, project_files(".sql")) == []


@pytest.mark.parametrize(
    ("sql", "violations"),
    [
        ("-- Read one row.\n-- Parameters: none\nSELECT 1", 0),
        ("-- Read one row.\nSELECT 1", 1),
        ("-- Parameters: none\nSELECT 1", 2),
        ("", 2),
    ],
)
def test_a_missing_opening_line_is_found(sql: str, violations: int) -> None:
    assert len(missing_header(sql)) == violations


def sql_strings(python: str) -> list[str]:
    """Name the lines where a string, formatted or not, is a statement. Bare strings are documentation."""
    tree = ast.parse(python)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [node for node in ast.walk(tree) if id(node) not in documentation and is_sql(node)]
    return sorted({f"line {node.lineno} is SQL" for node in strings if isinstance(node, ast.expr)})


def is_sql(node: ast.AST) -> bool:
    """Tell whether a string literal or f-string reads like a whole statement."""
    match node:
        case ast.Constant(value=str(text)):
            return SQL_STATEMENT.match(text + " ") is not None
        case ast.JoinedStr(values=parts):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "_" for part in parts)
            return SQL_STATEMENT.match(text + " ") is not None
    return False


def test_sql_lives_in_sql_files_alone() -> None:
    assert offences(sql_strings, project_files(".py", within=CODE)) == []


@pytest.mark.parametrize(
    "python",
    [
        'run(f"SELECT {columns} FROM {table}")',
        'run("SELECT * FROM %s" % table)',
        'run("DELETE FROM {}".format(table))',
        'run("INSERT INTO t (a) VALUES (1)")',
        'QUERY = """\nWITH rows AS (SELECT 1) SELECT * FROM rows"""',
    ],
)
def test_sql_in_python_is_found(python: str) -> None:
    assert sql_strings(python) == ["line 1 is SQL"]


def test_prose_about_sql_and_the_empty_claim_are_no_sql_in_python() -> None:
    assert (
        sql_strings('"""SELECT a FROM b is read here."""\nrun("SELECT 1")\nfail(f"SELECT only, not {kind}")')
        == []
    )


# Words

FORBIDDEN = {  # Spelled so that no pattern matches itself.
    "unfinished work": (re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b"), "later: TO" + "DO"),
    "a package registry": (
        re.compile(r"\bpyp[i]\.org|pythonhos[t]ed\.|\bnpmj[s]\."),
        "files.pythonhos" + "ted.org",
    ),
    "a mock, not a fake": (
        re.compile(r"\bunittest[.]mock|\bMagic[M]ock\b"),
        "from unittest" + ".mock import patch",
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_file_holds(name: str) -> None:
    pattern, sample = FORBIDDEN[name]
    assert pattern.search(sample)
    assert offences(pattern.findall, project_files()) == []


# Words

RETIRED = re.compile(r"\b(?:whoever|lexemes?|discreet(?:ly)?|confines|lanes?|settlements?)\b", re.IGNORECASE)
"""Words that the field does not use, and the one that names no actor."""


@pytest.mark.parametrize("suffix", [".py", ".md"])
def test_contracts_and_pages_use_the_fields_words_and_name_the_actor(suffix: str) -> None:
    assert RETIRED.findall("Whoever takes the lane is settled by no settlement.") == [
        "Whoever",
        "lane",
        "settlement",
    ]
    told = ("cli", "common", "docs", "functions", "ps_templates")
    assert offences(RETIRED.findall, project_files(suffix, within=told)) == []


# Links

MARKDOWN_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
MARKDOWN_LINK = re.compile(r"\]\(([^)\s]+)\)")
MARKDOWN_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors(markdown: str) -> set[str]:
    """List the anchors of the headings: in lower case, without punctuation, hyphens for spaces."""
    headings = MARKDOWN_HEADING.findall(markdown)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(document: Path) -> list[str]:
    """Name the relative links of a document that lead to no file, or to no heading."""
    links = MARKDOWN_LINK.findall(MARKDOWN_CODE.sub("", document.read_text(encoding="utf-8")))
    return [link for link in links if not re.match(r"\w+:", link) and not is_alive(document, link)]


def is_alive(document: Path, link: str) -> bool:
    """Tell whether a relative link leads to something."""
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


def test_each_link_in_the_documentation_leads_somewhere() -> None:
    dead = [
        f"{doc.relative_to(ROOT)}: {link}" for doc in sorted(project_files(".md")) for link in dead_links(doc)
    ]
    assert dead == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text(
        "# One Way\n[a](README.md#one-way) [b](#one-way) [c](https://example.com) `[d](no.md)`\n"
        "[e](gone.md) [f](#another-way)\n",
        encoding="utf-8",
    )
    assert dead_links(document) == ["gone.md", "#another-way"]


# Dependencies

PIN = re.compile(r"^([a-z0-9-]+==\S+)(?: ; .*?)? \\\n    --hash=sha256:", re.MULTILINE)


def pins(lock: str) -> set[str]:
    """List a lock's `name==version` lines that carry a hash."""
    return set(PIN.findall((ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")))


def test_the_sets_are_layers_of_one_another() -> None:
    assert pins("functions") < pins("local") < pins("development")
    assert pins("cli") < pins("development")


def test_the_package_asks_for_what_the_command_lines_set_names() -> None:
    listed = (ROOT / "requirements" / "cli.in").read_text(encoding="utf-8").splitlines()
    named = {line.strip() for line in listed if re.match(r"[a-z]", line)}
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert named == set(asked)


def test_deployed_functions_carry_no_data_frames() -> None:
    names = {pin.partition("==")[0] for pin in pins("functions")}
    assert "google-cloud-bigquery" in names
    assert names.isdisjoint({"duckdb", "google-cloud-bigquery-storage", "numpy", "pandas", "pyarrow"})


@pytest.mark.parametrize("lock", ["functions", "local", "cli", "development", "checkov"])
def test_each_locked_package_has_a_hash_and_no_source_of_its_own(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    packages = [line for line in text.splitlines() if re.match(r"[a-z]", line)]
    assert len(packages) == len(PIN.findall(text))
    assert not re.search(r"://|^--", text, re.MULTILINE)
