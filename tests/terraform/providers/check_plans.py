"""The module is valid, passes its own tests on mocked providers, and plans each example without a cloud."""

import json
import sys
from collections.abc import Iterator
from zipfile import ZipFile

import pytest

from scripts.bundle import bundle_hash, bundled_files
from tests.terraform.configuration import MODULE, blocks, parse
from tests.terraform.providers.workspace import ROOT, TerraformError, Workspace, count_by_type

EXAMPLES = sorted((ROOT / "terraform" / "environments").glob("*.tfvars"))
EVERYTHING = f"-var-file={ROOT / 'terraform' / 'environments' / 'prod.tfvars'}"
"""Every function is deployed."""


def test_the_module_is_valid(workspace: Workspace) -> None:
    assert "The configuration is valid" in workspace.terraform("validate", "-no-color")


def test_the_modules_own_tests_pass_on_mocked_providers(workspace: Workspace) -> None:
    assert "0 failed" in workspace.terraform("test", "-no-color")


def test_each_fault_is_refused_in_its_own_words(workspace: Workspace) -> None:
    variables = dict(blocks("variable"))
    messages = {fault["error_message"] for body in variables.values() for fault in body.get("validation", [])}
    told = "".join(refusal(workspace, given) for given in refused_values())
    assert {message for message in messages if plain(message) not in told} == set()


def refused_values() -> Iterator[dict[str, object]]:
    """Yield the variables of each run in the module's own test of refusals."""
    tested = parse(MODULE / "tests" / "refusals.tftest.hcl")
    for run in tested["run"]:
        body = next(iter(run.values()))
        if body["expect_failures"][0].startswith("${var."):
            yield body["variables"][0]


def refusal(workspace: Workspace, given: dict[str, object]) -> str:
    """Return what a plan with these variables says; it must fail."""
    file = workspace.path / "refused.tfvars.json"
    file.write_text(json.dumps({"project_id": "example-convergence-test", **given}))
    with pytest.raises(TerraformError) as error:
        workspace.plan(f"-var-file={file}")
    return plain(str(error.value))


def plain(text: str) -> str:
    """Undo Terraform's line breaks and quoting."""
    return " ".join(text.replace('\\"', '"').split())


def test_there_are_examples_to_plan() -> None:
    assert {example.stem for example in EXAMPLES} >= {"dev", "prod"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_each_example_plans_with_a_made_up_token(workspace: Workspace, example: object) -> None:
    changes = workspace.plan(f"-var-file={example}")
    assert {change.actions for change in changes} == {("create",)}
    counts = count_by_type(changes)
    lines = [f"  {count:4} {name}" for name, count in counts.items()]
    sys.stdout.write("\n".join([f"\n{example}: {len(changes)} resources", *lines, ""]))


def test_terraform_and_make_bundle_agree_on_every_hash(workspace: Workspace) -> None:
    planned = json.loads(workspace.evaluate("jsonencode(local.bundle_hashes)", EVERYTHING))
    made = {
        folder.name: bundle_hash(bundled_files(folder)) for folder in (workspace.module / "bundles").iterdir()
    }
    assert planned == made


def test_terraforms_zips_hold_what_make_bundles_do(workspace: Workspace) -> None:
    workspace.plan(EVERYTHING)
    zips = {path.name.partition("-")[0]: path for path in (workspace.module / ".build").glob("*.zip")}
    for folder in (workspace.module / "bundles").iterdir():
        with ZipFile(zips[folder.name]) as bundle:
            held = {name: bundle.read(name) for name in bundle.namelist()}
        assert held == {name: file.read_bytes() for name, file in bundled_files(folder).items()}
