"""`make validate`: rules first, then tests, on an embedded BigQuery."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from cli.screen import Screen
from local.validating import FAILED, SUCCEEDED, validate

pytestmark = pytest.mark.usefixtures("no_server")

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "configs/setup/from_csv.yml"


def validated(file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    out = io.StringIO()
    console = Console(file=out, width=200)
    code = validate(file, Screen(out=console, error=console))
    return code, capsys.readouterr().out + out.getvalue()


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("de,2,5.7", "de,2,5.7", SUCCEEDED, "1 of 1 tests have passed"),
        ("de,2,5.7", "de,2,5.8", FAILED, 'unexpected: {"country": "de", "orders": 2, "tax": "5.7"}'),
        ("SUM(amount * rate)", "SUM(amount * much)", FAILED, "much"),
        ("step: taxes", "step: taxe", FAILED, "did you mean taxes?"),
    ],
)
def test_a_files_tests_are_run(
    old: str, new: str, code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "from_csv.yml"
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    ended, shown = validated(file, capsys)
    assert ended == code, shown
    assert told in shown
