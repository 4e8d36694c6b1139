from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from tests.support.fake_plugin import FakePlugin
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the Session Manager plugin is found."""
    plugin = FakePlugin.at(tmp_path_factory.mktemp("plugin"))
    return {"PATH": f"{plugin.folder}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def ready(live_stack: LiveStack, plugged: dict[str, str]) -> User:
    """Whatever can be done with a stack can be done with this one: it can be entered, and gone back with."""
    where = {"cluster": live_stack.service["clusterArn"], "service": live_stack.service["serviceName"]}
    live_stack.aws("ecs").update_service(**where, enableExecuteCommand=True, forceNewDeployment=True)
    live_stack.desk.well("deploy", "--yes", "--no-smoke", "--suffix", SUFFIX, "--image", "shipped:1")
    return dataclasses.replace(live_stack.desk, environment=plugged)


@pytest.fixture(autouse=True)
def _a_file_to_push() -> None:
    Path("ledger.json").write_text("{}")
