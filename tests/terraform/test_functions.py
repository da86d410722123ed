"""Functions: folders, bundles, who may call them, what they are told."""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from common.settings import Settings
from scripts.bundle import bundle_hash, bundled_files
from tests.terraform.configuration import (
    MODULE,
    ROOT,
    all_resources,
    function_defaults,
    local_values,
    resources,
    source,
)

FUNCTIONS = {folder.name for folder in (ROOT / "functions").iterdir() if folder.name != "__pycache__"}
# What the contract's callers reach with an API key or the admin key.
PUBLIC = {"admin", "console", "onboarding", "pipelines"}
# What only the local platform sets.
LOCAL_ONLY = {
    "BIGQUERY_EMULATOR_HOST",
    "PUBSUB_EMULATOR_HOST",
    "CLOUD_SCHEDULER_EMULATOR_HOST",
    "STORAGE_EMULATOR_HOST",
    "NOTICES_REACH_LOOPBACK",
}


class Recorded(dict[str, str]):
    """An environment that remembers what was asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        self.asked: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


def test_each_folder_of_functions_is_deployed_and_nothing_else() -> None:
    assert set(function_defaults()) == FUNCTIONS


def test_each_function_has_a_bundle_of_its_entry_point_the_library_the_templates_and_the_lock() -> None:
    assert {folder.name for folder in (MODULE / "bundles").iterdir()} == FUNCTIONS
    for name in FUNCTIONS:
        held = {link.name: link.resolve() for link in (MODULE / "bundles" / name).iterdir()}
        assert held == {
            "main.py": ROOT / "functions" / name / "main.py",
            "common": ROOT / "common",
            "ps_templates": ROOT / "ps_templates",
            "requirements.txt": ROOT / "requirements" / "functions.txt",
        }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of all that is bundled."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("common", "functions", "ps_templates", "requirements", "terraform/bundles"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=ignored)
    return tmp_path


def hashes(project: Path) -> dict[str, str]:
    return {name: bundle_hash(bundled_files(project / "terraform/bundles" / name)) for name in FUNCTIONS}


def changed(project: Path, file: str) -> set[str]:
    """Change a file, and return whose bundles are others now."""
    before = hashes(project)
    (project / file).write_bytes((project / file).read_bytes() + b"\n")
    return {name for name, digest in hashes(project).items() if digest != before[name]}


def test_a_change_in_one_function_changes_its_bundle_alone(project: Path) -> None:
    assert changed(project, "functions/dispatcher/main.py") == {"dispatcher"}


@pytest.mark.parametrize("file", ["common/errors.py", "requirements/functions.txt"])
def test_a_change_in_what_is_shared_changes_every_bundle(project: Path, file: str) -> None:
    assert changed(project, file) == FUNCTIONS


def test_caches_and_hidden_files_are_in_no_bundle(project: Path) -> None:
    before = hashes(project)
    (project / "common" / "__pycache__").mkdir()
    (project / "common" / "__pycache__" / "errors.pyc").touch()
    (project / "common" / ".DS_Store").touch()
    assert hashes(project) == before


def test_the_public_functions_are_the_contracts() -> None:
    defaults = function_defaults()
    assert {name for name, settings in defaults.items() if settings["public"]} == PUBLIC


def test_everybody_may_call_the_public_functions_and_nothing_else() -> None:
    assert source().count("allUsers") == 3  # Once below, twice in the words "and never allUsers".
    assert "allAuthenticatedUsers" not in source()
    public = resources("google_cloud_run_v2_service_iam_member")["public"]
    assert (public["member"], public["for_each"]) == ("allUsers", "${local.public_functions}")


def test_private_functions_are_called_from_inside_the_project_by_accounts_of_their_own() -> None:
    callers = resources("google_cloud_run_v2_service_iam_member")
    assert callers["push"]["member"] == '${google_service_account.account["push"].member}'
    assert callers["scheduler"]["member"] == '${google_service_account.account["scheduler"].member}'
    function = resources("google_cloudfunctions2_function")["function"]
    ingress = function["service_config"][0]["ingress_settings"]
    assert ingress.endswith(': "ALLOW_INTERNAL_ONLY"}')


def environment_set() -> Iterator[str]:
    yield from local_values()["environment"]
    yield from ("PUBLIC_URL", "API_URL")  # Of each function's own environment, which is a comprehension.
    yield from (use["variable"] for use in local_values()["secret_uses"].values())


def test_functions_are_told_exactly_what_the_code_asks_for() -> None:
    # Without a job's name the code makes one up, for the local platform, from yet another variable.
    environment = Recorded({"GCP_PROJECT_ID": "p", "SCHEDULER_JOB": "projects/p/locations/l/jobs/j"})
    Settings.from_environment(environment)
    assert set(environment_set()) == environment.asked - LOCAL_ONLY


def test_each_function_has_a_thread_for_each_request_that_an_instance_is_sent() -> None:
    service = resources("google_cloudfunctions2_function")["function"]["service_config"][0]
    assert service["max_instance_request_concurrency"] == "${each.value.concurrency}"
    assert re.search(
        r"merge\(.*THREADS\s*[=:]\s*tostring\(each\.value\.concurrency\)", service["environment_variables"]
    )


def test_no_function_waits_for_an_event_trigger() -> None:
    function = resources("google_cloudfunctions2_function")["function"]
    assert "event_trigger" not in function
    assert function["build_config"][0]["runtime"] == "python313"


def test_each_secret_has_a_reader_and_is_read_by_no_other() -> None:
    uses = local_values()["secret_uses"]
    assert all(use["functions"] and set(use["functions"]) <= FUNCTIONS for use in uses.values())
    reader = resources("google_secret_manager_secret_iam_member")["reader"]
    assert reader["role"] == "roles/secretmanager.secretAccessor"
    assert reader["for_each"] == "${local.secret_readers}"
    accessors = [name for _, name, body in all_resources() if "secretAccessor" in str(body.get("role"))]
    assert accessors == ["reader"]


def test_secret_values_are_write_only() -> None:
    for version in resources("google_secret_manager_secret_version").values():
        assert "secret_data_wo" in version
        assert "secret_data" not in version
