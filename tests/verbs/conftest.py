from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from tests.harness import Desk
from tests.plugins import FakePlugin
from tests.standing import SUFFIX, Standing


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the Session Manager plugin is found."""
    plugin = FakePlugin.at(tmp_path_factory.mktemp("plugin"))
    return {"PATH": f"{plugin.folder}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def ready(standing: Standing, plugged: dict[str, str]) -> Desk:
    """Whatever can be done with a stack can be done with this one: it can be entered, and gone back with."""
    where = {"cluster": standing.service["clusterArn"], "service": standing.service["serviceName"]}
    standing.aws("ecs").update_service(**where, enableExecuteCommand=True, forceNewDeployment=True)
    standing.desk.well("deploy", "--yes", "--no-smoke", "--suffix", SUFFIX, "--image", "shipped:1")
    return dataclasses.replace(standing.desk, environment=plugged)


@pytest.fixture(autouse=True)
def _a_file_to_push() -> None:
    Path("ledger.json").write_text("{}")
