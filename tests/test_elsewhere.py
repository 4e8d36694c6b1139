"""The whole life on an emulator that is not ours: moto of the locked version, as it comes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.elsewhere import Elsewhere, free_port, served


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["seed", "production"])
def test_the_whole_life_on_plain_moto(tmp_path: Path, profile: str) -> None:
    port, said = free_port(), ("--set", f"profile={profile}")
    bigger = (*said, "--set", "container.cpu=2048", "--set", "container.memory=4096")
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]

    # As many tasks as are wanted run at once (moto documentation, ECS).
    with served(command, tmp_path, port, MOTO_ECS_SERVICE_RUNNING="4") as endpoint:
        user = Elsewhere(endpoint, tmp_path, profile)
        for settings in (said, bigger):
            user.run("apply", "--yes", *settings)
            assert "No changes." in user.run("plan", *settings)
            assert "No drift." in user.run("drift", *settings)
        assert "~ ecs/service" in user.run("plan", *said)
        assert "Verified empty" in user.run("teardown", "--yes", "--unprotect")
