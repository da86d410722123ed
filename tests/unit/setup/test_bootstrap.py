"""Bootstrap and recreation, cut off at every point where a process can die."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.at_once import one_by_one
from common.errors import Conflict
from common.setup.bootstrap import Bootstrap, BootstrapReport
from common.setup.readiness import StreamingReadiness
from common.setup.recreation import Recreation
from common.setup.tables import Column, Shape, TableDefinition, central_tables
from common.setup.views import ViewDefinition, central_views, in_waves
from tests.fakes.clock import VirtualClock
from tests.fakes.setup import MemoryTable, MemoryWarehouse

NAME = Column(name="name", type="STRING", mode="REQUIRED", description="Which.")
TABLES = tuple(
    TableDefinition(name=name, description="A table.", shape=Shape(columns=(NAME,)))
    for name in ("one", "two")
)
CONFIRM = "project.tenants"


class Death(BaseException):
    """The end of a process."""


class Platform:
    """A warehouse in memory over a clock."""

    def __init__(self) -> None:
        self.warehouse = MemoryWarehouse(self._at)
        self.clock = VirtualClock()
        self.points: list[str] = []
        self.trouble: Callable[[str], None] = lambda _point: None

    def bootstrap(self, definitions: tuple[TableDefinition, ...] = TABLES, **options: Any) -> BootstrapReport:
        """Run a bootstrap, a second after the last one."""
        self.clock.advance(timedelta(seconds=1))
        recreation = Recreation(
            backups=self.warehouse, dataset="tenants", clock=self.clock, definitions=definitions
        )
        return Bootstrap(
            central=self.warehouse,
            tenant_views=self.warehouse,
            recreation=recreation,
            readiness=StreamingReadiness(
                targets=self.warehouse,
                clock=self.clock,
                new_id=lambda: "1",
                sleep=self.clock.sleep,
                at_once=one_by_one,
            ),
            definitions=definitions,
            at_once=one_by_one,
        ).run(**options)

    def fill(self) -> None:
        """Give each table a row, and the dataset a reader of its own."""
        for name, table in self.warehouse.central.tables.items():
            table.rows.append({"name": f"row of {name}"})
        self.warehouse.central.readers.add("view of acme")

    def rows(self) -> dict[str, list[str]]:
        """Read all rows."""
        return {name: [row["name"] for row in t.rows] for name, t in self.warehouse.central.tables.items()}

    def _at(self, point: str) -> None:
        self.points.append(point)
        self.trouble(point)


@pytest.fixture
def platform() -> Platform:
    platform = Platform()
    platform.bootstrap()
    platform.fill()
    platform.points.clear()
    return platform


FILLED = {"one": ["row of one"], "two": ["row of two"]}


def test_the_real_files_make_eleven_tables_the_audit_log_and_nine_views() -> None:
    report = Platform().bootstrap(central_tables())
    assert report.total_tables == len(report.tables_created) == 12
    assert len(report.views_created) == 9
    assert report.message == "12 central tables are in place, 12 of them new."


def test_a_repeat_changes_nothing(platform: Platform) -> None:
    report = platform.bootstrap()
    assert report == BootstrapReport(tables_existed=["one", "two"])
    assert platform.rows() == FILLED


def test_a_bootstrap_that_died_is_finished_by_the_next(platform: Platform) -> None:
    del platform.warehouse.datasets["tenants"]
    deaths = 0
    for number in range(1, 100):
        platform.trouble = die_at(number)
        try:
            platform.bootstrap()
        except Death:
            deaths += 1
        else:
            break
    assert deaths > 10
    assert list(platform.warehouse.central.tables) == ["one", "two"]
    assert len(platform.warehouse.central.views) == len(central_views())


@pytest.mark.parametrize("options", [{"force_recreate_tables": True},
                                     {"force_recreate_dataset": True, "confirm": CONFIRM}])  # fmt: skip
def test_a_recreation_that_dies_anywhere_loses_nothing(options: dict[str, Any]) -> None:
    number, is_over = 0, False
    while not is_over:
        number += 1
        platform = Platform()
        platform.bootstrap()
        platform.fill()
        platform.trouble = die_at(number)
        try:
            platform.bootstrap(**options)
            is_over = True
        except Death:
            pass
        platform.trouble = lambda _point: None
        platform.bootstrap()
        assert platform.rows() == FILLED, platform.points
        assert "view of acme" in platform.warehouse.central.readers
        assert platform.warehouse.find_open_backups() == []
    assert number > 15


def die_at(number: int) -> Callable[[str], None]:
    """Return trouble that kills the process at the numbered point."""
    passed = 0

    def trouble(_point: str) -> None:
        nonlocal passed
        passed += 1
        if passed == number:
            raise Death

    return trouble


def test_the_newest_of_several_open_backups_knows_a_table_best(platform: Platform) -> None:
    for backup, text in (("tenants_backup_1", "old"), ("tenants_backup_2", "new")):
        platform.warehouse.open_backup(backup)
        table = MemoryTable(shape=TABLES[0].shape, rows=[{"name": text}])
        platform.warehouse.datasets[backup].tables["one"] = table
    del platform.warehouse.central.tables["one"]
    platform.bootstrap()
    assert platform.rows() == {"one": ["new"], "two": ["row of two"]}


def test_rows_that_do_not_fit_are_reported_and_stay_in_the_backup(platform: Platform) -> None:
    strict = replace(TABLES[0], shape=Shape(columns=(NAME, replace(NAME, name="must"))))
    report = platform.bootstrap((strict, TABLES[1]), force_recreate_tables=True)
    one = report.backed_up[0]
    assert (one.rows, one.rows_restored, one.rows_left_behind) == (1, 0, 1)
    dataset, _, table = one.backup.partition(".")
    assert platform.warehouse.datasets[dataset].tables[table].rows == [{"name": "row of one"}]
    assert "in the backup only" in report.message


def test_two_recreations_in_one_second_are_a_conflict(platform: Platform) -> None:
    def second_comes(point: str) -> None:
        if point == "before open":
            platform.trouble = lambda _point: None
            platform.clock.advance(-timedelta(seconds=1))
            platform.bootstrap(force_recreate_tables=True)

    platform.trouble = second_comes
    with pytest.raises(Conflict):
        platform.bootstrap(force_recreate_tables=True)
    assert platform.rows() == FILLED


def test_views_of_tenants_that_are_left_are_told(platform: Platform) -> None:
    platform.warehouse.outdated = 3
    report = platform.bootstrap()
    assert report.tenant_views.left == 3
    assert "3 views of tenants have their old text: repeat the call." in report.message


def a_view(name: str, *reads: str) -> ViewDefinition:
    return ViewDefinition(name=name, text=f"CREATE VIEW {name} AS SELECT * FROM {', '.join(reads)}")


def test_views_are_made_at_once_each_after_those_that_it_reads() -> None:
    views = [a_view("all_of_it", "runs", "late_runs"), a_view("late_runs", "runs"), a_view("runs", "t")]
    views.append(a_view("runs_of_a_day", "t"))
    waves = [[view.name for view in wave] for wave in in_waves(views)]
    assert waves == [["runs", "runs_of_a_day"], ["late_runs"], ["all_of_it"]]
    names = [[view.name for view in wave] for wave in in_waves(central_views())]
    assert [len(wave) for wave in names] == [len(central_views()) - 1, 1]


def test_views_that_name_each_other_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="one, two"):
        list(in_waves([a_view("one", "two"), a_view("two", "one")]))
