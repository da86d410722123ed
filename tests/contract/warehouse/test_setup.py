"""Setting the central dataset up, mending it and recreating it, on the local BigQuery."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, cast

import pytest
from google.cloud import bigquery

from common.errors import Conflict, InvalidInput, NoSuchResource
from common.setup.bootstrap import Bootstrap, TableChange, ViewChange
from common.setup.readiness import StreamingReadiness
from common.setup.recreation import Backups, Recreation
from common.setup.tables import Column, Shape, TableDefinition, central_tables
from common.setup.views import ViewDefinition, central_views
from common.times import utc_now
from common.warehouse.access import AccessLists, AuthorizedViews
from common.warehouse.backups import CentralBackups
from common.warehouse.bigquery import Central
from common.warehouse.datasets import Datasets
from common.warehouse.setup import CentralTables
from common.warehouse.streaming import CentralStreamTargets
from common.warehouse.tenant_datasets import ViewsOfTenants

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LOG = TableDefinition(
    name="log",
    description='A log, "quoted" and with a $sign.',
    shape=Shape(
        columns=(
            Column(name="tenant_id", type="STRING", mode="REQUIRED", description="Whose."),
            Column(name="start_time", type="TIMESTAMP", mode="REQUIRED", description="When."),
            Column(name="amount", type="INTEGER", mode="NULLABLE", description="How much."),
            Column(name="words", type="STRING", mode="REPEATED", description="Which."),
            Column(name="details", type="JSON", mode="NULLABLE", description="What else."),
        ),
        partition="start_time",
        cluster=("tenant_id",),
    ),
)
SETTINGS = TableDefinition(
    name="settings",
    description="Settings.",
    shape=Shape(columns=(Column(name="name", type="STRING", mode="REQUIRED", description="Which."),)),
)
VIEW = ViewDefinition(
    name="log_view",
    text="""CREATE OR REPLACE VIEW `${project}.${dataset}.log_view`
OPTIONS (labels = [('definition', '${definition}')]) AS SELECT * FROM `${project}.${dataset}.log`""",
)
ROW: dict[str, Any] = {
    "tenant_id": "acme",
    "start_time": "2026-01-30T10:00:00Z",
    "amount": 7,
    "words": ["a", "b"],
    "details": '{"k": 1}',
}

_names = count(1)


class SmallPlatform:
    """A central dataset of a table and a view, or of two tables: what is true of them is true of eleven."""

    def __init__(self, central: Central) -> None:
        self.central = replace(central, dataset=f"central_{next(_names)}")
        self.tables = CentralTables(central=self.central)
        self.backups = CentralBackups(central=self.central)
        self._moments = (NOON + timedelta(seconds=second) for second in count())

    def bootstrap(
        self,
        *definitions: TableDefinition,
        backups: Backups | None = None,
        view: ViewDefinition = VIEW,
        **options: Any,
    ) -> Any:
        """Run a bootstrap with other definitions than last time, perhaps."""
        known = definitions or (LOG,)
        recreation = Recreation(
            backups=backups or self.backups,
            dataset=self.central.dataset,
            clock=lambda: next(self._moments),
            definitions=known,
            views=(view,),
        )
        return Bootstrap(
            central=self.tables,
            tenant_views=ViewsOfTenants(central=self.central),
            recreation=recreation,
            readiness=StreamingReadiness(
                targets=CentralStreamTargets(central=self.central, clock=utc_now),
                clock=utc_now,
                new_id=lambda: f"{next(_names)}",
            ),
            definitions=known,
            views=(view,),
        ).run(**options)

    def insert(self, table: str = "log", **values: Any) -> None:
        """Append a row."""
        row = (ROW if table == "log" else {}) | values
        assert self.central.client.insert_rows_json(self.central.table(table), [row]) == []

    def rows(self, table: str = "log") -> list[dict[str, Any]]:
        """Read all rows."""
        return [dict(row.items()) for row in self.central.client.list_rows(self.central.table(table))]

    @property
    def confirm(self) -> str:
        return f"{self.central.project}.{self.central.dataset}"


@pytest.fixture
def platform(bootstrapped: Central) -> Iterator[SmallPlatform]:
    platform = SmallPlatform(bootstrapped)
    yield platform
    # The local BigQuery is the slower the more tables it has.
    datasets = Datasets(central=bootstrapped)
    names = [str(dataset.dataset_id) for dataset in bootstrapped.client.list_datasets()]
    for name in names:
        if name.startswith(platform.central.dataset):
            datasets.delete(name, with_contents=True)


def test_the_platform_is_set_up_from_its_files_and_a_repeat_changes_nothing(bootstrapped: Central) -> None:
    tables = CentralTables(central=bootstrapped)
    for definition in central_tables():
        assert tables.find_shape(definition.name) == definition.shape
        assert tables.create_table(definition) is False
    assert {tables.put_view(view) for view in central_views()} == {ViewChange.UNCHANGED}
    assert tables.create() is False
    assert sorted(tables.table_names()) == [definition.name for definition in central_tables()]


@pytest.fixture(scope="module")
def set_up(bootstrapped: Central) -> SmallPlatform:
    """Set a platform up for tests that leave its tables as they are."""
    platform = SmallPlatform(bootstrapped)
    platform.bootstrap()
    return platform


def test_a_bootstrap_says_what_it_made_and_found_and_which_views_it_replaced(
    platform: SmallPlatform,
) -> None:
    first = platform.bootstrap(LOG, SETTINGS)
    assert first.dataset_created
    assert (first.tables_created, first.views_created) == (["log", "settings"], ["log_view"])
    second = platform.bootstrap(LOG, SETTINGS)
    assert not second.dataset_created
    assert (second.tables_created, second.tables_existed) == ([], ["log", "settings"])
    assert second.views_created == second.views_updated == second.tables_changed == second.drift == []
    assert second.total_tables == 2
    changed = replace(VIEW, text=f"{VIEW.text} WHERE amount > 0")
    assert platform.bootstrap(view=changed).views_updated == ["log_view"]
    assert platform.bootstrap(view=changed).views_updated == []


def with_columns(definition: TableDefinition, *columns: Column, without: str = "") -> TableDefinition:
    """Return a definition with more columns, or without one."""
    kept = tuple(column for column in definition.shape.columns if column.name != without)
    return replace(definition, shape=replace(definition.shape, columns=(*kept, *columns)))


def test_a_new_column_is_added_and_its_table_keeps_its_rows(platform: SmallPlatform) -> None:
    platform.bootstrap()
    platform.insert()
    wider = with_columns(LOG, Column(name="note", type="STRING", mode="NULLABLE", description="New."))
    report = platform.bootstrap(wider)
    assert report.tables_changed == [TableChange(table="log", added_columns=("note",), relaxed_columns=())]
    assert report.views_updated == ["log_view"]
    assert [row["note"] for row in platform.rows()] == [None]
    platform.insert(note="here")
    assert platform.bootstrap(wider).tables_changed == []


def test_a_new_required_column_is_added_as_nullable_and_reported_until_recreation(
    platform: SmallPlatform,
) -> None:
    platform.bootstrap()
    wider = with_columns(LOG, Column(name="note", type="STRING", mode="REQUIRED", description="New."))
    first, second = platform.bootstrap(wider), platform.bootstrap(wider)
    assert first.tables_changed[0].added_columns == ("note",)
    assert second.tables_changed == []
    assert "log: note: NULLABLE in the table, REQUIRED in the definition" in second.drift[0]


def test_what_cannot_be_mended_in_place_is_reported_and_left(set_up: SmallPlatform) -> None:
    narrower = with_columns(LOG, Column(name="amount", type="STRING", mode="NULLABLE"), without="amount")
    narrower = with_columns(narrower, without="details")
    report = set_up.bootstrap(narrower)
    assert report.tables_changed == []
    assert [line.partition(";")[0] for line in report.drift] == [
        "log: amount: INTEGER in the table, STRING in the definition",
        "log: details: in the table, not in the definition",
    ]
    assert "see drift" in report.message


def test_recreated_tables_keep_their_rows_and_leave_a_backup(platform: SmallPlatform) -> None:
    platform.bootstrap(LOG, SETTINGS)
    platform.insert()
    before = platform.rows()
    report = platform.bootstrap(LOG, SETTINGS, force_recreate_tables=True)
    assert report.tables_recreated == ["log", "settings"]
    log = report.backed_up[0]
    assert (log.rows, log.rows_restored) == (1, 1)
    assert platform.rows() == before
    assert platform.tables.find_shape("log") == LOG.shape
    platform.insert()
    assert len(platform.rows()) == 2
    assert platform.backups.find_open_backups() == []
    assert platform.backups.compare("log", log.backup.partition(".")[0]).backup == 1


def test_rows_that_do_not_fit_the_new_table_stay_in_the_backup(platform: SmallPlatform) -> None:
    platform.bootstrap()
    platform.insert(amount=7)
    platform.insert(amount=None)
    strict = with_columns(LOG, Column(name="amount", type="STRING", mode="REQUIRED"), without="amount")
    report = platform.bootstrap(strict, force_recreate_tables=True)
    assert (report.backed_up[0].rows, report.backed_up[0].rows_restored) == (2, 1)
    assert [row["amount"] for row in platform.rows()] == ["7"]
    assert "in the backup only" in report.message
    assert report.drift == []


def test_a_table_of_another_layout_is_recreated_too(platform: SmallPlatform) -> None:
    platform.bootstrap()
    platform.insert()
    relaid = replace(LOG, shape=replace(LOG.shape, partition="", cluster=("tenant_id", "amount")))
    assert len(platform.bootstrap(relaid).drift) == 2
    assert platform.bootstrap(relaid, force_recreate_tables=True).drift == []
    assert platform.tables.find_shape("log") == relaid.shape
    assert len(platform.rows()) == 1


def test_the_dataset_is_recreated_only_by_its_full_name(set_up: SmallPlatform) -> None:
    made = set_up.central.client.get_table(set_up.central.table("log")).created
    for confirm in ("", "tenants", set_up.confirm.upper()):
        with pytest.raises(InvalidInput, match="/confirm"):
            set_up.bootstrap(force_recreate_dataset=True, confirm=confirm)
    assert set_up.central.client.get_table(set_up.central.table("log")).created == made


def test_a_recreated_dataset_has_all_again_and_tables_that_no_definition_knows(
    platform: SmallPlatform,
) -> None:
    platform.bootstrap(LOG, SETTINGS)
    platform.insert()
    platform.insert("settings", name="precious")
    authorize(platform)
    report = platform.bootstrap(LOG, force_recreate_dataset=True, confirm=platform.confirm)
    assert report.dataset_created
    assert report.views_created == ["log_view"]
    assert [row["tenant_id"] for row in platform.rows()] == ["acme"]
    assert platform.rows("settings") == [{"name": "precious"}]
    assert "acme_view" in authorized_views(platform)


def test_a_view_that_no_file_knows_keeps_the_dataset_from_being_dropped(set_up: SmallPlatform) -> None:
    text = VIEW.text.replace("log_view", "my_view")
    set_up.tables.put_view(ViewDefinition(name="my_view", text=text))
    with pytest.raises(Conflict, match="my_view"):
        set_up.bootstrap(force_recreate_dataset=True, confirm=set_up.confirm)


class Death(BaseException):
    """The end of a process."""


class Dying:
    """Backups whose process dies right after the call of that name."""

    def __init__(self, backups: CentralBackups, name: str) -> None:
        self._backups, self._name = backups, name

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._backups, name)
        return partial(self._die, call) if name == self._name else call

    def _die(self, call: Callable[..., Any], *arguments: Any) -> None:
        call(*arguments)
        raise Death


def test_a_recreation_that_dies_is_finished_by_the_next_bootstrap(platform: SmallPlatform) -> None:
    platform.bootstrap(LOG, SETTINGS)
    platform.insert()
    platform.insert("settings", name="precious")
    authorize(platform)
    backups = cast("Backups", Dying(platform.backups, "restore"))
    with pytest.raises(Death):
        platform.bootstrap(
            LOG, SETTINGS, backups=backups, force_recreate_dataset=True, confirm=platform.confirm
        )
    platform.bootstrap(LOG, SETTINGS)
    assert [row["tenant_id"] for row in platform.rows()] == ["acme"]
    assert platform.rows("settings") == [{"name": "precious"}]
    assert "acme_view" in authorized_views(platform)
    assert platform.backups.find_open_backups() == []


class Busy(CentralBackups):
    """Backups of a table that gets a row whenever it has been copied."""

    def back_up(self, table: str, backup: str) -> None:
        super().back_up(table, backup)
        self.central.client.insert_rows_json(self.central.table("log"), [ROW])


def test_rows_that_keep_arriving_stop_a_recreation_before_it_touches_anything(
    platform: SmallPlatform,
) -> None:
    platform.bootstrap()
    with pytest.raises(Conflict, match="rows keep arriving in log"):
        platform.bootstrap(backups=Busy(central=platform.central), force_recreate_tables=True)
    assert len(platform.rows()) == 3
    assert platform.backups.find_open_backups() == []


def test_two_that_authorize_at_once_both_succeed(platform: SmallPlatform) -> None:
    platform.bootstrap()
    pauses: list[float] = []
    datasets = RacingDatasets(central=platform.central)
    AuthorizedViews(lists=AccessLists(datasets=datasets, sleep=pauses.append)).authorize("acme", "acme_view")
    assert authorized_views(platform) == {"acme_view", "other_view"}
    assert len(pauses) == 1


class RacingDatasets(Datasets):
    """Datasets whose first reader is overtaken by a writer."""

    def find(self, name: str) -> bigquery.Dataset | None:
        found = super().find(name)
        plain = Datasets(central=self.central)
        if found and not any(entry.entity_type == "view" for entry in found.access_entries):
            AuthorizedViews(lists=AccessLists(datasets=plain)).authorize("umbra", "other_view")
        return found


def authorize(platform: SmallPlatform) -> None:
    """Let a view of a tenant read the central dataset."""
    AuthorizedViews(lists=AccessLists(datasets=Datasets(central=platform.central))).authorize(
        "acme", "acme_view"
    )


def authorized_views(platform: SmallPlatform) -> set[str]:
    """Name the views that may read the central dataset."""
    dataset = Datasets(central=platform.central).find(platform.central.dataset)
    assert dataset
    return {entry.entity_id["tableId"] for entry in dataset.access_entries if entry.entity_type == "view"}


def test_authorizing_and_revoking_twice_is_once(platform: SmallPlatform) -> None:
    platform.bootstrap()
    views = AuthorizedViews(lists=AccessLists(datasets=Datasets(central=platform.central)))
    for _ in range(2):
        views.authorize("acme", "acme_view")
    assert authorized_views(platform) == {"acme_view"}
    for _ in range(2):
        views.revoke("acme", "acme_view")
    assert authorized_views(platform) == set()


def test_nothing_is_authorized_on_a_dataset_that_is_not_there(platform: SmallPlatform) -> None:
    with pytest.raises(NoSuchResource):
        AuthorizedViews(lists=AccessLists(datasets=Datasets(central=platform.central))).authorize(
            "acme", "acme_view"
        )
