"""A sample of the fault matrix that changes with the day, and runs that meet two or three faults."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from provisioner.emulator.server import LocalAws
from tests.faults.fault_case import CALL_FAULTS, SCENARIOS, STATE_WRITE, WRITE_FAULTS, FaultCase, InjectedFault
from tests.faults.matrix import ROOT
from tests.faults.seeds import SEED
from tests.faults.strongest_profile import STRONGEST
from tests.faults.world import World

SIZE = 4
AT_CALL = st.builds(InjectedFault, st.sampled_from(CALL_FAULTS), st.just(""), st.integers(1, 90))
AT_WRITE = st.builds(InjectedFault, st.sampled_from(WRITE_FAULTS), st.just(STATE_WRITE), st.integers(1, 60))


@pytest.mark.parametrize(
    "profile", ["seed", *(pytest.param(one, marks=pytest.mark.slow) for one in ("production", STRONGEST))]
)
def test_a_sample_of_the_day_leaves_nothing_and_makes_nothing_twice(profile: str) -> None:
    chosen = ["--profile", profile, "--sample", str(SIZE), "--seed", str(SEED)]
    command = [sys.executable, "-m", "tests.faults", *chosen]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)

    assert ran.returncode == 0, f"FAULT_SEED={SEED}\n{ran.stderr}\n{ran.stdout}"
    assert ran.stdout.endswith(": 0 orphans, 0 duplicates, 0 stuck\n")
    assert ran.stdout.count("\n") == 1


@pytest.fixture(scope="module")
def world(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A user whose calls may meet faults; the account is empty again afterwards."""
    with World(served.emulator, tmp_path_factory.mktemp("world") / "home").open() as opened:
        yield opened
    served.reset()


@pytest.mark.slow
@seed(SEED)
@settings(
    max_examples=4,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=False,
)
@given(
    scenario=st.sampled_from(SCENARIOS),
    faults=st.lists(AT_CALL | AT_WRITE, min_size=2, max_size=3, unique_by=lambda one: one.nth),
)
def test_two_and_three_faults_in_a_row_lose_nothing(world: World, scenario: str, faults: list[InjectedFault]) -> None:
    verdict = world.play(FaultCase(scenario, tuple(faults)))

    assert verdict.passed, f"FAULT_SEED={SEED} {verdict}"
