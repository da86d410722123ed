"""Workspaces for the checks. A deployment is applied once and looked at by all checks of its file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.terraform.fake_google import FakeGoogle
from tests.terraform.providers.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What was applied: where from, and to which Google."""

    workspace: Workspace
    google: FakeGoogle


@pytest.fixture(scope="session")
def data_dir() -> Path:
    return Path(os.environ["TERRAFORM_CHECK_DATA"])


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Workspace:
    """Return a copy in which nothing is applied."""
    return Workspace.copy(tmp_path_factory.mktemp("terraform") / "project", data_dir)


@pytest.fixture(scope="session")
def google() -> Iterator[FakeGoogle]:
    with FakeGoogle() as google:
        yield google


@pytest.fixture(scope="session")
def minimal(workspace: Workspace, google: FakeGoogle) -> Deployment:
    """Apply a deployment in which nothing is asked for but a project."""
    return deploy(workspace, google, project_id="example-convergence-minimal")


@pytest.fixture(scope="session")
def everything(workspace: Workspace, google: FakeGoogle) -> Deployment:
    """Apply a deployment with every option on, to be thrown away."""
    chosen = workspace.module / "chosen.auto.tfvars"
    chosen.symlink_to(workspace.module / "environments" / "prod.tfvars")
    return deploy(workspace, google, deletion_protection=False)


def deploy(workspace: Workspace, google: FakeGoogle, **variables: object) -> Deployment:
    """Point the provider at a fake, and apply everything."""
    workspace.set_variables(**variables)
    workspace.speak_to(google)
    workspace.apply()
    return Deployment(workspace=workspace, google=google)
