"""docs/benchmarks.md and its plots say what was measured, and nothing else."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench.peers.document import DOCUMENT, WALL, documents
from tests.bench.peers.measuring import Measured
from tests.bench.peers.plots import bars
from tests.bench.peers.processes import usage_of_session
from tests.bench.peers.results import Part, Results, Row
from tests.bench.peers.work import Shape, Table, Work

SCRIPT = Measured(seconds=2.0, requests=8, jobs=2, cpu_seconds=0.5, peak_mib=100.0, start_seconds=0.25)


def test_the_page_and_its_plots_are_what_the_results_make_of_them() -> None:
    for file, text in documents(Results.read()).items():
        assert file.read_text(encoding="utf-8") == text, f"{file.name} was changed: run make bench-peers"


def test_another_figure_makes_another_page() -> None:
    kept = Results.read()
    first, *others = kept.rows
    changed = documents(replace(kept, rows=[replace(first, wall=77.7), *others]))
    assert "77.7" in changed[DOCUMENT]
    assert "77.7" in changed[WALL]


def test_a_row_compares_with_the_script_of_the_same_round() -> None:
    slow = replace(SCRIPT, seconds=4.0)
    pairs = [
        (replace(SCRIPT, seconds=3.0, cpu_seconds=1.0), SCRIPT),
        (replace(SCRIPT, seconds=4.0, cpu_seconds=1.0), slow),
        (replace(SCRIPT, seconds=9.0, cpu_seconds=1.0, requests=9), SCRIPT),
    ]
    row = Row.of("peer", "2x1", 1.0, pairs)
    assert (row.wall, row.cpu, row.memory, row.start) == (1.5, 2.0, 1.0, 1.0)
    assert (row.requests, row.jobs, row.rounds) == (9, 2, 3)


def test_what_a_part_hands_over_is_what_is_taken_over(tmp_path: Path) -> None:
    part = Part(rows=[Row.of("peer", "2x1", 1.0, [(SCRIPT, SCRIPT)])], admissions=[], failed={}, repeated=1)
    part.write(tmp_path / "part.json")
    assert Part.read(tmp_path / "part.json") == part


def test_a_plot_is_a_picture_with_a_bar_for_each_value() -> None:
    drawing = bars("A < B", {"4x5": {"one": 1.0, "two": 2.5}}, ("one", "two", "three"))
    tree = ElementTree.fromstring(drawing)  # noqa: S314 - it was drawn here
    drawn = [one for one in tree.iter() if one.tag.endswith("rect") and one.get("x")]
    widths = [float(one.get("width", 0)) for one in drawn]
    assert len(widths) == 2
    assert widths[1] / widths[0] == pytest.approx(2.5, abs=0.01)


def test_each_step_reads_what_the_one_above_it_makes(tmp_path: Path) -> None:
    shape = Shape.read("2x3")
    assert (shape.name, shape.tables) == ("2x3", 6)
    assert Table(level=2, step=3).source == "s1_3"
    file = Work(shape=shape, project="p", dataset="d", url="u").write(tmp_path / "work.json")
    assert "SELECT n + 1 AS n FROM `p.d.s1_3`" in file.read_text(encoding="utf-8")


def test_a_session_that_is_not_there_uses_nothing() -> None:
    used = usage_of_session(-1)
    assert (used.cpu_seconds, used.peak_mib) == (0.0, 0.0)
