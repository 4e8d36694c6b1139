"""The whole life on an emulator that is not ours: moto of the locked version, as it comes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support import other_object_stores
from tests.support.other_emulators import OtherEmulatorUser, free_port, served


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["seed", "production"])
def test_the_whole_life_on_plain_moto(tmp_path: Path, profile: str) -> None:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]

    # As many tasks as are wanted run at once (moto documentation, ECS).
    with served(command, tmp_path, port, MOTO_ECS_SERVICE_RUNNING="4") as endpoint:
        live_and_end(OtherEmulatorUser(endpoint, tmp_path, profile))


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["seed", "production"])
def test_the_whole_life_on_ministack(tmp_path: Path, profile: str) -> None:
    with other_object_stores.ministack(tmp_path / "ministack") as endpoint:
        user = OtherEmulatorUser(endpoint, tmp_path, profile)

        told = live_and_end(user)

        # ministack 1.5.33 has no Application Auto Scaling.
        assert f"not on this emulator: ScalableTarget ml-api-scaling-{profile} is passed over" in told
        assert "Verified empty" in user.run("verify-gone")


def live_and_end(user: OtherEmulatorUser) -> str:
    """Bring a stack up, change it and take it down, each plan silent; what the first apply said."""
    said = ("--set", f"profile={user.suffix}")
    bigger = (*said, "--set", "container.cpu=2048", "--set", "container.memory=4096")
    told = []
    for settings in (said, bigger):
        told.append(user.run("apply", "--yes", *settings))
        assert "No changes." in user.run("plan", *settings)
        assert "No drift." in user.run("drift", *settings)
    assert "~ ecs/service" in user.run("plan", *said)
    assert "Verified empty" in user.run("teardown", "--yes", "--unprotect")
    return told[0]
